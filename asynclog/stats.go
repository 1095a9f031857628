package asynclog

import (
	"encoding/json"
	"time"

	"example.com/chanx"
)

// Stats is one consistent snapshot of a [Writer]: at every instant
//
//	Accepted == Written + Dropped + Buffered
//
// in records and in bytes, and Dropped is the sum of DroppedByLevel.
//
// To publish it:
//
//	expvar.Publish("log", expvar.Func(func() any { return w.Stats() }))
type Stats struct {
	Accepted Count // by a Write that returned no error
	Written  Count // taken by the sink
	Dropped  Count // by the policy
	Buffered Count // waiting, or in the hands of the sink
	Refused  Count // by a Write that returned an error; not part of the law

	DroppedByLevel Levels

	SinkErrors uint64 // calls of the sink that returned an error
	Restarts   uint64 // of the worker, after a panic or Goexit of the sink
	Stalls     uint64 // times the sink was reported as stalled
	Stalled    bool   // it is now
	// StalledSince is when that was noticed; zero unless Stalled. Errors may no
	// longer have it: a sink that fails without end stalls, and fills them.
	StalledSince time.Time `json:",omitzero"`
	HighWater    int       // most bytes ever buffered
	// LastError is the last of Errors; nil if there never was one.
	LastError error
	// Errors are the last errors, panics and Goexits of the sink, and its
	// stalls as chanx.ErrStalled, oldest first, at most eight.
	Errors []SinkError
}

// Stats returns the counts so far. It does not wait for the sink, and
// may be called at any time, after Close as well.
func (w *Writer) Stats() Stats {
	var worker chanx.WorkerStatus // zero if the worker was removed
	if all := w.supervisor.Status(); len(all) > 0 {
		worker = all[0]
	}
	w.lock()
	defer w.unlock()
	w.settle()
	lost := w.buf.losses.total()
	s := Stats{
		Accepted:       w.buf.accepted,
		Written:        w.buf.written,
		Dropped:        lost.Count,
		Buffered:       w.buf.buffered(),
		Refused:        w.refused,
		DroppedByLevel: lost.levels.levels(),
		SinkErrors:     w.sinkState.errors,
		Restarts:       uint64(worker.Restarts),
		Stalls:         w.sinkState.stalls,
		Stalled:        worker.State == chanx.StateStalled,
		HighWater:      w.buf.high,
		Errors:         append([]SinkError(nil), w.sinkState.last...),
	}
	if s.Stalled {
		s.StalledSince = worker.Since
	}
	if n := len(s.Errors); n > 0 {
		s.LastError = s.Errors[n-1].Err
	}
	return s
}

// MarshalJSON encodes the errors as their messages, which encoding/json would
// leave out: expvar has no other way to show them.
func (s Stats) MarshalJSON() ([]byte, error) {
	type plain Stats // without this method
	return json.Marshal(struct {
		plain
		LastError string
		Errors    []SinkError
	}{plain(s), message(s.LastError), s.Errors})
}

// MarshalJSON encodes Err as its message.
func (e SinkError) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		At  time.Time
		Err string
	}{e.At, message(e.Err)})
}
