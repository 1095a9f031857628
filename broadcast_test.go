package chanx_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
	"example.com/chanx/internal/race"
)

func broadcastOf(capacity int, vals ...int) *chanx.Broadcast[int] {
	b := chanx.NewBroadcast[int](capacity)
	for _, v := range vals {
		b.Send(v)
	}
	return b
}

func TestNewBroadcastCapacity(t *testing.T) {
	for _, n := range []int{0, -1, math.MinInt} {
		assert.PanicsWithValue(t, "chanx: broadcast capacity < 1", func() {
			chanx.NewBroadcast[int](n)
		})
	}
	assert.PanicsWithValue(t, "chanx: broadcast capacity out of range", func() {
		chanx.NewBroadcast[int](math.MaxInt)
	})
	for _, n := range []int{1, 2, 1000} {
		b := chanx.NewBroadcast[int](n)
		assert.Equal(t, n, b.Cap())
		assert.Equal(t, chanx.BroadcastStats{Cap: n}, b.Stats())
	}
	assert.PanicsWithValue(t, "chanx: replay < 0", func() {
		broadcastOf(1).Subscribe(-1)
	})
}

func TestZeroBroadcast(t *testing.T) {
	var b chanx.Broadcast[int]
	var s chanx.Subscription[int]
	ctx := t.Context()
	for range 2 {
		for name, f := range map[string]func(){
			"Send":      func() { b.Send(1) },
			"Subscribe": func() { b.Subscribe(0) },
			"Close":     func() { b.Close() },
			"Len":       func() { b.Len() },
			"Cap":       func() { b.Cap() },
			"Stats":     func() { b.Stats() },
		} {
			assert.PanicsWithValue(t, "chanx: Broadcast not made by NewBroadcast", f, name)
		}
		for name, f := range map[string]func(){
			"TryRecv":     func() { s.TryRecv() },
			"Recv":        func() { s.Recv(ctx) },
			"Recv done":   func() { s.Recv(done()) },
			"RecvTimeout": func() { s.RecvTimeout(0) },
			"RecvBatch":   func() { s.RecvBatch(ctx, nil) },
			"All":         func() { s.All(ctx)(func(int, uint64) bool { return true }) },
			"Ready":       func() { s.Ready() },
			"Close":       func() { s.Close() },
			"Stats":       func() { s.Stats() },
		} {
			assert.PanicsWithValue(t, "chanx: Subscription not made by Subscribe", f, name)
		}
	}
}

// broadcastPair is a Broadcast and its reference, and their subscriptions.
type broadcastPair struct {
	b    *chanx.Broadcast[int]
	ref  *sliceBroadcast
	subs []*chanx.Subscription[int]
}

func newBroadcastPair(capacity int) *broadcastPair {
	return &broadcastPair{
		b:   chanx.NewBroadcast[int](capacity),
		ref: &sliceBroadcast{capacity: capacity},
	}
}

// broadcastSteps are operations on both; v differs from step to step.
var broadcastSteps = []func(t *testing.T, p *broadcastPair, v int){
	func(t *testing.T, p *broadcastPair, v int) {
		require.Equal(t, p.ref.Send(v), p.b.Send(v))
	},
	func(t *testing.T, p *broadcastPair, v int) {
		if len(p.subs) == 20 { // enough: every check looks at them all
			return
		}
		p.ref.Subscribe(v % 4)
		p.subs = append(p.subs, p.b.Subscribe(v%4))
	},
	func(t *testing.T, p *broadcastPair, v int) { // the oldest subscription
		p.receive(t, 0, v)
	},
	func(t *testing.T, p *broadcastPair, v int) { // the newest
		p.receive(t, len(p.subs)-1, v+1)
	},
	func(t *testing.T, p *broadcastPair, v int) {
		if v%3 == 0 && len(p.subs) > 0 {
			p.ref.subs[0].Close()
			p.subs[0].Close()
			return
		}
		p.ref.closed = true
		p.b.Close()
	},
}

