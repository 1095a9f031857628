package asynclog_test

import (
	"context"
	"expvar"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"example.com/chanx/asynclog"
	"example.com/chanx/chanxhttp"
)

// newJSON leaves out the time, so that the output is always the same.
func newJSON(out io.Writer) slog.Handler {
	return slog.NewJSONHandler(out, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})
}

func Example() {
	w := asynclog.New(os.Stdout, asynclog.Options{Fallback: os.Stderr})
	defer w.Close()

	log := slog.New(asynclog.NewHandler(w, newJSON))
	log.Info("started", "port", 8080)
	// Output: {"level":"INFO","msg":"started","port":8080}
}

// A service that logs to a file, rotated by logrotate, shows the state of its
// log, and ends in order.
func Example_service() {
	file, err := asynclog.OpenFile(filepath.Join(os.TempDir(), "app.log"), asynclog.FileOptions{})
	if err != nil {
		panic(err)
	}
	defer file.Close()
	w := asynclog.New(file, asynclog.Options{Fallback: os.Stderr})
	defer w.Close() // before the file is closed

	expvar.Publish("log", expvar.Func(func() any { return w.Stats() }))
	http.Handle("/health/log", chanxhttp.Health(w.Supervisor()))

	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	go func() {
		for range hup {
			if err := file.Reopen(); err != nil {
				slog.Error("reopen", "err", err)
			}
		}
	}()
}

// Before a process hands over or exits early, Flush with a deadline of its
// own.
func ExampleWriter_Flush() {
	w := asynclog.New(os.Stdout, asynclog.Options{})
	defer w.Close()
	fmt.Fprintln(w, "handing over")

	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := w.Flush(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err) // says how much is left
	}
	// Output: handing over
}
