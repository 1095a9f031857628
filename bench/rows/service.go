package rows

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/chanx"
	"example.com/chanx/asynclog"
)

// An event is what a request sends to the consumer: 32 bytes.
type event [4]uint64

const (
	serviceWorkers = 8
	serviceSends   = 3
	serviceWork    = 20 * time.Microsecond // of a request
	consumerWork   = time.Microsecond      // of an event
	hang           = 200 * time.Millisecond
)

// A feed takes events to the consumer. Close ends it when all is consumed.
type feed struct {
	send  func(event)
	close func()
}

// A service sends events in one way.
type service struct {
	name string
	open func(consume func()) feed
}

func (s service) title() string { return s.name }

func channelService(name string, send func(ch chan event, v event)) service {
	return service{name, func(consume func()) feed {
		ch, done := make(chan event, 1024), make(chan struct{})
		go func() {
			defer close(done)
			for range ch {
				consume()
			}
		}()
		return feed{func(v event) { send(ch, v) }, func() { close(ch); <-done }}
	}}
}

var serviceKinds = []service{
	{"no send", func(func()) feed { return feed{func(event) {}, func() {}} }},
	channelService("channel", func(ch chan event, v event) { ch <- v }),
	channelService("select with default", func(ch chan event, v event) {
		select {
		case ch <- v:
		default:
		}
	}),
	channelService("TrySend", func(ch chan event, v event) { chanx.TrySend(ch, v) }),
	channelService("SendTimeout, 10 ms", func(ch chan event, v event) {
		_ = chanx.SendTimeout(ch, v, 10*time.Millisecond)
	}),
	{"Ring", ringService},
	{"asynclog, 64 kB", logService},
}

func ringService(consume func()) feed {
	r, done := chanx.NewRing[event](1024), make(chan struct{})
	go func() {
		defer close(done)
		for range r.All(context.Background()) {
			consume()
		}
	}()
	return feed{func(v event) { r.Send(v) }, func() { r.Close(); <-done }}
}

// lineSink consumes lines.
type lineSink func()

func (s lineSink) Write(p []byte) (int, error) {
	for range bytes.Count(p, []byte("\n")) {
		s()
	}
	return len(p), nil
}

// logService writes a line of 32 bytes for each event. The budget holds 1,024 of
// them, with what belongs to each, in addition to the batch in the sink.
func logService(consume func()) feed {
	text := append(bytes.Repeat([]byte("x"), 31), '\n')
	w := asynclog.New(lineSink(consume), asynclog.Options{Budget: 64 << 10,
		Reserve: -1, Report: func(asynclog.Loss) []byte { return nil }})
	return feed{func(event) { _, _ = w.Write(text) }, func() { _ = w.Close() }}
}

// A served is one run of a service under an open load: requests are due at
// random instants, whether earlier ones are done or not, and a latency is that
// from the due time. A child process gets it as JSON.
type served struct {
	Service string
	Rate    float64 // requests a second
	For     time.Duration
	Hangs   bool // the consumer, for 200 ms after a third
	Sleeps  bool // the generator, instead of spinning: to a millisecond
}

// A serving is what a run shows.
type serving struct {
	Tail      []float64 // as in tail
	CPU, Lost float64   // of a request; percent of the events
}

func services(e Effort) (all []Contest) {
	for _, s := range []struct {
		name string
		load served
	}{
		{"the consumer keeps up", served{}},
		{"the consumer hangs for 200 ms", served{Hangs: true}},
	} {
		c := Contest{Group: "service", Name: s.name, Names: namesOf(serviceKinds),
			Rounds: e.rounds(5),
			Figures: tailFigures(Figure{"CPU a request", Time},
				Figure{"lost", Percent}),
			Notes: []string{"15,000 requests a second, Poisson, to 8 workers: 20 µs " +
				"of work and three sends of 32 bytes each. The consumer takes 1 µs " +
				"a value. A latency is from the due time. The generator spins on one " +
				"processor, whose time is not counted."}}
		c.Measure = func(i int) ([]float64, error) {
			l := s.load
			l.Service, l.Rate, l.For = serviceKinds[i].name, 15_000, e.time(700*time.Millisecond)
			r, err := l.run()
			return append(r.Tail, r.CPU, l.lost(r)), err
		}
		all = append(all, c)
	}
	return all
}

// lost is not a number where nothing is sent.
func (l served) lost(r serving) float64 {
	if l.Service == serviceKinds[0].name {
		return math.NaN()
	}
	return r.Lost
}

func (l served) run() (r serving, err error) {
	var consumed atomic.Int64
	var hangs atomic.Bool
	hangs.Store(l.Hangs)
	hangAt := time.Now().Add(l.For / 3)
	consume := func() {
		consumed.Add(1)
		if hangs.Load() && time.Now().After(hangAt) {
			hangs.Store(false)
			time.Sleep(hang)
		}
		spin(consumerWork)
	}
	for _, s := range serviceKinds {
		if s.name == l.Service {
			f := s.open(consume)
			requests := l.load(f, &r)
			f.close()
			sent := float64(requests * serviceSends)
			r.Lost = 100 * (sent - float64(consumed.Load())) / sent
			return r, nil
		}
	}
	return r, fmt.Errorf("no service %q", l.Service)
}

// load offers requests to the workers and returns how many.
func (l served) load(f feed, r *serving) (requests int) {
	due := make(chan time.Time, 1<<16)
	var all latencies
	var mu sync.Mutex
	var workers sync.WaitGroup
	for range serviceWorkers {
		workers.Go(func() {
			mine := serveDue(due, f)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
		})
	}
	runtime.GC()
	runtime.LockOSThread() // so that the thread's time is the generator's
	defer runtime.UnlockOSThread()
	used := cpuTime() - threadTime()
	requests = l.generate(time.Now(), due)
	workers.Wait()
	cpu := cpuTime() - threadTime() - used
	r.Tail = all.at(tail...)
	r.CPU = float64(cpu) / float64(requests)
	return requests
}

func (l served) generate(start time.Time, due chan<- time.Time) (requests int) {
	defer close(due)
	random := rand.New(rand.NewPCG(1, 2))
	for next := start; next.Sub(start) < l.For; requests++ {
		for wait := time.Until(next); wait > 0; wait = time.Until(next) {
			if l.Sleeps {
				time.Sleep(wait)
			}
		}
		due <- next
		gap := -math.Log(1-random.Float64()) / l.Rate
		next = next.Add(time.Duration(gap * 1e9))
	}
	return requests
}

// serveDue serves requests: 20 µs of work and three sends.
func serveDue(due <-chan time.Time, f feed) (mine latencies) {
	for t := range due {
		for i := range serviceSends {
			spin(serviceWork / serviceSends)
			f.send(event{uint64(i)})
		}
		mine = append(mine, time.Since(t))
	}
	return mine
}
