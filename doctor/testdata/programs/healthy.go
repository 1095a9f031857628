package main

import (
	"bufio"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"iter"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"time"

	"example.com/chanx/doctor/testdata/programs/log4go"
)

func init() {
	for name, f := range map[string]func(){
		"idle-pool":          idlePool,
		"idle-pool-select":   idlePoolSelect,
		"http-keepalive":     httpKeepalive,
		"http-slow-handlers": httpSlow,
		"signal-loop":        signalLoop,
		"tickers":            tickers,
		"select-for-ever":    selectForEver,
		"connections":        connections,
		"backpressure":       backpressure,
		"semaphore-full":     semaphoreFull,
		"generator":          generator,
		"cond-queue":         condQueue,
		"batch-job":          batchJob,
		"iterators":          iterators,
		"child-process":      childProcess,
		"sql-pool":           sqlPool,
		"udp-reader":         udpReader,
		"echo-server":        echoServer,
		"timers":             timers,
		"locked-threads":     lockedThreads,
		"contexts":           contexts,
		"http-client":        httpClient,
		"async-log":          asyncLog,
		"single-flight":      singleFlight,
		"event-streams":      eventStreams,
		"hot-mutex":          hotMutex,
		"reads-stdin":        readsStdin,
		"garbage":            garbage,
		"rw-readers":         rwReaders,
		"worker-of-each":     workerOfEach,
	} {
		cases[name] = f
	}
}

func idlePool() {
	jobs := make(chan int)
	for range 40 {
		go func() {
			for range jobs {
			}
		}()
	}
}

func idlePoolSelect() {
	jobs := make(chan int)
	ctx := context.Background()
	for range 40 {
		go poolWorker(ctx, jobs)
	}
}

func poolWorker(ctx context.Context, jobs chan int) {
	for {
		select {
		case <-jobs:
		case <-ctx.Done():
			return
		}
	}
}

func httpKeepalive() {
	serve(func(rw http.ResponseWriter, r *http.Request) {}, 25)
}

func httpSlow() {
	serve(func(rw http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Minute)
	}, 4)
}

func signalLoop() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	<-c
}

func tickers() {
	for range 15 {
		go func() {
			t := time.NewTicker(time.Minute)
			for {
				select {
				case <-t.C:
				}
			}
		}()
	}
}

func selectForEver() {
	go func() { select {} }()
	select {}
}

// connections: a reader in IO and a writer in a select for each.
func connections() {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go attend(c)
		}
	}()
	for range 25 {
		c, _ := net.Dial("tcp", l.Addr().String())
		clients = append(clients, c)
	}
}

func attend(c net.Conn) {
	out, done := make(chan []byte), make(chan struct{})
	go func() {
		for {
			select {
			case b := <-out:
				c.Write(b)
			case <-done:
				return
			}
		}
	}()
	bufio.NewReader(c).ReadString('\n')
	close(done)
}

// backpressure: the consumer is at work, the producers wait their turn.
func backpressure() {
	p := newPress()
	for range 4 {
		go p.produce()
	}
}

type press struct{ in chan int }

func newPress() *press {
	p := &press{make(chan int)}
	go p.consume()
	return p
}

func (p *press) consume() {
	for range p.in {
		for end := time.Now().Add(100 * time.Millisecond); time.Now().Before(end); {
		}
	}
}

func (p *press) produce() {
	for {
		p.in <- 1
	}
}

// semaphoreFull: three at work, five waiting.
func semaphoreFull() {
	sem := make(chan struct{}, 3)
	serve(func(rw http.ResponseWriter, r *http.Request) {
		sem <- struct{}{}
		defer func() { <-sem }()
		time.Sleep(time.Minute)
	}, 8)
}

func generator() {
	ids := make(chan int)
	go func() {
		for i := 0; ; i++ {
			ids <- i
		}
	}()
	<-ids
}

func condQueue() {
	var mu sync.Mutex
	more := sync.NewCond(&mu)
	for range 20 {
		go func() {
			mu.Lock()
			defer mu.Unlock()
			for {
				more.Wait()
			}
		}()
	}
}

func batchJob() {
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for end := time.Now().Add(time.Minute); time.Now().Before(end); {
			}
		})
	}
	wg.Wait()
}

var pulled []func() (int, bool)

