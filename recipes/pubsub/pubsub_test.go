package pubsub

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"example.com/chanx"
	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	bus := New[string](2)
	orders := bus.Subscribe("orders")
	defer orders.Close()
	for _, event := range []string{"created", "paid", "packed", "sent"} {
		bus.Publish("orders", event)
	}
	bus.Close()
	for event, missed := range orders.All(context.Background()) {
		fmt.Println(event, missed)
	}
	// Output:
	// packed 2
	// sent 0
}

func receive(t *testing.T, s Subscription[int], want int, wantMissed uint64) {
	t.Helper()
	v, missed, err := s.TryRecv()
	if v != want || missed != wantMissed || err != nil {
		t.Errorf("%d, %d missed, %v, want %d, %d missed",
			v, missed, err, want, wantMissed)
	}
}

func receiveErr(t *testing.T, s Subscription[int], want error) {
	t.Helper()
	if v, missed, err := s.TryRecv(); err != want {
		t.Error(v, missed, err, "want", want)
	}
}

func TestSlowSubscriber(t *testing.T) {
	bus := New[int](3)
	slow, fast, other := bus.Subscribe("a"), bus.Subscribe("a"), bus.Subscribe("b")
	bus.Publish("b", -1)
	for v := range 10 {
		bus.Publish("a", v) // returns, though slow does not receive
		receive(t, fast, v, 0)
	}
	receive(t, slow, 7, 7)
	receive(t, slow, 8, 0)
	receive(t, other, -1, 0)
}

// A thousand subscribers, each of which sees its topic in order and accounts
// for every event.
func TestOrder(t *testing.T) {
	const topics, events = 10, 2000
	bus := New[int](64)
	var all sync.WaitGroup
	for i := range 1000 {
		s := bus.Subscribe(fmt.Sprint(i % topics))
		all.Go(func() {
			defer s.Close()
			next := 0
			for v, missed := range s.All(context.Background()) {
				if v != next+int(missed) {
					t.Errorf("%d after %d with %d missed", v, next-1, missed)
				}
				next = v + 1
			}
			if next != events {
				t.Error("ended at", next)
			}
		})
	}
	var publishers sync.WaitGroup
	for topic := range topics {
		publishers.Go(func() {
			for v := range events {
				bus.Publish(fmt.Sprint(topic), v)
			}
		})
	}
	publishers.Wait()
	bus.Close()
	all.Wait()
}

func TestTopicWithoutSubscribers(t *testing.T) {
	bus := New[int](3)
	for i := range 1000 {
		if !bus.Publish(fmt.Sprint(i), i) {
			t.Error("closed")
		}
	}
	a, b := bus.Subscribe("x"), bus.Subscribe("x")
	a.Close()
	a.Close()
	bus.Publish("x", 1)
	receive(t, b, 1, 0)
	b.Close()
	if len(bus.topics) != 0 {
		t.Error(len(bus.topics), "topics")
	}
}

func TestUnsubscribe(t *testing.T) {
	bus := New[int](1000)
	for range 1000 {
		s := bus.Subscribe("x")
		bus.Publish("x", 1)
		s.Close()
		receiveErr(t, s, chanx.ErrClosed)
	}
	var publishing, all sync.WaitGroup
	var end atomic.Bool
	publishing.Go(func() {
		for !end.Load() {
			bus.Publish("x", 1)
		}
	})
	for range 1000 {
		all.Go(func() {
			s := bus.Subscribe("x")
			s.Recv(t.Context())
			s.Close()
			s.Close()
			received := s.Stats().Received
			receiveErr(t, s, chanx.ErrClosed)
			if n := s.Stats().Received; n != received {
				t.Error("received", n-received, "after Close")
			}
		})
	}
	all.Wait()
	end.Store(true)
	publishing.Wait()
	if len(bus.topics) != 0 {
		t.Error(len(bus.topics), "topics")
	}
}

func TestPublishFromASubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := New[int](1)
		var all sync.WaitGroup
		for range 10 {
			s := bus.Subscribe("x")
			all.Go(func() {
				for v := range s.All(t.Context()) {
					for range 20 { // more than there is room for
						bus.Publish("x", v+1)
					}
					if v > 100 {
						s.Close()
					}
				}
			})
		}
		bus.Publish("x", 1)
		all.Wait()
	})
}

func TestLateSubscriber(t *testing.T) {
	bus := New[int](10)
	early := bus.Subscribe("x")
	bus.Publish("x", 1)
	late := bus.Subscribe("x")
	bus.Publish("x", 2)
	receive(t, early, 1, 0)
	receive(t, late, 2, 0)
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := New[int](10)
		s := bus.Subscribe("x")
		waiting := bus.Subscribe("y")
		go func() {
			if _, _, err := waiting.Recv(t.Context()); err != chanx.ErrClosed {
				t.Error(err)
			}
		}()
		synctest.Wait()
		bus.Publish("x", 1)
		bus.Close()
		bus.Close()
		if bus.Publish("x", 2) || bus.Publish("z", 2) {
			t.Error("published after Close")
		}
		receive(t, s, 1, 0)
		receiveErr(t, s, chanx.ErrClosed)
		s.Close()
		waiting.Close()
	})
}

func TestSubscribeAfterClose(t *testing.T) {
	bus := New[int](10)
	bus.Close()
	s := bus.Subscribe("x")
	receiveErr(t, s, chanx.ErrClosed)
	s.Close()
	if len(bus.topics) != 0 {
		t.Error(len(bus.topics), "topics")
	}
}

func TestBadArguments(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	New[int](0)
}
