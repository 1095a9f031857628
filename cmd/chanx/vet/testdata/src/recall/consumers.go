package recall

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// lineWriter is a log writer: its consumer returns when the disk is full.
type lineWriter struct {
	lines chan string
	file  *os.File
}

func newLineWriter(f *os.File) *lineWriter {
	w := &lineWriter{lines: make(chan string, 32), file: f}
	go func() {
		for line := range w.lines {
			if _, err := io.WriteString(w.file, line); err != nil {
				return // want `lost consumer`
			}
		}
	}()
	return w
}

// Write is called by each request.
func (w *lineWriter) Write(line string) { w.lines <- line }

// monitor resets a timer; its goroutine asks whether it is stopped.
type monitor struct {
	mu      sync.Mutex
	stopped bool
	resets  chan time.Duration
	fail    func()
}

func (m *monitor) start() {
	m.resets = make(chan time.Duration)
	go func() {
		timer := time.NewTimer(time.Second)
		for {
			select {
			case d := <-m.resets:
				timer.Reset(d)
			case <-timer.C:
				m.fail()
			}
			if m.isStopped() {
				return
			}
		}
	}()
}

func (m *monitor) isStopped() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stopped
}

func (m *monitor) reset(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.resets <- d // want `deadlock: .* holds a mutex`
}

// scan receives the errors after the shards, whose end waits for the errors.
func scan(ctx context.Context, discover func(chan string) error, read func(string) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 1)
	shards := make(chan string, 1)
	go func() {
		if err := discover(shards); err != nil {
			failed <- fmt.Errorf("discover: %w", err) // want `deadlock: .* received only after the loop`
			cancel()
		}
		<-ctx.Done()
		close(shards)
	}()
	for s := range shards {
		go func() {
			if err := read(s); err != nil {
				select {
				case failed <- err:
					cancel()
				default:
				}
			}
		}()
	}
	close(failed)
	return <-failed
}

// listenerSet holds a lock while it delivers, and its receivers are elsewhere:
// not found.
type listenerSet struct {
	mu   sync.RWMutex
	sets map[string]*packets
}

type packets struct{ received chan []byte }

func (s *listenerSet) deliver(name string, p []byte) error {
	s.mu.RLock()
	l := s.sets[name]
	if l == nil {
		s.mu.RUnlock()
		return errors.New("unknown")
	}
	l.received <- p
	s.mu.RUnlock()
	return nil
}

func (s *listenerSet) listen(name string) *packets {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &packets{received: make(chan []byte)}
	s.sets[name] = l
	return l
}

// ReadFrom is called by other packages.
func (l *packets) ReadFrom() []byte { return <-l.received }

// poller offers its errors to users that may not listen: not found.
type poller struct{ errors chan error }

func newPoller() *poller { return &poller{errors: make(chan error, 1)} }

// Errors returns the channel.
func (p *poller) Errors() <-chan error { return p.errors }

func (p *poller) poll(get func() error) {
	for {
		if err := get(); err != nil {
			p.errors <- err
		}
	}
}

// Report sends to a channel that only its callers know: not found.
func Report(scrape func() error, failed chan<- error) {
	if err := scrape(); err != nil && failed != nil {
		failed <- err
	}
}

type size struct{ w, h int }

// Resizer is implemented elsewhere.
type Resizer interface{ Exec(sizes <-chan size) error }

// attach sends sizes to what may not have started: not found.
func attach(r Resizer, next func() (size, error)) error {
	sizes := make(chan size)
	go func() {
		defer close(sizes)
		for {
			s, err := next()
			if err != nil {
				return
			}
			sizes <- s
		}
	}()
	return r.Exec(sizes)
}

// Watch hands out two channels, of which users drain one: not found.
func Watch(stop <-chan struct{}, fetch func() (int, error)) (<-chan int, <-chan error) {
	entries, failed := make(chan int), make(chan error)
	go func() {
		defer close(entries)
		defer close(failed)
		for {
			n, err := fetch()
			if err != nil {
				failed <- err
			} else {
				entries <- n
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	return entries, failed
}

// aggregate sends to the channel that it receives from: not found.
type aggregate struct{ metrics chan int }

func (a *aggregate) run(push func(int) []int) {
	for m := range a.metrics {
		for _, n := range push(m) {
			a.metrics <- n
		}
	}
}

func newAggregate(push func(int) []int) *aggregate {
	a := &aggregate{metrics: make(chan int, 100)}
	go a.run(push)
	return a
}

// Server tells the test how its proof ended, if that is asked: not found.
type Server struct{ failed chan error }

func NewServer() *Server { return &Server{failed: make(chan error)} }

// Failed returns the channel.
func (s *Server) Failed() <-chan error { return s.failed }

func (s *Server) prove(run func() error) {
	if err := run(); err != nil {
		s.failed <- err
	}
}