// receive receives from a subscription in one of the ways there are.
func (p *broadcastPair) receive(t *testing.T, at, way int) {
	if at < 0 || at >= len(p.subs) {
		return
	}
	s, ref := p.subs[at], p.ref.subs[at]
	most := 1
	if way%4 == 3 {
		most = way % 3
	}
	want, wantMissed, wantErr := ref.Take(most)
	if wantErr == chanx.ErrEmpty {
		_, missed, err := s.TryRecv()
		require.Equal(t, chanx.ErrEmpty, err)
		require.Zero(t, missed)
		return
	}
	got, missed, err := []int{0}, uint64(0), error(nil)
	switch way % 4 {
	case 0:
		got[0], missed, err = s.TryRecv()
	case 1:
		got[0], missed, err = s.Recv(context.Background())
	case 2:
		got[0], missed, err = s.RecvTimeout(time.Hour)
	case 3:
		dst, n := make([]int, most), 0
		n, missed, err = s.RecvBatch(context.Background(), dst)
		got = dst[:n]
	}
	require.Equal(t, wantErr, err)
	require.Equal(t, wantMissed, missed)
	if err == nil {
		require.True(t, slices.Equal(want, got), "%v %v", want, got)
	}
}

// check holds every snapshot against the reference.
func (p *broadcastPair) check(t *testing.T) {
	if got, want := p.b.Stats(), p.ref.Stats(); got != want {
		require.Equal(t, want, got)
	}
	for i, s := range p.subs {
		got, want := s.Stats(), p.ref.subs[i].Stats()
		if got != want || got.Offered != got.Received+got.Missed+uint64(got.Len) {
			require.Equal(t, want, got)
		}
		if (want.Len > 0 || p.ref.closed || p.ref.subs[i].closed) && !readable(s) {
			require.Fail(t, "a value or the end, and Ready does not say so")
		}
	}
}

// readable reports whether Ready can be received from, and leaves it so.
func readable(s *chanx.Subscription[int]) bool {
	select {
	case <-s.Ready():
		s.Ready() // puts the token back, if there is a value
		return true
	default:
		return false
	}
}

// Every sequence of seven operations gives the results of the slice, at every
// step.
func TestBroadcastEverySequence(t *testing.T) {
	const length = 7
	n := int(math.Pow(float64(len(broadcastSteps)), length))
	for capacity := 1; capacity <= 3; capacity++ {
		for code := range n {
			if race.Enabled && code%16 != 0 {
				continue
			}
			p := newBroadcastPair(capacity)
			for i := range length {
				broadcastSteps[code%len(broadcastSteps)](t, p, i)
				code /= len(broadcastSteps)
				p.check(t)
			}
		}
	}
}

// FuzzBroadcast runs a sequence of operations, one a byte, against the slice.
func FuzzBroadcast(f *testing.F) {
	f.Add(1, []byte{1, 0, 0, 2, 2})
	f.Add(2, []byte{0, 1, 0, 0, 0, 3, 2, 4, 2, 3})
	f.Add(3, []byte{1, 0, 0, 0, 0, 0, 2, 1, 3, 3, 3, 2, 4, 4, 2, 3})
	f.Fuzz(func(t *testing.T, capacity int, program []byte) {
		p := newBroadcastPair(1 + abs(capacity)%70)
		for i, op := range program {
			broadcastSteps[int(op)%len(broadcastSteps)](t, p, int(op)/8+i)
			p.check(t)
		}
	})
}

// A subscription that is behind by more than the capacity loses its oldest, is
// told so at the value they are missing before, and takes nothing from others.
func TestBroadcastLag(t *testing.T) {
	b := broadcastOf(2)
	slow, quick := b.Subscribe(0), b.Subscribe(0)
	for v := 1; v <= 5; v++ {
		b.Send(v)
		got, missed, err := quick.TryRecv()
		require.NoError(t, err)
		assert.Equal(t, v, got)
		assert.Zero(t, missed)
	}
	assert.Equal(t, chanx.SubscriptionStats{Offered: 5, Missed: 3, Len: 2}, slow.Stats())
	v, missed, err := slow.TryRecv()
	assert.NoError(t, err)
	assert.Equal(t, 4, v)
	assert.EqualValues(t, 3, missed)
	v, missed, err = slow.TryRecv()
	assert.NoError(t, err)
	assert.Equal(t, 5, v)
	assert.Zero(t, missed, "told once")
	_, missed, err = slow.TryRecv()
	assert.Equal(t, chanx.ErrEmpty, err)
	assert.Zero(t, missed)
}

