package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"example.com/chanx"
	"example.com/chanx/asynclog"
	"example.com/chanx/chanxhttp"
)

// lineRoom is what a line of this log takes in an [asynclog.Writer]: some 75
// bytes and four for its length.
const lineRoom = 80

// asyncLog is the log of the server that did not stop: requests write lines to
// an [asynclog.Writer], which never waits, and whose worker is supervised.
type asyncLog struct {
	*asynclog.Writer
	sink    *rotating
	witness *witness
}

// newAsyncLog starts the worker, which counts as stalled when it has made no
// progress for stallAfter. The values of ctx, its profiler labels, are the
// worker's too.
//
// The budget is what makes the servers comparable: some queue lines, as before
// has. The default, 4 MiB, would hold all that is sent here and drop nothing.
// A reserve is for records with a level, and these have none.
func newAsyncLog(ctx context.Context, d *disk, stallAfter time.Duration) *asyncLog {
	l := &asyncLog{sink: &rotating{disk: d, labels: ctx}, witness: new(witness)}
	l.Writer = asynclog.New(l.sink, asynclog.Options{
		Budget:       queue * lineRoom,
		Reserve:      -1,
		Report:       lostLines,
		Fallback:     l.witness,
		StallAfter:   stallAfter,
		CloseTimeout: stopPatience,
	})
	return l
}

// lostLines is a comment in the log, where the lines would be.
func lostLines(l asynclog.Loss) []byte {
	return fmt.Appendf(nil, "%s%d since %s\n", lostMark, l.Records,
		l.Since.Format(time.RFC3339Nano))
}

// log is called by every request. After close the line is refused, and nothing
// accepts it.
func (l *asyncLog) log(r record) {
	var line bytes.Buffer
	r.appendTo(&line)
	_, _ = l.Write(line.Bytes())
}

func (l *asyncLog) account() account {
	s := l.Stats()
	return account{
		Accepted: int64(s.Accepted.Records),
		Dropped:  int64(s.Dropped.Records),
		Buffered: int64(s.Buffered.Records),
	}
}

// worker is what the supervisor has to say.
func (l *asyncLog) worker() chanx.WorkerStatus { return l.Supervisor().Status()[0] }

// close has what is left written, and closes the file.
func (l *asyncLog) close() error {
	err := l.Close()
	return errors.Join(err, l.sink.rotate())
}

// register adds what the operators of the service can ask: how the log is, and
// what has happened to it.
func (l *asyncLog) register(mux *http.ServeMux) {
	mux.Handle("/status", chanxhttp.Live(l.Supervisor()))
	mux.HandleFunc("/status/log", l.serveStats)
}

func (l *asyncLog) serveStats(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(l.Stats()) // or the client has gone
}
