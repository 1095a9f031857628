package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"example.com/chanx"
)

// consumerName is what the consumer is called in the status of its supervisor.
const consumerName = "log consumer"

// ringLog is the log of the server that did not stop: requests put records
// into a ring, which never waits, and a supervised consumer writes them.
type ringLog struct {
	disk *disk
	ring *chanx.Ring[record]
	rot  chan struct{}
	beat time.Duration

	sup    *chanx.Supervisor
	cancel context.CancelFunc
	ended  chan error // of the supervisor

	accepted, dropped, inHand, stalls atomic.Int64

	mu        sync.Mutex
	unwritten []record // taken from the ring by a consumer that has ended
}

// newRingLog starts the supervisor, and that the consumer. The consumer is
// taken for stalled after beat without a sign of it. The values of ctx, its
// profiler labels, are the consumer's too.
func newRingLog(ctx context.Context, d *disk, beat time.Duration) *ringLog {
	l := &ringLog{
		disk:  d,
		rot:   make(chan struct{}, 1),
		beat:  beat,
		sup:   chanx.NewSupervisor(chanx.SupervisorOptions{}),
		ended: make(chan error, 1),
	}
	l.ring = chanx.NewRingFunc(queue, func(record) { l.dropped.Add(1) })
	err := l.sup.Add(consumerName, l.consume, chanx.RestartPolicy{
		MinBackoff:     20 * time.Millisecond,
		MaxBackoff:     250 * time.Millisecond,
		Heartbeat:      beat,
		ReplaceStalled: true,
		OnEvent:        l.observe,
	})
	if err != nil {
		panic(err) // the first worker of a new supervisor
	}
	ctx, l.cancel = context.WithCancel(ctx)
	go func() { l.ended <- l.sup.Run(ctx) }()
	return l
}

func (l *ringLog) observe(e chanx.Event) {
	if e.Kind == chanx.EventStall {
		l.stalls.Add(1)
	}
}

// log is called by every request. After close the record is not stored, and
// not counted: nothing accepts it.
func (l *ringLog) log(r record) {
	if l.ring.Send(r) {
		l.accepted.Add(1)
	}
}

// errRotate ends a file, and not the consumer.
var errRotate = errors.New("the log is rotated")

// consume is the supervised worker.
func (l *ringLog) consume(ctx context.Context) error {
	// A restart is started by a timer, whose goroutines have no labels.
	pprof.SetGoroutineLabels(ctx)
	for {
		if err := l.fill(ctx); err != errRotate {
			return err
		}
	}
}

// fill writes one file. It returns what ended it, as it is: to handle an error
// is the supervisor's business, and to keep it as well.
func (l *ringLog) fill(ctx context.Context) error {
	file, err := l.disk.open()
	if err == io.EOF {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	idle := time.NewTicker(l.beat / 4)
	defer idle.Stop()
	for {
		chanx.Beat(ctx)
		if err := l.write(file); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.rot:
			if ctx.Err() != nil { // replaced: word for the successor
				l.rotation()
				return ctx.Err()
			}
			return errRotate
		case <-l.ring.Ready():
		case <-idle.C:
		}
	}
}

// write takes a batch and writes it with one call. It returns ErrStop once
// the ring is closed and drained. What the file has not taken, be it for an
// error, a panic or a short write, is there for the next consumer. A write
// that stalls keeps its batch until it returns: whoever wrote that again
// could write it twice.
func (l *ringLog) write(file io.Writer) error {
	batch, err := l.take()
	if len(batch) == 0 {
		return err
	}
	written := 0
	defer func() { l.giveBack(batch, written) }()
	var buf bytes.Buffer
	for _, r := range batch {
		r.appendTo(&buf)
	}
	n, err := file.Write(buf.Bytes())
	written = bytes.Count(buf.Bytes()[:n], []byte("\n"))
	return err
}

// take returns what was given back, or else what the ring holds. The error is
// ErrStop if there will never be more, and nil otherwise.
func (l *ringLog) take() ([]record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch := l.unwritten
	l.unwritten = nil
	var err error
	for len(batch) < queue && err == nil {
		var r record
		if r, err = l.ring.TryRecv(); err == nil {
			batch = append(batch, r)
		}
	}
	l.inHand.Add(int64(len(batch)))
	if errors.Is(err, chanx.ErrClosed) {
		return batch, chanx.ErrStop
	}
	return batch, nil
}

func (l *ringLog) giveBack(batch []record, written int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unwritten = append(l.unwritten, batch[written:]...)
	l.inHand.Add(-int64(len(batch)))
}

// rotation leaves word, which the consumer finds when it is well again.
func (l *ringLog) rotation() { chanx.TrySend(l.rot, struct{}{}) }

func (l *ringLog) account() account {
	l.mu.Lock()
	defer l.mu.Unlock()
	return account{
		Accepted: l.accepted.Load(),
		Dropped:  l.dropped.Load(),
		Buffered: int64(l.ring.Len()) + l.inHand.Load() + int64(len(l.unwritten)),
	}
}

// status is what the supervisor has kept of the consumer.
func (l *ringLog) status() chanx.WorkerStatus { return l.sup.Status()[0] }

// close lets the consumer write what is left and end for good, and stops it if
// it has not within patience.
func (l *ringLog) close(patience time.Duration) error {
	defer l.cancel()
	l.ring.Close()
	if err, late := chanx.RecvTimeout(l.ended, patience); late == nil {
		return err
	}
	l.cancel()
	return <-l.ended
}
