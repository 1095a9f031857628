package producers

import (
	"log"
	"os"
	"testing"

	"example.com/chanx/asynclog"
)

// The standard library's log: hand over the Writer where a writer is wanted.
func Example_log() {
	w := asynclog.New(os.Stdout, asynclog.Options{})
	defer w.Close()

	logger := log.New(w, "app: ", log.Lmsgprefix)
	logger.Print("started")
	// Output: app: started
}

func TestLog(t *testing.T) {
	flood(t, func(w *asynclog.Writer) func(string) {
		logger := log.New(w, "", log.LstdFlags)
		return func(msg string) { logger.Print(msg) }
	})
}
