package chanx_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// filled returns a channel of that capacity that holds vals.
func filled(capacity int, vals ...int) chan int {
	ch := make(chan int, capacity)
	for _, v := range vals {
		ch <- v
	}
	return ch
}

// closedWith returns a closed channel with vals still in it.
func closedWith(capacity int, vals ...int) chan int {
	ch := filled(capacity, vals...)
	close(ch)
	return ch
}

// contents empties ch.
func contents(ch chan int) []int {
	vals := []int{}
	for len(ch) > 0 {
		vals = append(vals, <-ch)
	}
	return vals
}

func TestTrySend(t *testing.T) {
	for name, tt := range map[string]struct {
		ch   chan int
		sent bool
		then []int
	}{
		"nil":        {nil, false, []int{}},
		"unbuffered": {make(chan int), false, []int{}},
		"empty":      {filled(2), true, []int{9}},
		"room":       {filled(2, 1), true, []int{1, 9}},
		"full":       {filled(2, 1, 2), false, []int{1, 2}},
		"one full":   {filled(1, 1), false, []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.sent, chanx.TrySend(tt.ch, 9))
			assert.Equal(t, tt.then, contents(tt.ch))
		})
	}
}

func TestTrySendClosed(t *testing.T) {
	for name, ch := range map[string]chan int{
		"unbuffered": closedWith(0),
		"empty":      closedWith(1),
		"full":       closedWith(1, 1),
	} {
		assert.PanicsWithError(t, "send on closed channel", func() {
			chanx.TrySend(ch, 9)
		}, name)
	}
}

func TestTrySendToWaitingReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch, got := make(chan int), make(chan int, 1)
		go func() { got <- <-ch }()
		synctest.Wait()
		assert.True(t, chanx.TrySend(ch, 9))
		assert.Equal(t, 9, <-got)
		assert.False(t, chanx.TrySend(ch, 10), "the receiver is gone")
	})
}

func TestTrySendBehindWaitingSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := filled(1, 1)
		go func() { ch <- 2 }()
		synctest.Wait()
		assert.False(t, chanx.TrySend(ch, 9))
		assert.Equal(t, 1, <-ch)
		assert.False(t, chanx.TrySend(ch, 9), "the place was the other's")
		assert.Equal(t, 2, <-ch)
		assert.True(t, chanx.TrySend(ch, 9))
	})
}

func TestTryRecv(t *testing.T) {
	var null chan int
	for name, tt := range map[string]struct {
		ch  chan int
		v   int
		err error
	}{
		"nil":               {null, 0, chanx.ErrEmpty},
		"unbuffered":        {make(chan int), 0, chanx.ErrEmpty},
		"empty":             {filled(1), 0, chanx.ErrEmpty},
		"one":               {filled(1, 7), 7, nil},
		"oldest":            {filled(3, 7, 8, 9), 7, nil},
		"zero value":        {filled(1, 0), 0, nil},
		"closed":            {closedWith(1), 0, chanx.ErrClosed},
		"closed unbuffered": {closedWith(0), 0, chanx.ErrClosed},
		"closed with value": {closedWith(1, 7), 7, nil},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := chanx.TryRecv(tt.ch)
			assert.Equal(t, tt.v, v)
			assert.Equal(t, tt.err, err)
		})
	}
}

func TestTryRecvDrainsThenClosed(t *testing.T) {
	ch := closedWith(3, 1, 2)
	for _, want := range []int{1, 2} {
		v, err := chanx.TryRecv(ch)
		require.NoError(t, err)
		assert.Equal(t, want, v)
	}
	for range 3 {
		v, err := chanx.TryRecv(ch)
		assert.ErrorIs(t, err, chanx.ErrClosed)
		assert.Zero(t, v)
	}
}

func TestTryRecvFromWaitingSender(t *testing.T) {
	for _, capacity := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			ch := make(chan int, capacity)
			go func() {
				ch <- 1
				ch <- 2
			}()
			for _, want := range []int{1, 2} {
				synctest.Wait()
				v, err := chanx.TryRecv(ch)
				assert.NoError(t, err)
				assert.Equal(t, want, v)
			}
			_, err := chanx.TryRecv(ch)
			assert.Equal(t, chanx.ErrEmpty, err)
		})
	}
}

// The errors are matched with errors.Is, so no two may be the same.
func TestErrorsAreDistinct(t *testing.T) {
	all := []error{
		chanx.ErrEmpty, chanx.ErrFull, chanx.ErrClosed, chanx.ErrTimeout,
	}
	for i, a := range all {
		assert.Regexp(t, "^chanx: ", a.Error())
		for _, b := range all[:i] {
			assert.NotErrorIs(t, a, b)
		}
	}
}

