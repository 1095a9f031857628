package soak

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// broadcastScene is one case: a subscription for each way to receive, and one
// that is closed and made again all the time.
type broadcastScene struct {
	capacity, procs int
	senders, each   int
}

func (c broadcastScene) String() string {
	return fmt.Sprintf("capacity %d, GOMAXPROCS %d, %d senders",
		c.capacity, c.procs, c.senders)
}

var broadcastWays = []string{"Recv", "RecvBatch", "RecvTimeout", "Ready", "All"}

// heard is what one subscription was told.
type heard struct {
	received, missed uint64
	stats            chanx.SubscriptionStats
	err              error // the first fault
}

// play runs the case to its end: all senders done, closed and drained.
func (c broadcastScene) play() (all []heard, err error) {
	b := chanx.NewBroadcast[int](c.capacity)
	all = make([]heard, len(broadcastWays))
	var receivers, senders, others sync.WaitGroup
	for i, way := range broadcastWays {
		s := b.Subscribe(0)
		l := listener{heard: &all[i], each: c.each, last: make([]int, c.senders)}
		receivers.Go(func() {
			l.listen(s, way)
			l.stats = s.Stats()
		})
	}
	over := make(chan struct{})
	others.Go(func() { err = comeAndGo(b, over) })
	var refused atomic.Int64
	for n := range c.senders {
		senders.Go(func() {
			for i := range c.each {
				if !b.Send(n*c.each + i) {
					refused.Add(1)
				}
				if i%(1+c.capacity) == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	senders.Wait()
	close(over)
	others.Wait()
	b.Close()
	receivers.Wait()
	if n := refused.Load(); n > 0 {
		err = errors.Join(err, fmt.Errorf("%d sends refused", n))
	}
	if sent := b.Stats().Sent; sent != uint64(c.senders*c.each) {
		err = errors.Join(err, fmt.Errorf("%d counted as sent", sent))
	}
	return all, err
}

// comeAndGo subscribes and leaves, with values received or not, until over.
func comeAndGo(b *chanx.Broadcast[int], over <-chan struct{}) error {
	for i := 0; ; i++ {
		select {
		case <-over:
			return nil
		default:
		}
		s := b.Subscribe(i % 3)
		if i%2 == 0 {
			_, _, _ = s.RecvTimeout(patience)
		}
		if st := s.Stats(); st.Offered != st.Received+st.Missed+uint64(st.Len) {
			return fmt.Errorf("never so: %+v", st)
		}
		s.Close()
		runtime.Gosched()
	}
}

// listener demands that the values of one sender come in order, and of a single
// sender that each comes with exactly the number missing before it.
type listener struct {
	*heard
	each int
	last []int // of each sender: how many of its values it is past
}

func (l *listener) take(v int, missed uint64) {
	l.received++
	l.missed += missed
	sender, number := v/l.each, v%l.each
	at := l.last[sender]
	l.last[sender] = number + 1
	switch {
	case l.err != nil:
	case number < at:
		l.err = fmt.Errorf("sender %d: value %d after %d", sender, number, at-1)
	case len(l.last) == 1 && uint64(number-at) != missed:
		l.err = fmt.Errorf("%d missed before value %d, after %d", missed, number, at-1)
	}
}

// listen receives until the end.
func (l *listener) listen(s *chanx.Subscription[int], way string) {
	ctx := context.Background()
	if way == "All" {
		for v, missed := range s.All(ctx) {
			l.take(v, missed)
		}
		return
	}
	var dst [7]int
	for {
		n, missed, err := 1, uint64(0), error(nil)
		switch way {
		case "RecvBatch":
			n, missed, err = s.RecvBatch(ctx, dst[:])
		case "RecvTimeout":
			dst[0], missed, err = s.RecvTimeout(patience)
		case "Ready":
			<-s.Ready()
			dst[0], missed, err = s.TryRecv()
		default:
			dst[0], missed, err = s.Recv(ctx)
		}
		switch err {
		case nil:
			for i, v := range dst[:n] {
				l.take(v, missed*uint64(1-min(i, 1)))
			}
		case chanx.ErrTimeout, chanx.ErrEmpty:
		case chanx.ErrClosed:
			return
		default:
			l.err = errors.Join(l.err, err)
			return
		}
	}
}

// check returns the first count of a subscription that does not add up.
func (h *heard) check(sent int) error {
	want := chanx.SubscriptionStats{
		Offered: uint64(sent), Received: h.received, Missed: h.missed,
	}
	switch {
	case h.err != nil:
		return h.err
	case h.received+h.missed != uint64(sent):
		return fmt.Errorf("%d received and %d missed of %d",
			h.received, h.missed, sent)
	case h.stats != want:
		return fmt.Errorf("stats %+v, counted %+v", h.stats, want)
	}
	return nil
}

func broadcastCases() (all []broadcastScene) {
	if !*full && *last == 0 {
		return []broadcastScene{
			{1, 16, 1, 50_000}, {2, 16, 4, 25_000}, {64, 16, 1, 50_000},
			{1024, 16, 4, 25_000},
		}
	}
	for _, procs := range []int{runtime.NumCPU(), 4 * runtime.NumCPU(), 64} {
		for _, capacity := range []int{1, 2, 64, 1024} {
			for _, senders := range []int{1, 8} {
				all = append(all,
					broadcastScene{capacity, procs, senders, fullSends / senders})
			}
		}
	}
	return all
}

func TestEverySubscriptionReceivesOrMissesEachValue(t *testing.T) {
	for _, c := range broadcastCases() {
		t.Run(c.String(), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(c.procs))
			start := time.Now()
			all, err := c.play()
			require.NoError(t, err)
			for i, h := range all {
				require.NoError(t, h.check(c.senders*c.each), broadcastWays[i])
				t.Logf("%s: %d received, %d missed", broadcastWays[i], h.received, h.missed)
			}
			t.Logf("in %v", time.Since(start).Round(time.Millisecond))
		})
	}
}

// The count must be able to say no.
func TestTheCountOfASubscriptionFindsWhatIsWrong(t *testing.T) {
	for name, spoil := range map[string]func(*heard){
		"received twice":      func(h *heard) { h.received++ },
		"a miss not told":     func(h *heard) { h.missed-- },
		"told with another":   func(h *heard) { h.err = errors.New("2 missed before 7") },
		"a count that drifts": func(h *heard) { h.stats.Missed++ },
	} {
		t.Run(name, func(t *testing.T) {
			c := broadcastScene{1, 4, 1, 1000}
			all, err := c.play()
			require.NoError(t, err)
			require.NoError(t, all[0].check(1000))
			spoil(&all[0])
			require.Error(t, all[0].check(1000))
		})
	}
}
