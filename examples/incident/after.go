package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/chanx"
	"example.com/chanx/asynclog"
	"example.com/chanx/chanxhttp"
)

// lineRoom is the room of one line in an [asynclog.Writer]: up to 76 bytes, and
// four for its length.
const lineRoom = 80

// asyncLog is the log of the server that did not stop: requests write lines to
// an [asynclog.Writer], which never waits, and whose worker is supervised.
type asyncLog struct {
	*asynclog.Writer
	file *logFile
	told fallback
}

// newAsyncLog starts the worker, which counts as stalled after stallAfter
// without progress. The goroutine has the profiler labels of ctx.
//
// The Budget makes the servers comparable: room for queue lines, as before has.
// The default of 4 MiB would hold all the lines of a replay and drop nothing.
// A Reserve is for records with a level, and these lines have none.
func newAsyncLog(ctx context.Context, d *disk, stallAfter time.Duration) *asyncLog {
	l := &asyncLog{file: &logFile{disk: d, labels: ctx}}
	l.Writer = asynclog.New(l.file, asynclog.Options{
		Budget:       queue * lineRoom,
		Reserve:      -1,
		Report:       lostLines,
		Fallback:     &l.told,
		StallAfter:   stallAfter,
		CloseTimeout: stopPatience,
	})
	return l
}

// lostLines is a comment in the log, in place of the lines.
func lostLines(l asynclog.Loss) []byte {
	return fmt.Appendf(nil, "%s%d since %s\n", lostMark, l.Records,
		l.Since.Format(time.RFC3339Nano))
}

// LogWrite is called by every request. It never waits.
func (l *asyncLog) LogWrite(line string) { _, _ = io.WriteString(l, line) }

func (l *asyncLog) rotate(time.Duration) { _ = l.file.rotate() }

func (l *asyncLog) account() account {
	s := l.Stats()
	return account{
		Accepted: int64(s.Accepted.Records),
		Dropped:  int64(s.Dropped.Records),
		Buffered: int64(s.Buffered.Records),
	}
}

// worker returns the status of the worker.
func (l *asyncLog) worker() chanx.WorkerStatus { return l.Supervisor().Status()[0] }

// kept reports whether f is among the last errors that are kept.
func (l *asyncLog) kept(f fault) bool {
	return slices.ContainsFunc(l.Stats().Errors, func(e asynclog.SinkError) bool {
		return f.caused(e.Err)
	})
}

// unblock closes a file on which the worker may hang, or fail.
func (l *asyncLog) unblock() { _ = l.file.rotate() }

// close writes the lines that are buffered, and closes the file.
func (l *asyncLog) close() error {
	return errors.Join(l.Close(), l.file.rotate())
}

// register adds the pages for the operators of the service.
func (l *asyncLog) register(mux *http.ServeMux) {
	mux.Handle("/status", chanxhttp.Live(l.Supervisor()))
	mux.HandleFunc("/status/log", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(l.Stats()) // an error: the client has gone
	})
}

// logFile is the sink: the newest file of a disk. It opens a file when there is
// something to write, so that a failed rotation is a failed Write, which the
// [asynclog.Writer] keeps and repeats. It has no goroutine that could end.
type logFile struct {
	disk   *disk
	labels context.Context

	mu   sync.Mutex
	file *os.File // nil: the next Write opens one
}

// Write appends p to the newest file. If a rotation closes the file during the
// write, it goes on to the next.
func (f *logFile) Write(p []byte) (int, error) {
	// A restarted worker is started by a timer, and so has no labels.
	pprof.SetGoroutineLabels(f.labels)
	for {
		file, err := f.newest()
		if err != nil {
			return 0, err
		}
		n, err := file.Write(p)
		if n > 0 || !errors.Is(err, os.ErrClosed) {
			return n, err
		}
	}
}

func (f *logFile) newest() (*os.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		file, err := f.disk.open()
		if err != nil {
			return nil, err
		}
		f.file = file
	}
	return f.file, nil
}

// rotate closes the file, which ends a write to it that hangs, unless the
// system itself holds that. A write that makes progress ends first: no line is
// torn.
func (f *logFile) rotate() error {
	f.mu.Lock()
	file := f.file
	f.file = nil
	f.mu.Unlock()
	if file == nil {
		return nil
	}
	return file.Close()
}

// fallback keeps the messages of a Writer whose sink fails. A service would
// use os.Stderr, where this program shows its progress.
type fallback struct {
	mu  sync.Mutex
	all []string
}

func (b *fallback) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, strings.TrimSuffix(string(line), "\n"))
	return len(line), nil
}

func (b *fallback) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.all...)
}