// Nothing waits, so both sides spin. That needs a buffer: on an unbuffered
// channel one side has to wait for the other to find it.
func TestTryConserves(t *testing.T) {
	manyProcs(t)
	for _, capacity := range []int{1, 2, 64} {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			const senders, receivers = 3, 3
			tally := newTally(senders, rounds(35_000))
			ch := make(chan int, capacity)
			var send, recv sync.WaitGroup
			for s := range senders {
				send.Go(func() {
					for v := range tally.values(s) {
						for !chanx.TrySend(ch, v) {
							runtime.Gosched()
						}
					}
				})
			}
			for range receivers {
				recv.Go(func() {
					seen := tally.receiver(t)
					for {
						v, err := chanx.TryRecv(ch)
						switch err {
						case nil:
							seen(v)
						case chanx.ErrClosed:
							return
						default:
							runtime.Gosched()
						}
					}
				})
			}
			send.Wait()
			close(ch)
			recv.Wait()
			assert.EqualValues(t, tally.total(), tally.received.Load())
		})
	}
}

func TestSendDropOldest(t *testing.T) {
	for name, tt := range map[string]struct {
		ch      chan int
		dropped int
		then    []int
	}{
		"nil":        {nil, 1, []int{}},
		"unbuffered": {make(chan int), 1, []int{}},
		"empty":      {filled(2), 0, []int{9}},
		"room":       {filled(2, 1), 0, []int{1, 9}},
		"full":       {filled(3, 1, 2, 3), 1, []int{2, 3, 9}},
		"one full":   {filled(1, 1), 1, []int{9}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.dropped, chanx.SendDropOldest(tt.ch, 9))
			assert.Equal(t, tt.then, contents(tt.ch))
		})
	}
}

func TestSendDropOldestClosed(t *testing.T) {
	for name, ch := range map[string]chan int{
		"unbuffered": closedWith(0),
		"empty":      closedWith(1),
		"full":       closedWith(1, 1),
	} {
		assert.PanicsWithError(t, "send on closed channel", func() {
			chanx.SendDropOldest(ch, 9)
		}, name)
	}
	full := closedWith(1, 1)
	assert.Panics(t, func() { chanx.SendDropOldest(full, 9) })
	assert.Equal(t, []int{1}, contents(full), "closed before: nothing evicted")
}

func TestSendDropOldestToWaitingReceiver(t *testing.T) {
	for _, capacity := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			ch, got := make(chan int, capacity), make(chan int, 1)
			go func() { got <- <-ch }()
			synctest.Wait()
			assert.Zero(t, chanx.SendDropOldest(ch, 9))
			assert.Equal(t, 9, <-got)
		})
	}
}

// A sender that waits on an unbuffered channel was promised delivery.
func TestSendDropOldestRobsNoWaitingSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch, sent := make(chan int), false
		go func() {
			ch <- 1
			sent = true
		}()
		synctest.Wait()
		assert.Equal(t, 1, chanx.SendDropOldest(ch, 9))
		synctest.Wait()
		assert.False(t, sent)
		assert.Equal(t, 1, <-ch)
	})
}

// A sender waiting on a full channel moves in when the oldest goes: the value
// this call sends then needs another eviction, and both are counted.
func TestSendDropOldestPastWaitingSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := filled(1, 1)
		go func() { ch <- 2 }()
		synctest.Wait()
		assert.Equal(t, 2, chanx.SendDropOldest(ch, 9))
		assert.Equal(t, []int{9}, contents(ch))
	})
}

func TestSendDropOldestAloneDropsOnce(t *testing.T) {
	ch := make(chan int, 8)
	for v := range 1000 {
		want := 0
		if v >= 8 {
			want = 1
		}
		require.Equal(t, want, chanx.SendDropOldest(ch, v))
	}
	assert.Equal(t, []int{992, 993, 994, 995, 996, 997, 998, 999}, contents(ch))
}

// Sent == received + dropped + len, summed over all callers, with receivers
// and without, and no value comes out twice or out of its sender's order.
func TestSendDropOldestConserves(t *testing.T) {
	manyProcs(t)
	for _, capacity := range []int{0, 1, 2, 64} {
		for _, receivers := range []int{0, 1, 3} {
			name := fmt.Sprintf("cap=%d/receivers=%d", capacity, receivers)
			t.Run(name, func(t *testing.T) {
				sendDropOldestConserves(t, capacity, receivers)
			})
		}
	}
}