// Capacity 1 and Subscribe(1) is a cell with the latest value.
func TestBroadcastLatestValue(t *testing.T) {
	b := broadcastOf(1, 1, 2, 3)
	v, missed, err := b.Subscribe(1).TryRecv()
	assert.NoError(t, err)
	assert.Equal(t, 3, v)
	assert.Zero(t, missed, "what was sent before was never offered")
	assert.Equal(t, chanx.ErrEmpty, third(b.Subscribe(0).TryRecv()))
	b.Close()
	late := b.Subscribe(5)
	v, _, err = late.TryRecv()
	assert.NoError(t, err)
	assert.Equal(t, 3, v)
	assert.Equal(t, chanx.ErrClosed, third(late.TryRecv()))
	assert.False(t, b.Send(4))
	b.Close()
}

func third[A, B any](_ A, _ B, err error) error { return err }

// subscriptionWaits are the ways to wait for a value.
var subscriptionWaits = map[string]func(context.Context, *chanx.Subscription[int]) (int, uint64, error){
	"Recv": func(ctx context.Context, s *chanx.Subscription[int]) (int, uint64, error) {
		return s.Recv(ctx)
	},
	"RecvTimeout": func(_ context.Context, s *chanx.Subscription[int]) (int, uint64, error) {
		return s.RecvTimeout(time.Minute)
	},
	"RecvBatch": func(ctx context.Context, s *chanx.Subscription[int]) (int, uint64, error) {
		dst := make([]int, 2)
		_, missed, err := s.RecvBatch(ctx, dst)
		return dst[0], missed, err
	},
	"All": func(ctx context.Context, s *chanx.Subscription[int]) (int, uint64, error) {
		for v, missed := range s.All(ctx) {
			return v, missed, nil
		}
		if ctx.Err() != nil {
			return 0, 0, ctx.Err()
		}
		return 0, 0, chanx.ErrClosed
	},
	"Ready": func(ctx context.Context, s *chanx.Subscription[int]) (int, uint64, error) {
		for {
			select {
			case <-s.Ready():
				if v, missed, err := s.TryRecv(); err != chanx.ErrEmpty {
					return v, missed, err
				}
			case <-ctx.Done():
				return 0, 0, ctx.Err()
			}
		}
	},
}

// Every way to wait ends with a value, with the end of the Broadcast or of the
// subscription, and with the context; and several goroutines at one
// subscription all end.
func TestSubscriptionWaits(t *testing.T) {
	for name, wait := range subscriptionWaits {
		for _, end := range []string{"values", "Close", "Subscription.Close", "context"} {
			t.Run(name+"/"+end, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					b := broadcastOf(4)
					const subs, each = 20, 2
					want := map[string]error{"Close": chanx.ErrClosed,
						"Subscription.Close": chanx.ErrClosed, "context": context.Canceled}[end]
					if name == "RecvTimeout" && end == "context" {
						want = chanx.ErrTimeout
					}
					var ended atomic.Int64
					var all []*chanx.Subscription[int]
					for range subs {
						s := b.Subscribe(0)
						all = append(all, s)
						for range each {
							go func() {
								_, missed, err := wait(ctx, s)
								assert.Equal(t, want, err)
								assert.Zero(t, missed)
								ended.Add(1)
							}()
						}
					}
					synctest.Wait()
					assert.Zero(t, ended.Load())
					switch end {
					case "values":
						for v := range each {
							b.Send(v)
						}
						if name == "RecvBatch" { // one may have taken both
							synctest.Wait()
							for v := range each {
								b.Send(v)
							}
						}
					case "Close":
						b.Close()
					case "Subscription.Close":
						for _, s := range all {
							s.Close()
						}
					case "context":
						cancel()
						time.Sleep(time.Minute)
					}
					synctest.Wait()
					assert.EqualValues(t, subs*each, ended.Load())
				})
			})
		}
	}
}

func TestSubscriptionContext(t *testing.T) {
	var none context.Context
	s := broadcastOf(1, 1).Subscribe(1)
	<-s.Ready()
	for range 2 {
		assert.Equal(t, context.Canceled, third(s.Recv(done())))
		_, _, err := s.RecvBatch(done(), make([]int, 1))
		assert.Equal(t, context.Canceled, err)
		assert.PanicsWithValue(t, "chanx: nil context", func() { s.Recv(none) })
		assert.Len(t, s.Ready(), 1, "the token is put back")
	}
	assert.Equal(t, 1, s.Stats().Len, "takes nothing")
	synctest.Test(t, func(t *testing.T) {
		s := broadcastOf(1).Subscribe(0)
		assert.Equal(t, context.Canceled, third(s.Recv(brokenContext(t))))
	})
}

