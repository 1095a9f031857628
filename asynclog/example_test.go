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

// Any logger that takes an io.Writer can write to a Writer.
func ExampleNew() {
	w := asynclog.New(os.Stdout, asynclog.Options{Fallback: os.Stderr})
	fmt.Fprintln(w, "one record")
	fmt.Fprintln(w, "another one")
	if err := w.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err) // counts the unwritten records
	}
	// Output:
	// one record
	// another one
}

// With a Handler a Writer knows the level of each record: errors have a
// reserve, and here an error is written before Error returns.
func ExampleHandler() {
	w := asynclog.New(os.Stdout, asynclog.Options{SyncLevel: slog.LevelError})
	defer w.Close()

	log := slog.New(asynclog.NewHandler(w, newJSON)).With("service", "app")
	log.Info("started")
	log.Error("no connection", "to", "db")
	// Output:
	// {"level":"INFO","msg":"started","service":"app"}
	// {"level":"ERROR","msg":"no connection","service":"app","to":"db"}
}

// A log that is rotated while the service runs.
func ExampleOpenFile() {
	dir, _ := os.MkdirTemp("", "log")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "app", "app.log")

	file, err := asynclog.OpenFile(path, asynclog.FileOptions{
		Perm: 0o640, DirPerm: 0o750, // of missing files and directories
	})
	if err != nil {
		panic(err)
	}
	w := asynclog.New(file, asynclog.Options{})
	fmt.Fprintln(w, "before the rotation")
	_ = w.Sync()
	_ = os.Rename(path, path+".1") // as logrotate does it
	fmt.Fprintln(w, "after the rotation")
	_ = w.Close()
	_ = file.Close()

	for _, p := range []string{path + ".1", path} {
		b, _ := os.ReadFile(p)
		fmt.Printf("%s: %s", filepath.Base(p), b)
	}
	// Output:
	// app.log.1: before the rotation
	// app.log: after the rotation
}

// Before a process hands over or exits early, Flush with a deadline of its
// own. The context of a request or a signal may be done already:
// context.WithoutCancel keeps its values.
func ExampleWriter_Flush() {
	request := context.Background()
	w := asynclog.New(os.Stdout, asynclog.Options{})
	defer w.Close()
	fmt.Fprintln(w, "handing over")

	ctx, cancel := context.WithTimeout(context.WithoutCancel(request), time.Second)
	defer cancel()
	if err := w.Flush(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err) // counts the unwritten records
	}
	// Output: handing over
}

// A service that ends on SIGTERM. The context of the signal is done by then,
// so Shutdown gets another one.
func ExampleWriter_Shutdown() {
	signaled, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	w := asynclog.New(os.Stdout, asynclog.Options{})

	go serve(stop) // sends itself the signal, so to speak
	<-signaled.Done()
	fmt.Fprintln(w, "stopped")
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := w.Shutdown(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	// Output: stopped
}

func serve(stop func()) { stop() }

// Options from a configuration: the text form of the policy, and an error
// instead of the panic of New.
func ExampleOptions_Validate() {
	opts := asynclog.Options{Budget: 100}
	if err := opts.Full.UnmarshalText([]byte("wait")); err != nil {
		fmt.Println(err)
	}
	fmt.Println(opts.Full)
	fmt.Println(opts.Validate())
	// Output:
	// wait
	// asynclog: Budget of 100 bytes
}
