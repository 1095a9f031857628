package producers

import (
	"os"
	"testing"

	"github.com/sirupsen/logrus"

	"example.com/chanx/asynclog"
)

// logrus holds a lock while it writes, so one slow write stops every caller; the
// Writer below it is never slow.
func Example_logrus() {
	w := asynclog.New(os.Stdout, asynclog.Options{})
	defer w.Close()

	logger := logrus.New()
	logger.SetOutput(w)
	logger.SetFormatter(&logrus.JSONFormatter{DisableTimestamp: true})
	logger.Info("started")
	// Output: {"level":"info","msg":"started"}
}

func TestLogrus(t *testing.T) {
	flood(t, func(w *asynclog.Writer) func(string) {
		logger := logrus.New()
		logger.SetOutput(w)
		return func(msg string) { logger.Info(msg) }
	})
}