// An empty dst takes nothing, never waits, and leaves the missed count for the
// next value; a wait for a batch ends with its context.
func TestSubscriptionBatches(t *testing.T) {
	b := broadcastOf(1)
	s := b.Subscribe(0)
	batch := func(ctx context.Context, dst []int) (int, uint64, error) {
		return s.RecvBatch(ctx, dst)
	}
	n, missed, err := batch(t.Context(), nil)
	assert.True(t, n == 0 && missed == 0 && err == nil, "empty, open")
	b.Send(1)
	b.Send(2)
	n, missed, err = batch(t.Context(), nil)
	assert.True(t, n == 0 && missed == 0 && err == nil, "behind")
	n, missed, err = batch(t.Context(), make([]int, 2))
	assert.True(t, n == 1 && missed == 1 && err == nil, "%d %d %v", n, missed, err)
	synctest.Test(t, func(t *testing.T) {
		s := broadcastOf(1).Subscribe(0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err := s.RecvBatch(ctx, make([]int, 1))
		assert.Equal(t, context.DeadlineExceeded, err)
	})
	b.Close()
	_, _, err = batch(t.Context(), nil)
	assert.Equal(t, chanx.ErrClosed, err)
}

func TestSubscriptionRecvTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := broadcastOf(1)
		s := b.Subscribe(0)
		for _, d := range []time.Duration{0, -1, minDuration} {
			assert.Zero(t, took(func() {
				assert.Equal(t, chanx.ErrTimeout, third(s.RecvTimeout(d)))
			}))
		}
		assert.Equal(t, time.Second, took(func() {
			assert.Equal(t, chanx.ErrTimeout, third(s.RecvTimeout(time.Second)))
		}))
		at(time.Second-1, func() { b.Send(7) })
		v, _, err := s.RecvTimeout(time.Second)
		assert.NoError(t, err)
		assert.Equal(t, 7, v)
		b.Send(8)
		for _, d := range anyDuration {
			v, _, err := b.Subscribe(1).RecvTimeout(d)
			assert.NoError(t, err)
			assert.Equal(t, 8, v)
		}
	})
}

// The values that a subscription misses and receives are all that were sent, in
// order, however many goroutines send, receive, give up and join late.
func TestBroadcastConserves(t *testing.T) {
	manyProcs(t)
	for _, capacity := range []int{1, 2, 64} {
		const senders, subs = 4, 4
		each := rounds(120_000) / senders
		b := broadcastOf(capacity)
		var send, recv sync.WaitGroup
		for i := range subs {
			s := b.Subscribe(0)
			recv.Go(func() { follow(t, b, s, i, each) })
		}
		for i := range senders {
			send.Go(func() {
				for v := range each {
					b.Send(i*each + v)
				}
			})
		}
		send.Wait()
		b.Close()
		recv.Wait()
		assert.EqualValues(t, senders*each, b.Stats().Sent)
	}
}

// follow receives until the end, in one of the ways, and checks order and law.
func follow(t *testing.T, b *chanx.Broadcast[int], s *chanx.Subscription[int], way, each int) {
	last := map[int]int{}
	var got, missed uint64
	dst := make([]int, 3)
	for {
		ctx, cancel := context.WithCancel(t.Context())
		n, lost, err := 1, uint64(0), error(nil)
		switch way {
		case 0:
			dst[0], lost, err = s.Recv(ctx)
		case 1:
			go cancel()
			n, lost, err = s.RecvBatch(ctx, dst)
		case 2:
			dst[0], lost, err = s.RecvTimeout(time.Microsecond)
		case 3:
			<-s.Ready()
			dst[0], lost, err = s.TryRecv()
		}
		cancel()
		if err == chanx.ErrClosed {
			break
		}
		if err != nil {
			require.Zero(t, lost)
			continue
		}
		missed += lost
		got += uint64(n)
		for _, v := range dst[:n] {
			if seen, ok := last[v/each]; ok && v <= seen {
				require.Fail(t, "out of order", "%d after %d", v, seen)
			}
			last[v/each] = v
		}
	}
	stats := s.Stats()
	require.Equal(t, chanx.SubscriptionStats{Offered: b.Stats().Sent, Received: got, Missed: missed}, stats)
}

