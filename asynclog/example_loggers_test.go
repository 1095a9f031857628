package asynclog_test

import (
	"io"
	"log"
	"log/slog"
	"os"

	"example.com/chanx/asynclog"
)

// The standard log has no levels. Through slog all of its lines get one; at
// SyncLevel, log.Fatal and log.Panic lose no line.
func Example_log() {
	w := asynclog.New(os.Stdout, asynclog.Options{SyncLevel: slog.LevelError})
	defer w.Close()

	std := slog.NewLogLogger(asynclog.NewHandler(w, newJSON), slog.LevelError)
	log.SetFlags(0)
	log.SetOutput(std.Writer())
	defer log.SetOutput(os.Stderr)
	log.Print("no connection")
	// Output: {"level":"ERROR","msg":"no connection"}
}

// leveled is an io.Writer for the records of one level.
type leveled struct {
	w     *asynclog.Writer
	level slog.Level
}

func (l leveled) Write(p []byte) (int, error) {
	return l.w.WriteLeveled(l.level, p)
}

// A logger that takes one io.Writer for each level passes the level on with
// three lines of code.
func ExampleWriter_WriteLeveled() {
	w := asynclog.New(os.Stdout, asynclog.Options{SyncLevel: slog.LevelError})
	defer w.Close()

	info := log.New(leveled{w, slog.LevelInfo}, "I ", 0)
	fault := log.New(leveled{w, slog.LevelError}, "E ", 0)
	info.Print("started")
	fault.Print("no connection") // written when it returns
	// Output:
	// I started
	// E no connection
}

// Each of two sinks gets a Writer. With an io.MultiWriter as the sink of one
// Writer, a sink that fails would make it repeat records on the other.
func ExampleNew_twoSinks() {
	console := asynclog.New(os.Stdout, asynclog.Options{})
	defer console.Close()
	remote := asynclog.New(io.Discard, asynclog.Options{})
	defer remote.Close()

	logger := log.New(io.MultiWriter(console, remote), "", 0)
	logger.Print("to both")
	// Output: to both
}