func sendDropOldestConserves(t *testing.T, capacity, receivers int) {
	const senders = 4
	tally := newTally(senders, rounds(25_000))
	ch, stop := make(chan int, capacity), make(chan struct{})
	var dropped atomic.Int64
	var send, recv sync.WaitGroup
	for s := range senders {
		send.Go(func() {
			for v := range tally.values(s) {
				dropped.Add(int64(chanx.SendDropOldest(ch, v)))
			}
		})
	}
	for range receivers {
		recv.Go(func() {
			seen := tally.receiver(t)
			for {
				select {
				case v := <-ch:
					seen(v)
				case <-stop:
					return
				}
			}
		})
	}
	send.Wait()
	close(stop)
	recv.Wait()
	assert.Equal(t, int64(tally.total()),
		tally.received.Load()+dropped.Load()+int64(len(ch)))
	if receivers == 0 && capacity > 0 {
		assert.Equal(t, capacity, len(ch), "it stays full")
	}
}

func TestDrain(t *testing.T) {
	var null chan int
	for name, tt := range map[string]struct {
		ch   chan int
		want []int
		then error
	}{
		"nil":               {null, nil, chanx.ErrEmpty},
		"unbuffered":        {make(chan int), nil, chanx.ErrEmpty},
		"empty":             {filled(2), nil, chanx.ErrEmpty},
		"values":            {filled(3, 1, 2, 3), []int{1, 2, 3}, chanx.ErrEmpty},
		"closed":            {closedWith(2), nil, chanx.ErrClosed},
		"closed with value": {closedWith(2, 1, 2), []int{1, 2}, chanx.ErrClosed},
		"zero values":       {closedWith(2, 0, 0), []int{0, 0}, chanx.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, slices.Collect(chanx.Drain(tt.ch)))
			_, err := chanx.TryRecv(tt.ch)
			assert.Equal(t, tt.then, err)
		})
	}
}

func TestDrainBreakLeavesTheRest(t *testing.T) {
	ch := filled(4, 1, 2, 3, 4)
	seq := chanx.Drain(ch)
	for v := range seq {
		if v == 2 {
			break
		}
	}
	assert.Equal(t, 2, len(ch))
	assert.Equal(t, []int{3, 4}, slices.Collect(seq), "used again")
	ch <- 5
	assert.Equal(t, []int{5}, slices.Collect(seq), "and again")
}

func TestDrainTakesWhatArrivesMeanwhile(t *testing.T) {
	ch, got := filled(1, 0), []int(nil)
	for v := range chanx.Drain(ch) {
		got = append(got, v)
		if v < 4 {
			ch <- v + 1
		}
	}
	assert.Equal(t, []int{0, 1, 2, 3, 4}, got)
}

func TestDrainTakesFromWaitingSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int)
		for v := range 3 {
			go func() { ch <- v }()
			synctest.Wait()
		}
		assert.Equal(t, []int{0, 1, 2}, slices.Collect(chanx.Drain(ch)))
	})
}

func TestDrainByManyGivesEachValueOnce(t *testing.T) {
	manyProcs(t)
	tally := newTally(1, rounds(100_000))
	ch := make(chan int, tally.total())
	for v := range tally.values(0) {
		ch <- v
	}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			seen := tally.receiver(t)
			for v := range chanx.Drain(ch) {
				seen(v)
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, tally.total(), tally.received.Load())
}

func TestTrySendAllocatesNothing(t *testing.T) {
	ch, full, empty := make(chan int, 1), filled(1, 1), make(chan int, 1)
	done := closedWith(0)
	many := make(chan int, 100)
	for name, f := range map[string]func(){
		"TrySend and TryRecv":   func() { chanx.TrySend(ch, 1); chanx.TryRecv(ch) },
		"TrySend full":          func() { chanx.TrySend(full, 1) },
		"TryRecv empty":         func() { chanx.TryRecv(empty) },
		"TryRecv closed":        func() { chanx.TryRecv(done) },
		"SendDropOldest full":   func() { chanx.SendDropOldest(full, 1) },
		"SendDropOldest room":   func() { chanx.SendDropOldest(ch, 1); <-ch },
		"SendDropOldest unbuff": func() { chanx.SendDropOldest(nil, 1) },
		"Drain": func() {
			for i := range cap(many) {
				many <- i
			}
			for range chanx.Drain(many) {
			}
		},
	} {
		noAllocs(t, name, f)
	}
}
