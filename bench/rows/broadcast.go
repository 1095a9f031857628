package rows

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cskr/pubsub"
	dustin "github.com/dustin/go-broadcast"
	"github.com/teivah/broadcast"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"example.com/chanx"
)

// A publisher sends each value to all subscribers.
type publisher struct {
	send      func(v int)
	subscribe func() (recv func() (v int, ok bool))
	close     func() // each subscriber drains and ends
}

// A publishing way names and opens a publisher with so many slots for each
// subscriber.
type publishing struct {
	name  string
	waits bool // for the slowest subscriber
	open  func(capacity int) publisher
}

func (p publishing) title() string { return p.name }

var publishings = []publishing{
	{"Broadcast", false, func(capacity int) publisher {
		b := chanx.NewBroadcast[int](capacity)
		return publisher{func(v int) { b.Send(v) }, func() func() (int, bool) {
			s := b.Subscribe(0)
			return func() (int, bool) {
				v, _, err := s.Recv(context.Background())
				return v, err == nil
			}
		}, b.Close}
	}},
	{"select with default in a loop", false, func(capacity int) publisher {
		var mu sync.Mutex // against a Subscribe meanwhile, as all have it
		var all []chan int
		return publisher{func(v int) {
			mu.Lock()
			defer mu.Unlock()
			for _, ch := range all {
				select {
				case ch <- v:
				default:
				}
			}
		}, func() func() (int, bool) {
			ch := make(chan int, capacity)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, ch)
			return func() (int, bool) { v, ok := <-ch; return v, ok }
		}, func() {
			for _, ch := range all {
				close(ch)
			}
		}}
	}},
	{"teivah Broadcast", false, func(capacity int) publisher {
		r := broadcast.NewRelay[int]()
		return publisher{r.Broadcast, func() func() (int, bool) {
			ch := r.Listener(capacity).Ch()
			return func() (int, bool) { v, ok := <-ch; return v, ok }
		}, r.Close}
	}},
	{"cskr/pubsub TryPub", false, func(capacity int) publisher {
		p := pubsub.New(capacity)
		return publisher{func(v int) { p.TryPub(v, "all") }, func() func() (int, bool) {
			ch := p.Sub("all")
			return func() (int, bool) { v, ok := (<-ch).(int); return v, ok }
		}, p.Shutdown}
	}},
	{"k8s watch, DropIfChannelFull", false, func(capacity int) publisher {
		return watching(capacity, watch.DropIfChannelFull)
	}},
	{"k8s watch, WaitIfChannelFull", true, func(capacity int) publisher {
		return watching(capacity, watch.WaitIfChannelFull)
	}},
	{"dustin/go-broadcast", true, func(capacity int) publisher {
		b := dustin.NewBroadcaster(capacity)
		var all []chan any
		return publisher{func(v int) { b.Submit(v) }, func() func() (int, bool) {
			ch := make(chan any, capacity)
			all = append(all, ch)
			b.Register(ch)
			return func() (int, bool) { v, ok := (<-ch).(int); return v, ok }
		}, func() {
			for _, ch := range all {
				b.Unregister(ch)
			}
			_ = b.Close()
			for _, ch := range all {
				close(ch)
			}
		}}
	}},
}

// kvalue is what k8s can watch.
type kvalue int

func (kvalue) GetObjectKind() schema.ObjectKind  { return schema.EmptyObjectKind }
func (v kvalue) DeepCopyObject() kruntime.Object { return v }

func watching(capacity int, full watch.FullChannelBehavior) publisher {
	b := watch.NewBroadcaster(capacity, full)
	return publisher{func(v int) { _ = b.Action(watch.Added, kvalue(v)) },
		func() func() (int, bool) {
			w, err := b.Watch()
			if err != nil {
				panic(err)
			}
			ch := w.ResultChan()
			return func() (int, bool) {
				e, ok := <-ch
				v, _ := e.Object.(kvalue)
				return int(v), ok
			}
		}, b.Shutdown}
}

// broadcasts compares the ways by the number of subscribers.
func broadcasts(e Effort) (all []Contest) {
	for _, n := range []int{1, 8, 64, 1024} {
		all = append(all, behind(e, n))
	}
	for _, n := range []int{1, 8, 64, 1024} {
		all = append(all, publish(e, n))
	}
	all = append(all, oneStalled(e), Contest{
		Name: "a subscriber's memory, 1,024 slots of 8 B", Names: namesOf(publishings),
		Rounds: e.rounds(3), Figures: []Figure{{"memory", Bytes}},
		Measure: func(i int) ([]float64, error) {
			p := publishings[i].open(1024)
			defer p.close()
			return []float64{bytesOf(func() any { return p.subscribe() })}, nil
		},
	})
	for i := range all {
		all[i].Group = "broadcast"
	}
	return all
}