// Senders wait until every subscription has received before they send again,
// so a lost wake-up stops everything: inside a bubble, a reported deadlock.
func TestBroadcastHandOffNeverStops(t *testing.T) {
	manyProcs(t)
	synctest.Test(t, func(t *testing.T) {
		const subs, receivers = 3, 2
		b := broadcastOf(1)
		var credit sync.WaitGroup
		var all sync.WaitGroup
		for range subs {
			s := b.Subscribe(0)
			for name, wait := range subscriptionWaits {
				if name == "RecvTimeout" {
					continue
				}
				all.Go(func() {
					for i := 0; ; i++ {
						ctx, cancel := context.WithCancel(t.Context())
						if i%3 == 0 {
							go cancel()
						}
						_, missed, err := wait(ctx, s)
						cancel()
						if err == chanx.ErrClosed {
							return
						}
						if err == nil {
							require.Zero(t, missed)
							credit.Done()
						}
					}
				})
			}
		}
		for v := range rounds(20_000) {
			credit.Add(subs)
			b.Send(v)
			credit.Wait()
		}
		b.Close()
		all.Wait()
	})
}

// The values that are held are those in the buffer, no more; and a
// subscription that is dropped leaves nothing behind.
func TestBroadcastKeepsNothingAlive(t *testing.T) {
	b := chanx.NewBroadcast[*[1 << 10]byte](2)
	s := b.Subscribe(0)
	var first weak.Pointer[[1 << 10]byte]
	func() {
		v := new([1 << 10]byte)
		first = weak.Make(v)
		b.Send(v)
	}()
	runtime.GC()
	assert.NotNil(t, first.Value(), "held for the subscription")
	b.Send(nil)
	b.Send(nil)
	runtime.GC()
	assert.Nil(t, first.Value(), "its slot was taken")
	_, missed, err := s.TryRecv()
	assert.NoError(t, err)
	assert.EqualValues(t, 1, missed)

	dropped := weak.Make(b.Subscribe(0))
	ctx, cancel := context.WithCancel(t.Context())
	parked := make(chan bool)
	go func() {
		_, _, err := dropped.Value().Recv(ctx)
		parked <- err == context.Canceled
	}()
	cancel()
	assert.True(t, <-parked)
	runtime.GC()
	assert.Nil(t, dropped.Value(), "after a wait that was given up")

	asked := weak.Make(b.Subscribe(0))
	asked.Value().Ready()
	b.Send(nil)
	assert.True(t, collected(asked), "after Ready and a Send")
	assert.Equal(t, 3, b.Stats().Subscribers, "none was closed")
	runtime.KeepAlive(b)
}

func TestBroadcastAllocatesNothing(t *testing.T) {
	ctx, dst := t.Context(), make([]int, 4)
	b := broadcastOf(4)
	s := b.Subscribe(0)
	s.Ready()
	for name, f := range map[string]func(){
		"Send, TryRecv":   func() { b.Send(1); s.TryRecv() },
		"TryRecv empty":   func() { s.TryRecv() },
		"Recv":            func() { b.Send(1); s.Recv(ctx) },
		"RecvTimeout":     func() { b.Send(1); s.RecvTimeout(time.Hour) },
		"RecvBatch":       func() { b.Send(1); s.RecvBatch(ctx, dst) },
		"Ready":           func() { b.Send(1); <-s.Ready(); s.TryRecv() },
		"Len, Cap, Stats": func() { b.Len(); b.Cap(); b.Stats(); s.Stats() },
	} {
		noAllocs(t, name, f)
	}
	pong := broadcastOf(4)
	back := pong.Subscribe(0)
	ping := b.Subscribe(0)
	ended := make(chan bool)
	go func() {
		defer close(ended)
		for v := range ping.All(ctx) {
			runtime.Gosched() // so that the other side is parked for certain
			pong.Send(v)
		}
	}()
	noAllocs(t, "waiting", func() { b.Send(1); back.Recv(ctx) })
	b.Close()
	<-ended
}

// A thousand waiting subscriptions all get each value.
func TestBroadcastWakesMany(t *testing.T) {
	const subs = 1024
	synctest.Test(t, func(t *testing.T) {
		b := broadcastOf(2)
		var got atomic.Int64
		for range subs {
			s := b.Subscribe(0)
			go func() {
				for range s.All(context.Background()) {
					got.Add(1)
				}
			}()
		}
		for v := range 3 {
			synctest.Wait()
			assert.EqualValues(t, v*subs, got.Load())
			b.Send(v)
		}
		b.Close()
		synctest.Wait()
		assert.EqualValues(t, 3*subs, got.Load())
	})
}

