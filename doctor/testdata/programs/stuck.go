package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"time"

	"example.com/chanx/doctor/testdata/programs/hub"
	"example.com/chanx/doctor/testdata/programs/log4go"
)

func init() {
	for name, f := range map[string]func(){
		"incident":           incident,
		"incident-stuckdisk": stuckDisk,
		"nil-send":           nilSend,
		"nil-receive":        nilReceive,
		"timeout-leak":       timeoutLeak,
		"unlock-forgotten":   unlockForgotten,
		"lock-over-io":       lockOverIO,
		"lock-order":         lockOrder,
		"lock-twice":         lockTwice,
		"rlock-twice":        rlockTwice,
		"results-unread":     resultsUnread,
		"all-asleep":         allAsleep,
		"workers-died":       workersDied,
		"cond-missed":        condMissed,
		"receive-leak":       receiveLeak,
		"select-leak":        selectLeak,
		"pipeline-cut":       pipelineCut,
		"tokens-lost":        tokensLost,
		"readers-hold":       readersHold,
		"once-stuck":         onceStuck,
		"finalizer-stuck":    finalizerStuck,
		"hub-stuck":          hubStuck,
		"generic-queue":      genericQueue,
		"pipe-unread":        pipeUnread,
		"stages-chained":     stagesChained,
		"panic-recovered":    panicRecovered,
		"closure-siblings":   closureSiblings,
		"conn-gone":          connGone,
	} {
		cases[name] = f
	}
}

// incident: the consumer has returned, the second goroutine lives on, every
// request waits in the logging middleware.
func incident() {
	w := log4go.NewFileLogTraceWriter(func([]string) error { return nil })
	w.Fail <- log4go.ErrDisk
	serve(func(rw http.ResponseWriter, r *http.Request) { logged(w) }, n+4)
}

func logged(w *log4go.FileLogTraceWriter) { w.LogWrite("a request") }

// stuckDisk: the consumer chain lives, and its last link waits for a disk.
func stuckDisk() {
	_, disk, _ := os.Pipe()
	block := make([]byte, 1<<20)
	w := log4go.NewFileLogTraceWriter(func([]string) error {
		_, err := disk.Write(block)
		return err
	})
	serve(func(rw http.ResponseWriter, r *http.Request) { logged(w) }, n+10)
}

func nilSend() {
	var c chan int
	go func() { c <- 1 }()
}

func nilReceive() {
	serve(func(rw http.ResponseWriter, r *http.Request) {
		var done chan struct{}
		<-done
	}, n)
}

// timeoutLeak: the handler gives up, its helper cannot.
func timeoutLeak() {
	serve(func(rw http.ResponseWriter, r *http.Request) {
		result := make(chan int)
		go func() {
			time.Sleep(50 * time.Millisecond)
			result <- 1
		}()
		select {
		case <-result:
		case <-time.After(time.Millisecond):
		}
	}, n)
}

func unlockForgotten() {
	var c hub.Cache
	c.Leak(true)
	serve(func(rw http.ResponseWriter, r *http.Request) { c.Get("k") }, n)
}

// lockOverIO: one request holds the lock while it waits for a backend that
// does not answer.
func lockOverIO() {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	b := &backend{addr: l.Addr().String()}
	serve(func(rw http.ResponseWriter, r *http.Request) { b.ask() }, n+1)
}

type backend struct {
	mu   sync.Mutex
	addr string
}

func (b *backend) ask() {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, err := net.Dial("tcp", b.addr)
	if err == nil {
		c.Read(make([]byte, 1))
	}
}

type account struct{ mu sync.Mutex }

func transfer(a, b *account) {
	a.mu.Lock()
	time.Sleep(100 * time.Millisecond)
	b.mu.Lock()
	b.mu.Unlock()
	a.mu.Unlock()
}

func lockOrder() {
	var a, b account
	go transfer(&a, &b)
	go transfer(&b, &a)
}

func lockTwice() {
	var c hub.Cache
	go c.Double("k")
}

type table struct{ mu sync.RWMutex }

func (t *table) size() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return 1
}

func (t *table) report() {
	t.mu.RLock()
	defer t.mu.RUnlock()
	time.Sleep(200 * time.Millisecond)
	t.size()
}

func (t *table) set() {
	t.mu.Lock()
	defer t.mu.Unlock()
}

// rlockTwice: a writer in between two read locks of one goroutine.
func rlockTwice() {
	var t table
	go t.report()
	time.Sleep(50 * time.Millisecond)
	go t.set()
}

// resultsUnread: the collector waits for the workers before it reads.
func resultsUnread() {
	go collect()
}

func collect() {
	results := make(chan int)
	var wg sync.WaitGroup
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			results <- i
		}()
	}
	wg.Wait()
	for range results {
	}
}

// allAsleep ends with the runtime's own verdict, if there is no dumper.
func allAsleep() {
	c := make(chan int)
	go func() { c <- 1 }()
	var wg sync.WaitGroup
	wg.Add(1)
	wg.Wait()
}

type dispatcher struct{ jobs chan func() error }