func iterators() {
	for range 15 {
		next, _ := iter.Pull(func(yield func(int) bool) {
			for i := 0; yield(i); i++ {
			}
		})
		next()
		pulled = append(pulled, next)
	}
}

func childProcess() {
	for range 3 {
		go exec.Command("sleep", "2").Run()
	}
}

type fakeDriver struct{}

func (fakeDriver) Open(string) (driver.Conn, error) { return fakeConn{}, nil }

type fakeConn struct{}

func (fakeConn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("no") }
func (fakeConn) Close() error                        { return nil }
func (fakeConn) Begin() (driver.Tx, error)           { return nil, errors.New("no") }

func sqlPool() {
	sql.Register("fake", fakeDriver{})
	db, _ := sql.Open("fake", "")
	db.SetConnMaxLifetime(time.Hour)
	db.Ping()
	db.SetMaxOpenConns(5)
}

func udpReader() {
	c, _ := net.ListenPacket("udp", "127.0.0.1:0")
	for range 12 {
		go func() { c.ReadFrom(make([]byte, 1500)) }()
	}
}

func echoServer() {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c) }()
		}
	}()
	for range 20 {
		c, _ := net.Dial("tcp", l.Addr().String())
		clients = append(clients, c)
	}
}

func timers() {
	for i := range 20 {
		time.AfterFunc(time.Duration(i)*10*time.Millisecond, func() {
			time.Sleep(time.Minute)
		})
	}
}

func lockedThreads() {
	work := make(chan int)
	for range 4 {
		go func() {
			runtime.LockOSThread()
			<-work
		}()
	}
}

type ownContext struct{ context.Context }

func (ownContext) Done() <-chan struct{} { return make(chan struct{}) }

var cancels []context.CancelFunc

func contexts() {
	for range 15 {
		_, cancel := context.WithCancel(ownContext{context.Background()})
		cancels = append(cancels, cancel)
	}
}

func httpClient() {
	addr := serve(func(rw http.ResponseWriter, r *http.Request) {
		io.WriteString(rw, "ok")
	}, 0)
	transport := &http.Transport{MaxIdleConnsPerHost: 20}
	client := &http.Client{Transport: transport}
	var wg sync.WaitGroup
	for range 15 {
		wg.Go(func() {
			if r, err := client.Get("http://" + addr); err == nil {
				io.Copy(io.Discard, r.Body)
				r.Body.Close()
			}
		})
	}
	wg.Wait()
}

func asyncLog() {
	w := log4go.NewFileLogTraceWriter(func([]string) error { return nil })
	serve(func(rw http.ResponseWriter, r *http.Request) { logged(w) }, n)
}

// singleFlight: six requests wait for the one that computes.
func singleFlight() {
	var mu sync.Mutex
	var flight *sync.WaitGroup
	serve(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if f := flight; f != nil {
			mu.Unlock()
			f.Wait()
			return
		}
		flight = new(sync.WaitGroup)
		flight.Add(1)
		mu.Unlock()
		time.Sleep(time.Minute)
		flight.Done()
	}, 7)
}

// eventStreams: server-sent events, one select per client.
func eventStreams() {
	events := make(chan string)
	serve(func(rw http.ResponseWriter, r *http.Request) {
		for {
			select {
			case e := <-events:
				io.WriteString(rw, e)
			case <-r.Context().Done():
				return
			}
		}
	}, 20)
}

type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range 20_000_000 {
		c.n += i
	}
}

func hotMutex() {
	var c counter
	for range 8 {
		go func() {
			for {
				c.add()
			}
		}()
	}
}

func readsStdin() {
	r, _, _ := os.Pipe()
	go bufio.NewReader(r).ReadString('\n')
	bufio.NewReader(r).ReadString('\n')
}

var kept [][]byte

func garbage() {
	for range 4 {
		go func() {
			for {
				kept = [][]byte{make([]byte, 1<<16)}
				runtime.Gosched()
			}
		}()
	}
}

// rwReaders: many readers at work, none waiting.
func rwReaders() {
	var mu sync.RWMutex
	for range 12 {
		go func() {
			mu.RLock()
			defer mu.RUnlock()
			time.Sleep(time.Minute)
		}()
	}
}

// workerOfEach: what a service has at four in the morning.
func workerOfEach() {
	idlePool()
	tickers()
	condQueue()
	httpKeepalive()
	asyncLog()
	go signalLoop()
}