// A flood on one processor lets a receiver run: one Send in 4,096 yields.
func TestBroadcastFloodLetsReceiverRun(t *testing.T) {
	oneProc(t)
	b := broadcastOf(4)
	s := b.Subscribe(0)
	var all sync.WaitGroup
	all.Go(func() {
		for range s.All(context.Background()) {
		}
	})
	for range 4 * 4096 { // a fraction of a millisecond
		b.Send(1)
	}
	assert.GreaterOrEqual(t, s.Stats().Received, uint64(8))
	b.Close()
	all.Wait()
}

func ExampleBroadcast() {
	prices := chanx.NewBroadcast[string](2)
	quick, slow := prices.Subscribe(0), prices.Subscribe(0)

	for _, price := range []string{"10", "11", "12"} {
		prices.Send(price) // never waits for a subscriber
		p, _, _ := quick.TryRecv()
		fmt.Println("quick:", p)
	}
	prices.Close()
	for p, missed := range slow.All(context.Background()) {
		fmt.Println("slow:", p, "missed before it:", missed)
	}
	// Output:
	// quick: 10
	// quick: 11
	// quick: 12
	// slow: 11 missed before it: 1
	// slow: 12 missed before it: 0
}

// Capacity 1 and Subscribe(1) is a cell with the latest value.
func ExampleBroadcast_Subscribe() {
	config := chanx.NewBroadcast[string](1)
	config.Send("v1")
	config.Send("v2")

	reader := config.Subscribe(1) // sees the current value at once
	v, _, _ := reader.TryRecv()
	fmt.Println(v)
	// Output: v2
}

// sliceBroadcast is what a Broadcast does, one step after the other, with a
// slice of all values and a position for each subscription.
type sliceBroadcast struct {
	all      []int
	capacity int
	closed   bool
	subs     []*sliceSubscription
}

type sliceSubscription struct {
	b                *sliceBroadcast
	start, pos       int
	received, missed int
	closed           bool
	end              int
}

func (b *sliceBroadcast) oldest() int { return max(0, len(b.all)-b.capacity) }

func (b *sliceBroadcast) Send(v int) bool {
	if !b.closed {
		b.all = append(b.all, v)
	}
	return !b.closed
}

func (b *sliceBroadcast) Subscribe(replay int) *sliceSubscription {
	at := max(b.oldest(), len(b.all)-replay)
	s := &sliceSubscription{b: b, start: at, pos: at}
	b.subs = append(b.subs, s)
	return s
}

func (b *sliceBroadcast) Stats() chanx.BroadcastStats {
	open := 0
	for _, s := range b.subs {
		if !s.closed {
			open++
		}
	}
	return chanx.BroadcastStats{
		Sent:        uint64(len(b.all)),
		Len:         len(b.all) - b.oldest(),
		Cap:         b.capacity,
		Subscribers: open,
	}
}

func (s *sliceSubscription) Len() int {
	if s.closed {
		return 0
	}
	return len(s.b.all) - max(s.pos, s.b.oldest())
}

func (s *sliceSubscription) Take(most int) (got []int, missed uint64, err error) {
	if s.Len() == 0 {
		if s.closed || s.b.closed {
			return nil, 0, chanx.ErrClosed
		}
		return nil, 0, chanx.ErrEmpty
	}
	if most == 0 {
		return nil, 0, nil
	}
	from := max(s.pos, s.b.oldest())
	missed = uint64(from - s.pos)
	got = s.b.all[from:min(from+most, len(s.b.all))]
	s.pos = from + len(got)
	s.received += len(got)
	s.missed += int(missed)
	return got, missed, nil
}

func (s *sliceSubscription) Close() {
	if !s.closed {
		s.end = len(s.b.all)
		s.closed = true
	}
}

func (s *sliceSubscription) Stats() chanx.SubscriptionStats {
	end := len(s.b.all)
	if s.closed {
		end = s.end
	}
	missed := s.missed
	if s.closed {
		missed = end - s.start - s.received
	} else {
		missed += max(s.pos, s.b.oldest()) - s.pos
	}
	return chanx.SubscriptionStats{
		Offered:  uint64(end - s.start),
		Received: uint64(s.received),
		Missed:   uint64(missed),
		Len:      s.Len(),
	}
}