func newDispatcher(workers int) *dispatcher {
	d := &dispatcher{jobs: make(chan func() error)}
	for range workers {
		go d.work()
	}
	return d
}

func (d *dispatcher) work() {
	for job := range d.jobs {
		if job() != nil {
			return
		}
	}
}

func (d *dispatcher) submit(job func() error) { d.jobs <- job }

// workersDied: each failing job takes a worker with it.
func workersDied() {
	d := newDispatcher(4)
	serve(func(rw http.ResponseWriter, r *http.Request) {
		d.submit(func() error { return errors.New("bad job") })
	}, n+4)
}

// panicRecovered: the same by a panic that is recovered above the loop.
func panicRecovered() {
	events := make(chan int)
	go func() {
		defer func() { recover() }()
		for range events {
			panic("nil map")
		}
	}()
	for i := range n {
		go func() { events <- i }()
	}
}

func condMissed() {
	var mu sync.Mutex
	ready := sync.NewCond(&mu)
	serve(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		ready.Wait()
		mu.Unlock()
	}, n)
}

func receiveLeak() {
	serve(func(rw http.ResponseWriter, r *http.Request) {
		answer := make(chan int)
		go func() { <-answer }()
	}, n)
}

func selectLeak() {
	serve(func(rw http.ResponseWriter, r *http.Request) {
		a, b := make(chan int), make(chan int)
		go func() {
			select {
			case <-a:
			case <-b:
			}
		}()
	}, n)
}

// pipelineCut: the last stage returns early, the first ones cannot.
func pipelineCut() {
	for range n {
		first := stage(source())
		<-first
	}
}

func source() <-chan int {
	out := make(chan int)
	go func() {
		for i := 0; ; i++ {
			out <- i
		}
	}()
	return out
}

func stage(in <-chan int) <-chan int {
	out := make(chan int)
	go func() {
		for v := range in {
			out <- 2 * v
		}
	}()
	return out
}

// tokensLost: the error path does not give its token back.
func tokensLost() {
	tokens := make(chan struct{}, 3)
	serve(func(rw http.ResponseWriter, r *http.Request) {
		tokens <- struct{}{}
		if r.Method == "GET" {
			return
		}
		<-tokens
	}, n+3)
}

// readersHold: a reader holds on, a writer waits, and all later readers
// behind it.
func readersHold() {
	var t table
	never := make(chan int)
	go func() {
		t.mu.RLock()
		<-never
		t.mu.RUnlock()
	}()
	time.Sleep(50 * time.Millisecond)
	go t.set()
	time.Sleep(50 * time.Millisecond)
	serve(func(rw http.ResponseWriter, r *http.Request) { t.size() }, n)
}

// onceStuck: the first caller waits for ever, the others for it.
func onceStuck() {
	var once sync.Once
	never := make(chan int)
	serve(func(rw http.ResponseWriter, r *http.Request) {
		once.Do(func() { <-never })
	}, n+1)
}

func finalizerStuck() {
	never := make(chan int)
	type thing struct{ b [64]byte }
	for range 100 {
		x := &thing{}
		runtime.SetFinalizer(x, func(*thing) { never <- 1 })
	}
	runtime.GC()
	runtime.GC()
}

// hubStuck: a subscriber has gone, the publisher waits for it with the lock.
func hubStuck() {
	var h hub.Hub
	h.Subscribe()
	go h.Publish(1)
	time.Sleep(50 * time.Millisecond)
	serve(func(rw http.ResponseWriter, r *http.Request) { h.Len() }, n)
}

func genericQueue() {
	q := hub.NewQueue(func(int) {})
	for i := range n {
		go q.Push(i)
	}
}

func pipeUnread() {
	serve(func(rw http.ResponseWriter, r *http.Request) {
		_, w := io.Pipe()
		w.Write([]byte("x"))
	}, n)
}

// stagesChained: senders wait for a worker that waits to send to one that
// has returned.
func stagesChained() {
	s := newStages()
	for i := range n {
		go s.put(i)
	}
}

type stages struct{ in, out chan int }

func newStages() *stages {
	s := &stages{make(chan int), make(chan int)}
	go s.move()
	go s.sink()
	return s
}

func (s *stages) move() {
	for v := range s.in {
		s.out <- v
	}
}

func (s *stages) sink() { <-s.out }

func (s *stages) put(v int) { s.in <- v }

// closureSiblings is the incident without types: the constructor's first
// goroutine has ended, the second one has not.
func closureSiblings() {
	put := newSink()
	for i := range n {
		go put(i)
	}
}

func newSink() func(int) {
	in, tick := make(chan int), make(chan int)
	go func() { <-in }()
	go func() {
		for range tick {
		}
	}()
	return func(v int) { in <- v }
}

// connGone: one writer per connection, each of which has lost the goroutine
// that drained its queue.
func connGone() {
	for range n {
		c := newClient()
		go c.send()
	}
}

type client struct{ out chan int }

func newClient() *client {
	c := &client{out: make(chan int)}
	go c.drain()
	return c
}

func (c *client) drain() { <-c.out }

func (c *client) send() {
	c.out <- 1
	c.out <- 2
}
