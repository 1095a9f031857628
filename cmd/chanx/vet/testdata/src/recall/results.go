// Package recall has the shapes of published bugs before their fixes, written
// anew: a send that blocks forever. bugs.txt names the report of each function.
package recall

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

var errTimeout = errors.New("timeout")

type command interface {
	Wait() error
	Kill() error
	ExitCode() int
}

type server interface {
	Serve() error
	Shutdown(context.Context) error
}

type check struct {
	timeout time.Duration
	run     func(context.Context) error
}

// measureHealth: a health check that times out leaves its goroutine behind.
func measureHealth(ctx context.Context, checks []check) error {
	for _, c := range checks {
		result := make(chan error)
		go func() {
			result <- c.run(ctx) // want `abandoned send`
		}()
		timer := time.NewTimer(c.timeout)
		select {
		case <-timer.C:
			return errTimeout
		case err := <-result:
			timer.Stop()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// cancelIO waits for a command a while, and kills it.
func cancelIO(cmd command) error {
	done := make(chan error)
	go func() {
		done <- cmd.Wait() // want `abandoned send`
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Second):
		return cmd.Kill()
	}
}

// waitTimeout has a channel for the status and one for the error.
func waitTimeout(cmd command, timeout time.Duration) (int, error) {
	status := make(chan int)
	failed := make(chan error)
	go func() {
		err := cmd.Wait()
		status <- cmd.ExitCode() // want `abandoned send`
		if err != nil {
			failed <- err // want `abandoned send`
		}
	}()
	select {
	case <-time.After(timeout):
		return 0, errTimeout
	case s := <-status:
		return s, nil
	case err := <-failed:
		return -1, err
	}
}

type node struct {
	addr   string
	direct chan bool
}

func (n *node) ping() (bool, error) { return n.addr != "", nil }

// probe pings over one way, and over another in case the first fails.
func probe(n *node) bool {
	fallback := make(chan bool)
	go func() {
		defer close(fallback)
		ok, err := n.ping()
		if err != nil {
			fmt.Println(err)
		} else {
			fallback <- ok // want `abandoned send`
		}
	}()
	select {
	case ok := <-n.direct:
		if ok {
			return true
		}
	case <-time.After(time.Second):
	}
	for ok := range fallback {
		if ok {
			return true
		}
	}
	return false
}

// serve returns when its context is done, while the server is shutting down.
func serve(ctx context.Context, s server) error {
	failed := make(chan error)
	go func() {
		failed <- s.Serve() // want `abandoned send`
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		s.Shutdown(ctx)
		return nil
	}
}

type connection struct{ callbacks map[int]func(string, error) }

func (c *connection) send(id int, done func(string, error)) { c.callbacks[id] = done }

// request is answered by a callback of the connection's goroutine.
func request(c *connection, id int) (string, error) {
	type result struct {
		text string
		err  error
	}
	answer := make(chan result)
	c.send(id, func(text string, err error) {
		answer <- result{text, err} // want `abandoned send`
		close(answer)
	})
	select {
	case r := <-answer:
		return r.text, r.err
	case <-time.After(time.Second):
		return "", errTimeout
	}
}

// chunks asks two stores, and returns at the first error.
func chunks(ctx context.Context, stored, recent func() ([]int, error)) ([]int, []int, error) {
	failed := make(chan error)
	var a, b []int
	go func() {
		var err error
		a, err = stored()
		failed <- err
	}()
	go func() {
		var err error
		b, err = recent()
		failed <- err
	}()
	for i := 0; i < 2; i++ {
		if err := <-failed; err != nil {
			return nil, nil, err // want `abandoned send: chunks stops receiving`
		}
	}
	return a, b, nil
}

type response struct {
	n   int
	err error
}

func forEach(ctx context.Context, n int, f func(context.Context, int) error) error {
	for i := range n {
		if err := f(ctx, i); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// downstream returns at the first error, and a last one comes.
func downstream(ctx context.Context, queries []int, fn func(int) (int, error), add func(int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ch := make(chan response)
	go func() {
		err := forEach(ctx, len(queries), func(ctx context.Context, i int) error {
			n, err := fn(queries[i])
			select {
			case <-ctx.Done():
			case ch <- response{n, err}:
			}
			return err
		})
		if err != nil {
			ch <- response{0, err}
		}
		close(ch)
	}()
	for r := range ch {
		if r.err != nil {
			return r.err // want `abandoned send`
		}
		if err := add(r.n); err != nil {
			return err
		}
	}
	return nil
}

// downstreamCanceled listens to its context, and its sender does not.
func downstreamCanceled(ctx context.Context, queries []int, fn func(int) (int, error)) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ch := make(chan response)
	go func() {
		err := forEach(ctx, len(queries), func(ctx context.Context, i int) error {
			n, err := fn(queries[i])
			select {
			case <-ctx.Done():
			case ch <- response{n, err}:
			}
			return nil
		})
		if err != nil {
			ch <- response{0, err}
		}
		close(ch)
	}()
	sum := 0
	for {
		select {
		case <-ctx.Done():
			return sum, ctx.Err() // want `abandoned send`
		case r, ok := <-ch:
			if !ok {
				return sum, nil
			}
			sum += r.n
		}
	}
}

type socket interface{ ReadMessage() (string, error) }

// tail tells its handler that the client has gone, by a send.
func tail(s socket, lines chan string, write func(string) error) {
	gone := make(chan struct{})
	go func() {
		for {
			if _, err := s.ReadMessage(); err != nil {
				break
			}
		}
		gone <- struct{}{} // want `abandoned send`
	}()
	for {
		select {
		case line := <-lines:
			if err := write(line); err != nil {
				return
			}
		case <-gone:
			return
		}
	}
}

// bridge copies both ways, and waits for one.
func bridge(a, b io.ReadWriter) {
	done := make(chan bool)
	go copyHalf(a, b, done)
	go copyHalf(b, a, done)
	<-done
}

func copyHalf(from io.Reader, to io.Writer, done chan bool) {
	defer func() {
		done <- true // want `abandoned send`
	}()
	io.Copy(to, from)
}

// revoke gives up on a provider that is slow.
func revoke(ctx context.Context, call func() error) error {
	finished := make(chan error)
	go func() { finished <- call() }() // want `abandoned send`
	select {
	case err := <-finished:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

type outcome struct {
	allowed bool
	err     error
}

type checker struct{}

// process starts a goroutine for the outcomes, and hands out the channel.
func (c *checker) process(ctx context.Context, limit int, in chan outcome) chan outcome {
	out := make(chan outcome, limit)
	go func() {
		defer close(out)
		for {
			select {
			case <-ctx.Done():
				return
			case o, ok := <-in:
				if !ok {
					return
				}
				if o.err != nil {
					out <- outcome{err: o.err}
					break
				}
				out <- o
			}
		}
	}()
	return out
}

// consume returns at the first that allows.
func (c *checker) consume(ctx context.Context, limit int, in chan outcome) (bool, error) {
	out := c.process(ctx, limit, in)
	var err error
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err() // found with more
		case o, ok := <-out:
			if !ok {
				return false, err
			}
			if o.allowed {
				return true, nil
			}
			err = o.err
		}
	}
}

// Go runs f and hands out a channel for its result.
func Go(f func() error) chan error {
	ch := make(chan error)
	go func() {
		ch <- f() // want `abandoned send`
	}()
	return ch
}

// WaitFor gives up after a while.
func WaitFor(f func() error, timeout time.Duration) error {
	select {
	case <-time.After(timeout):
		return errTimeout
	case err := <-Go(f):
		return err
	}
}

type decoder struct{ r io.Reader }

func (d *decoder) decode(m *int) error {
	_, err := fmt.Fscan(d.r, m)
	return err
}

// Metrics hands out the values of a peer, until it has no more.
func (d *decoder) Metrics() <-chan int {
	ch := make(chan int)
	go func(ch chan<- int) {
		for {
			var m int
			if err := d.decode(&m); err != nil {
				close(ch)
				return
			}
			ch <- m
		}
	}(ch)
	return ch
}

// Collect stops when its context is done.
func Collect(ctx context.Context, d *decoder) (all []int) {
	values := d.Metrics()
	for {
		select {
		case <-ctx.Done():
			return all // want `abandoned send`
		case m, ok := <-values:
			if !ok {
				return all
			}
			all = append(all, m)
		}
	}
}

// statusOf is asked by a probe every few seconds.
func statusOf(health func() string, timeout time.Duration) string {
	status := make(chan string)
	go func() {
		s := health()
		status <- s // want `abandoned send`
	}()
	select {
	case s := <-status:
		return s
	case <-time.After(timeout):
		return "unknown"
	}
}

// checkAll returns the first error of several checks.
func checkAll(ctx context.Context, checks []check) error {
	failed := make(chan error)
	for _, c := range checks {
		go func() {
			if err := c.run(ctx); err != nil {
				failed <- err
			}
		}()
	}
	select {
	case err := <-failed: // want `abandoned send`
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// watermarks has one channel for each of two writers.
func watermarks(samples, marks func() error) error {
	sampled, marked := make(chan error), make(chan error)
	go func() { sampled <- samples() }()
	go func() { marked <- marks() }() // want `abandoned send`
	if err := <-sampled; err != nil {
		return err
	}
	return <-marked
}
