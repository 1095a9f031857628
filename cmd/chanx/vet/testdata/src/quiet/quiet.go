// Package quiet has shapes that look like the ones of the checks, and are fine.
package quiet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"
)

var errFull = errors.New("full")

func work() error { return nil }

// drained: the consumer goes on receiving after an error.
type drained struct{ ch chan int }

func (d *drained) put(v int) { d.ch <- v }

func newDrained() *drained {
	d := &drained{make(chan int)}
	go func() {
		for v := range d.ch {
			if err := work(); err != nil {
				fmt.Println(v, err)
				break
			}
		}
		for range d.ch {
		}
	}()
	return d
}

// restarted: the consumer is started again.
type restarted struct{ ch chan int }

func (r *restarted) put(v int) { r.ch <- v }

func (r *restarted) run() {
	for range r.ch {
		if work() != nil {
			go r.run()
			return
		}
	}
}

func newRestarted() *restarted {
	r := &restarted{make(chan int)}
	go r.run()
	return r
}

// looped: the function that receives is called in a loop.
type looped struct{ ch chan int }

func (l *looped) put(v int) { l.ch <- v }

func (l *looped) once() error {
	for range l.ch {
		if err := work(); err != nil {
			return err
		}
	}
	return nil
}

func newLooped() *looped {
	l := &looped{make(chan int)}
	go func() {
		for {
			l.once()
		}
	}()
	return l
}

// selecting: the sender has another way out.
type selecting struct {
	ch   chan int
	done chan struct{}
}

func (s *selecting) put(v int) {
	select {
	case s.ch <- v:
	case <-s.done:
	}
}

func (s *selecting) run() {
	defer close(s.done)
	for range s.ch {
		if work() != nil {
			return
		}
	}
}

func newSelecting() *selecting {
	s := &selecting{make(chan int), make(chan struct{})}
	go s.run()
	return s
}

// stopped: the consumer ends when it is told to, and the process with it.
type stopped struct {
	ch   chan int
	stop chan struct{}
}

func (s *stopped) put(v int) { s.ch <- v }

func (s *stopped) run() {
	for {
		select {
		case <-s.stop:
			return
		case <-s.ch:
			if err := work(); err != nil {
				os.Exit(1)
			}
		}
	}
}

func newStopped() *stopped {
	s := &stopped{make(chan int), make(chan struct{})}
	go s.run()
	return s
}

// noticed: the sender reads what the consumer sets on its way out.
type noticed struct {
	ch   chan int
	dead atomic.Bool
}

func (n *noticed) put(v int) {
	if !n.dead.Load() {
		n.ch <- v
	}
}

func (n *noticed) run() {
	defer n.dead.Store(true)
	defer n.shutdown()
	for range n.ch {
		if work() != nil {
			return
		}
	}
}

func (n *noticed) shutdown() {}

func newNoticed() *noticed {
	n := &noticed{ch: make(chan int)}
	go n.run()
	return n
}

// measured: the sender asks for room first.
type measured struct{ ch chan int }

func (m *measured) put(v int) {
	if len(m.ch) < cap(m.ch) {
		m.ch <- v
	}
}

func (m *measured) run() {
	for range m.ch {
		if work() != nil {
			return
		}
	}
}

func newMeasured() *measured {
	m := &measured{make(chan int, 4)}
	go m.run()
	return m
}

// tokens: as many sends as receives, and room for all.
type tokens struct{ ch chan struct{} }

func (t *tokens) do(f func()) {
	t.ch <- struct{}{}
	defer func() { <-t.ch }()
	f()
}

// stopMessage: the value itself ends the consumer.
type stopMessage struct{ ch chan int }

func (s *stopMessage) stop() { s.ch <- 1 }

func (s *stopMessage) run(t *time.Ticker) {
	for {
		select {
		case <-s.ch:
			return
		case <-t.C:
			if work() != nil {
				return
			}
		}
	}
}

func newStopMessage() *stopMessage {
	s := &stopMessage{make(chan int)}
	go s.run(time.NewTicker(time.Second))
	return s
}

// reply: room for the one reply to each request.
type request struct{ reply chan error }

func serve(requests chan request) {
	for r := range requests {
		r.reply <- work()
	}
}

func ask(requests chan request) error {
	r := request{make(chan error, 1)}
	requests <- r
	return <-r.reply
}

// Roomy: the result has room.
func Roomy(ctx context.Context) error {
	ch := make(chan error, 1)
	go func() { ch <- work() }()
	select {
	case err := <-ch:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Waited: every path receives.
func Waited(ctx context.Context, stop func()) error {
	ch := make(chan error)
	go func() { ch <- work() }()
	select {
	case err := <-ch:
		return err
	case <-ctx.Done():
		stop()
		return <-ch
	}
}

// Deferred receives in a defer.
func Deferred(n int) error {
	ch := make(chan error)
	go func() { ch <- work() }()
	defer func() { <-ch }()
	if n > 0 {
		return errFull
	}
	return nil
}

// Either sends one of two, and the other way is an answer too.
func Either() error {
	ch, failed := make(chan int), make(chan error)
	go func() {
		if err := work(); err != nil {
			failed <- err
		} else {
			ch <- 1
		}
	}()
	select {
	case <-ch:
		return nil
	case err := <-failed:
		return err
	}
}

// Gather receives as many as it starts.
func Gather(n int) (err error) {
	ch := make(chan error)
	for range n {
		go func() { ch <- work() }()
	}
	for range n {
		if e := <-ch; e != nil {
			err = e
		}
	}
	return err
}

// Same receives under the condition under which it has started.
func Same(async bool) {
	ch := make(chan error)
	if async {
		go func() { ch <- work() }()
	}
	fmt.Println("started")
	if async {
		<-ch
	}
}

// WaitLast waits and closes in a goroutine.
func WaitLast(xs []int) int {
	ch := make(chan int)
	var wg sync.WaitGroup
	for _, x := range xs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			ch <- x
		}()
	}
	go func() { wg.Wait(); close(ch) }()
	sum := 0
	for x := range ch {
		sum += x
	}
	return sum
}

// unlocked sends after the unlock.
type unlocked struct {
	mu sync.Mutex
	ch chan int
}

func (u *unlocked) put(v int) {
	u.mu.Lock()
	v++
	u.mu.Unlock()
	u.ch <- v
}

func (u *unlocked) run() {
	for range u.ch {
		u.mu.Lock()
		u.mu.Unlock()
	}
}

func newUnlocked() *unlocked {
	u := &unlocked{ch: make(chan int)}
	go u.run()
	return u
}

// Selected makes the send a case.
func Selected(done chan struct{}, ch chan int) {
	for {
		select {
		case <-done:
			return
		case ch <- 1:
		}
	}
}

// Tried asks a default without a send.
func Tried(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// Signals has a channel that the runtime sends to.
func Signals() {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, os.Interrupt)
	<-ch
}

// silenced is a finding with a reason.
type silenced struct{ ch chan int }

func (s *silenced) put(v int) { s.ch <- v }

func newSilenced() *silenced {
	s := &silenced{make(chan int)}
	go func() {
		for range s.ch {
			if work() != nil {
				//chanx:ignore the process ends here in any case
				return
			}
		}
	}()
	return s
}
