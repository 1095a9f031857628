// Package fanout writes each metric sample to several sinks in batches, and
// lets no sink hold up the program or another sink.
//
// When to use it: samples, audit events or traces go to more than one place,
// such as a file, a statsd server and a test, and recording them must not slow
// down the measured code.
//
// When not: a metrics library does it already. Log lines; use asynclog. No
// sample may be lost, whatever it costs: write in the caller.
//
// Without it: recording waits for the slowest sink, or drops the samples for
// which there is no room, without a count, as before uber-go/tally#161:
//
//	for _, sink := range sinks {
//		select {
//		case sink <- sample:
//		default: // lost without a count
//		}
//	}
//
// Edge cases:
//   - record: never waits, also with a sink that hangs.
//   - slow sink: loses its own oldest samples; write is told with each batch
//     how many were lost before it.
//   - batch: as many samples as there are, up to the limit, in order.
//   - error: of a sink counts its batch as failed; the next one is written. To
//     try again, use the recipe retry in the sink.
//   - panic: of a sink counts its batch as failed; the sink is restarted after
//     a backoff. So is one that calls runtime.Goexit.
//   - counts: recorded == written + failed + missed + pending, at any moment
//     without a write in hand.
//   - close: writes the held samples, then Wait returns.
//   - context done: ends the sinks; held samples are not written.
//   - no sinks: samples are dropped.
//   - bad arguments: capacity < 1 or limit < 1 panics.
//
// Search: metric fan-out, metrics sinks, fan out to sinks, multiple outputs,
// statsd, batching writer, replicate.
package fanout

import (
	"context"
	"sync"
	"sync/atomic"

	"example.com/chanx"
)

// A Fanout holds the last samples for its sinks. New makes one.
type Fanout[T any] struct {
	samples *chanx.Broadcast[T]
	sinks   sync.WaitGroup
}

// New returns a fan-out that holds the last capacity samples.
func New[T any](capacity int) *Fanout[T] {
	return &Fanout[T]{samples: chanx.NewBroadcast[T](capacity)}
}

// Record sends v to every sink. It returns false after Close.
func (f *Fanout[T]) Record(v T) bool { return f.samples.Send(v) }

// Close ends recording. Wait then waits until the sinks have written the rest.
func (f *Fanout[T]) Close() { f.samples.Close() }

// Wait waits until every sink has ended.
func (f *Fanout[T]) Wait() { f.sinks.Wait() }

// A Sink is a place that samples are written to.
type Sink[T any] struct {
	samples         *chanx.Subscription[T]
	write           func(ctx context.Context, batch []T, missed uint64) error
	batch           []T
	written, failed atomic.Uint64
}

// Attach starts a goroutine that calls write with up to limit samples at a
// time, of those recorded from now on. The batch is reused after write.
func (f *Fanout[T]) Attach(ctx context.Context, limit int,
	write func(ctx context.Context, batch []T, missed uint64) error) *Sink[T] {
	if limit < 1 {
		panic("fanout: limit < 1")
	}
	s := &Sink[T]{samples: f.samples.Subscribe(0), write: write}
	s.batch = make([]T, limit)
	f.sinks.Go(func() {
		defer s.samples.Close()
		chanx.Supervise(ctx, s.run, chanx.RestartPolicy{})
	})
	return s
}

func (s *Sink[T]) run(ctx context.Context) error {
	for {
		n, missed, err := s.samples.RecvBatch(ctx, s.batch)
		if err == chanx.ErrClosed {
			return chanx.ErrStop
		}
		if err != nil {
			return err
		}
		s.writeBatch(ctx, s.batch[:n], missed)
	}
}

func (s *Sink[T]) writeBatch(ctx context.Context, batch []T, missed uint64) {
	count := &s.failed // also after a panic
	defer func() {
		count.Add(uint64(len(batch)))
		clear(batch)
	}()
	if s.write(ctx, batch, missed) == nil {
		count = &s.written
	}
}

// Counts accounts for the samples recorded since Attach.
func (s *Sink[T]) Counts() (written, failed, missed uint64, pending int) {
	stats := s.samples.Stats()
	return s.written.Load(), s.failed.Load(), stats.Missed, stats.Len
}
