package chanx_test

// A log writer whose consumer is replaced when a write hangs.
//
// Use when: lines go to a file or a connection that can fail, panic or hang,
// no line may be lost to a write that failed, and a write that never returns
// must not be the end of the log.
//
// Edge cases:
//   - open or Write returns an error, panics or calls runtime.Goexit: the
//     consumer is restarted after its backoff and opens anew. What the file
//     has not taken of the batch is written again, before newer lines.
//   - a short write: the lines that were taken whole are written; one that was
//     cut is there as half a line, and again as a whole.
//   - Write hangs: after the heartbeat a successor opens another file and goes
//     on with the next lines. The batch stays with the write that hangs, as
//     whoever wrote it again could write it twice; if that write fails after
//     all, its lines are given back and written by the successor, late.
//   - queue full: the oldest lines are dropped and counted.
//   - Rotate while the consumer is down or hangs: the word waits, for the one
//     that is well. A consumer that was replaced leaves it where it is.
//   - Shutdown: what is queued is written, restarts included. If that does not
//     work in time, or a write still hangs with its batch, the error says how
//     many lines are left.
//   - account is one consistent snapshot: sent == written + dropped + waiting.
//
// To change: string to your record type; the policy, whose OnEvent is the
// place for metrics, with ReplaceStalled off if an abandoned write could do
// harm when it comes to life. For a log of bytes there is asynclog, which
// counts the same, waits less and never starts a second writer.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"example.com/chanx"
)

// A ringLog must be made by newRingLog and shut down.
type ringLog struct {
	open func() (io.WriteCloser, error)
	ring *chanx.Ring[string]
	rot  chan struct{}
	beat time.Duration

	cancel context.CancelFunc
	done   chan struct{} // closed after err was written
	err    error

	mu        sync.Mutex // not held while a file is busy
	unwritten []string   // of consumers that have ended
	inHand    int        // lines, of all that have not
}

// account is where the lines of a ringLog have gone.
type account struct{ sent, written, dropped, waiting uint64 }

// newRingLog takes a consumer for stalled that is silent for beat.
func newRingLog(
	capacity int, beat time.Duration, open func() (io.WriteCloser, error),
) *ringLog {
	ctx, cancel := context.WithCancel(context.Background())
	l := &ringLog{
		open:   open,
		ring:   chanx.NewRing[string](capacity),
		rot:    make(chan struct{}, 1),
		beat:   beat,
		cancel: cancel,
		done:   make(chan struct{}),
	}
	go func() {
		defer cancel()
		l.err = chanx.Supervise(ctx, l.consume, chanx.RestartPolicy{
			MinBackoff:     20 * time.Millisecond,
			MaxBackoff:     time.Second,
			Heartbeat:      beat,
			ReplaceStalled: true,
		})
		close(l.done)
	}()
	return l
}

// Log never waits and reports whether the line was queued: false after
// Shutdown only.
func (l *ringLog) Log(line string) bool { return l.ring.Send(line) }

// Rotate asks for a new file and does not wait for it.
func (l *ringLog) Rotate() { chanx.TrySend(l.rot, struct{}{}) }

// Shutdown waits until all that is queued has been written or ctx is done.
func (l *ringLog) Shutdown(ctx context.Context) (err error) {
	l.ring.Close()
	select {
	case <-l.done:
		err = l.err
	case <-ctx.Done():
		l.cancel()
		err = ctx.Err()
	}
	if n := l.account().waiting; n > 0 {
		return errors.Join(fmt.Errorf("%d lines left", n), err)
	}
	return err
}

func (l *ringLog) account() account {
	l.mu.Lock() // nobody receives meanwhile
	defer l.mu.Unlock()
	s := l.ring.Stats()
	taken := uint64(l.inHand + len(l.unwritten))
	return account{sent: s.Sent, dropped: s.Dropped,
		written: s.Received - taken, waiting: uint64(s.Len) + taken}
}

// errRotate ends a file, and not the consumer.
var errRotate = errors.New("the log is rotated")

func (l *ringLog) consume(ctx context.Context) error {
	for {
		if err := l.fill(ctx); err != errRotate {
			return err
		}
	}
}

// fill writes one file. It returns what ended it, as it is: to handle an error
// is the supervisor's business.
func (l *ringLog) fill(ctx context.Context) error {
	file, err := l.open()
	if err != nil {
		return err
	}
	defer file.Close()
	idle := time.NewTicker(l.beat / 4) // for the beat, and what is given back
	defer idle.Stop()
	for ctx.Err() == nil { // else it was replaced, and must take no more
		chanx.Beat(ctx)
		if err := l.write(file); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-l.rot:
			if ctx.Err() == nil {
				return errRotate
			}
			l.Rotate() // word for the successor
		case <-l.ring.Ready():
		case <-idle.C:
		}
	}
	return ctx.Err()
}

// write takes a batch and writes it with one call. It returns ErrStop once
// the ring is closed and drained. However the call ends, what the file has not
// taken is there for the next consumer.
func (l *ringLog) write(file io.Writer) error {
	batch, err := l.take()
	if len(batch) == 0 {
		return err
	}
	taken := 0 // bytes
	defer func() { l.giveBack(batch, taken) }()
	var buf bytes.Buffer
	for _, line := range batch {
		buf.WriteString(line)
		buf.WriteByte('\n')
	}
	taken, err = file.Write(buf.Bytes())
	return err
}

// take returns what was given back, and what the ring holds. The error is
// ErrStop if there will never be more, and nil otherwise.
func (l *ringLog) take() (batch []string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch, l.unwritten = l.unwritten, nil
	for len(batch) < l.ring.Cap() && err == nil {
		var line string
		if line, err = l.ring.TryRecv(); err == nil {
			batch = append(batch, line)
		}
	}
	l.inHand += len(batch)
	if err == chanx.ErrClosed {
		return batch, chanx.ErrStop
	}
	return batch, nil
}

func (l *ringLog) giveBack(batch []string, taken int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inHand -= len(batch)
	for len(batch) > 0 && taken > len(batch[0]) { // with its newline
		taken -= len(batch[0]) + 1
		batch = batch[1:]
	}
	l.unwritten = append(l.unwritten, batch...)
}

// A share is a file on a network: while gone is not closed, writes hang.
type share struct {
	writing, gone chan struct{}
}

func (s *share) Write([]byte) (int, error) {
	close(s.writing)
	<-s.gone
	return 0, errors.New("stale file handle")
}

func (s *share) Close() error { return nil }

// A console prints what is written, and passes on that it did.
type console struct{ wrote chan struct{} }

func (c console) Write(p []byte) (int, error) {
	defer func() { c.wrote <- struct{}{} }()
	return fmt.Print(string(p))
}

func (c console) Close() error { return nil }

func Example_supervisedLog() {
	hung := &share{make(chan struct{}), make(chan struct{})}
	good := console{make(chan struct{}, 3)}
	var opened int // by one consumer after the other
	l := newRingLog(64, 200*time.Millisecond, func() (io.WriteCloser, error) {
		switch opened++; opened {
		case 1:
			return nil, errors.New("no space left on device")
		case 2:
			return hung, nil
		}
		return good, nil
	})
	l.Log("one")
	<-hung.writing

	l.Log("two") // written by the successor
	<-good.wrote
	close(hung.gone) // the write fails, and gives its batch back
	<-good.wrote
	l.Rotate()
	l.Log("three")
	fmt.Println(l.Shutdown(context.Background()))
	fmt.Printf("%+v\n", l.account())
	// Output:
	// two
	// one
	// three
	// <nil>
	// {sent:3 written:3 dropped:0 waiting:0}
}