// behind is the cost of a send while no subscriber waits: all have more to
// receive than the slots. Publishers that wait cannot take part.
func behind(e Effort, subscribers int) Contest {
	var free []publishing
	for _, p := range publishings {
		if !p.waits {
			free = append(free, p)
		}
	}
	free = append(free, publishing{"Ring.Send, full, to one receiver", false,
		func(capacity int) publisher {
			r := chanx.NewRing[int](capacity)
			return publisher{func(v int) { r.Send(v) },
				func() func() (int, bool) { return nil }, r.Close}
		}})
	return Contest{
		Name:  fmt.Sprintf("a send; subscribers that are behind: %d", subscribers),
		Names: namesOf(free), Rounds: e.rounds(11), Figures: []Figure{{"time", Time}},
		Notes: []string{"The loop holds a mutex, since subscribers come and go."},
		Measure: func(i int) ([]float64, error) {
			p := free[i].open(1024)
			defer p.close()
			for range subscribers {
				p.subscribe()
			}
			for i := range 1024 {
				p.send(i)
			}
			n, d := 0, e.time(15*time.Millisecond)
			start := time.Now()
			took := time.Duration(0)
			for ; took < d; took = time.Since(start) {
				for range 256 {
					p.send(n)
					n++
				}
			}
			return []float64{float64(took) / float64(n)}, nil
		},
	}
}

// publish floods subscribers that receive.
func publish(e Effort, subscribers int) Contest {
	return Contest{
		Name:  fmt.Sprintf("a flood; subscribers that receive: %d", subscribers),
		Names: namesOf(publishings), Rounds: e.rounds(5),
		Figures: []Figure{{"time of a send", Time}, {"delivered", Rate},
			{"CPU a delivered value", Time}, {"missed", Percent}},
		Notes: []string{"The delivered values are those of all subscribers."},
		Measure: func(i int) ([]float64, error) {
			p := publishings[i].open(1024)
			var over atomic.Bool
			r := subscribeAll(p, subscribers, func(count *int) {
				if !over.Load() {
					*count++
				}
			})
			used, start := cpuTime(), time.Now()
			sends, d := 0, e.time(100*time.Millisecond)
			for ; sends == 0 || time.Since(start) < d; sends++ {
				p.send(sends)
			}
			took := time.Since(start)
			over.Store(true)
			used = cpuTime() - used
			p.close()
			during, received := r()
			missed := 100 * (1 - float64(received)/float64(sends)/float64(subscribers))
			return []float64{float64(took) / float64(sends),
				float64(during) / took.Seconds(), float64(used) / float64(during),
				missed}, nil
		},
	}
}

// subscribeAll starts subscribers that call got for each value. The function
// that it returns waits for all, and returns what got has counted and how many
// values there were.
func subscribeAll(p publisher, n int, got func(count *int)) func() (counted, received int) {
	counts := make([]count, n)
	var all sync.WaitGroup
	for i := range counts {
		recv := p.subscribe()
		all.Go(func() {
			sum := 0
			for v, ok := recv(); ok; v, ok = recv() {
				sum += v
				counts[i].calls++
				got(&counts[i].dropped)
			}
			sink.Store(int64(sum))
		})
	}
	return func() (counted, received int) {
		all.Wait()
		for _, c := range counts {
			counted += c.dropped
			received += c.calls
		}
		return counted, received
	}
}

// oneStalled has one of eight subscribers hang while the sender has a schedule:
// ten values each millisecond.
func oneStalled(e Effort) Contest {
	const healthy, burst = 7, 10
	d := e.time(300 * time.Millisecond)
	return Contest{
		Name:  "10 sends each ms, one of 8 subscribers hangs for 200 of 300 ms",
		Names: namesOf(publishings), Rounds: e.rounds(5),
		Figures: tailFigures(Figure{"missed by the seven", Percent},
			Figure{"missed by the one", Percent}),
		Notes: []string{"A latency is from the time when the send was due, and " +
			"includes a timer that is up to a millisecond late."},
		Measure: func(i int) ([]float64, error) {
			p := publishings[i].open(1024)
			well := subscribeAll(p, healthy, func(*int) {})
			hangs := sync.OnceFunc(func() { time.Sleep(d * 2 / 3) })
			one := subscribeAll(p, 1, func(*int) { hangs() })
			var all latencies
			start := time.Now()
			for due := start; due.Sub(start) < d; due = due.Add(time.Millisecond) {
				time.Sleep(time.Until(due))
				for range burst {
					p.send(len(all))
					all = append(all, time.Since(due))
				}
			}
			p.close()
			_, seven := well()
			_, last := one()
			sends := float64(len(all))
			return append(all.at(tail...),
				100*(1-float64(seven)/sends/healthy), 100*(1-float64(last)/sends)), nil
		},
	}
}
