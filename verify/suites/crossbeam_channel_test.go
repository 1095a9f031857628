package suites

// crossbeam-rs/crossbeam, crossbeam-channel/tests/array.rs: try_recv, recv,
// recv_timeout, try_send, send_timeout, recv_after_disconnect,
// disconnect_wakes_receiver, stress_oneshot, stress_iter,
// stress_timeout_two_threads, fairness, channel_through_channel. Each that
// can be is asked of a channel and of a Ring. The time is virtual.

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// line is a channel or a Ring that is not full.
type line struct {
	send    func(int)
	try     func() (int, error)
	timeout func(time.Duration) (int, error)
	close   func()
}

func lines(capacity int) map[string]line {
	ch := make(chan int, capacity)
	ring := chanx.NewRing[int](capacity)
	return map[string]line{
		"channel": {
			send:    func(v int) { ch <- v },
			try:     func() (int, error) { return chanx.TryRecv(ch) },
			timeout: func(d time.Duration) (int, error) { return chanx.RecvTimeout(ch, d) },
			close:   func() { close(ch) },
		},
		"ring": {
			send:    func(v int) { ring.Send(v) },
			try:     ring.TryRecv,
			timeout: ring.RecvTimeout,
			close:   ring.Close,
		},
	}
}

// onLines runs f in a bubble for each kind.
func onLines(t *testing.T, capacity int, f func(t *testing.T, l line)) {
	for name := range lines(capacity) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, lines(capacity)[name]) })
		})
	}
}

func gives(t *testing.T, want int, wantErr error) func(int, error) {
	return func(v int, err error) {
		t.Helper()
		require.Equal(t, wantErr, err)
		require.Equal(t, want, v)
	}
}

func TestCrossbeamTryRecv(t *testing.T) {
	onLines(t, 100, func(t *testing.T, l line) {
		go func() {
			time.Sleep(1500 * time.Millisecond)
			l.send(7)
			time.Sleep(500 * time.Millisecond)
			l.close()
		}()
		gives(t, 0, chanx.ErrEmpty)(l.try())
		time.Sleep(1501 * time.Millisecond)
		gives(t, 7, nil)(l.try())
		gives(t, 0, chanx.ErrEmpty)(l.try())
		time.Sleep(500 * time.Millisecond)
		gives(t, 0, chanx.ErrClosed)(l.try())
	})
}

func TestCrossbeamRecvTimeout(t *testing.T) {
	onLines(t, 100, func(t *testing.T, l line) {
		go func() {
			time.Sleep(1500 * time.Millisecond)
			l.send(7)
			l.close()
		}()
		start := time.Now()
		gives(t, 0, chanx.ErrTimeout)(l.timeout(time.Second))
		require.Equal(t, time.Second, time.Since(start))
		gives(t, 7, nil)(l.timeout(time.Second))
		require.Equal(t, 1500*time.Millisecond, time.Since(start))
		gives(t, 0, chanx.ErrClosed)(l.timeout(time.Second))
		require.Equal(t, 1500*time.Millisecond, time.Since(start))
	})
}

func TestCrossbeamTrySend(t *testing.T) {
	ch, ring := make(chan int, 1), chanx.NewRing[int](1)
	for i := range 3 {
		require.Equal(t, i == 0, chanx.TrySend(ch, i))
		require.Equal(t, i == 0, ring.TrySend(i) == nil)
	}
	gives(t, 0, nil)(chanx.TryRecv(ch))
	gives(t, 0, nil)(ring.TryRecv())
	require.True(t, chanx.TrySend(ch, 3))
	require.NoError(t, ring.TrySend(3))
	close(ch)
	ring.Close()
	require.Panics(t, func() { chanx.TrySend(ch, 4) })
	require.Equal(t, chanx.ErrClosed, ring.TrySend(4))
	require.False(t, ring.Send(4), "closed is closed, also to what would evict")
	gives(t, 3, nil)(ring.TryRecv())
}

func TestCrossbeamSendTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int, 2)
		start := time.Now()
		require.NoError(t, chanx.SendTimeout(ch, 1, time.Second))
		require.NoError(t, chanx.SendTimeout(ch, 2, time.Second))
		require.Equal(t, chanx.ErrTimeout, chanx.SendTimeout(ch, 3, 500*time.Millisecond))
		require.Equal(t, 500*time.Millisecond, time.Since(start))
		go func() {
			time.Sleep(time.Second)
			<-ch
		}()
		require.NoError(t, chanx.SendTimeout(ch, 4, time.Minute))
		require.Equal(t, 1500*time.Millisecond, time.Since(start))
		require.Equal(t, []int{2, 4}, slices.Collect(chanx.Drain(ch)))
	})
}

func TestCrossbeamRecvAfterDisconnect(t *testing.T) {
	onLines(t, 100, func(t *testing.T, l line) {
		for i := range 3 {
			l.send(i)
		}
		l.close()
		for i := range 3 {
			gives(t, i, nil)(l.timeout(0))
		}
		gives(t, 0, chanx.ErrClosed)(l.timeout(0))
		gives(t, 0, chanx.ErrClosed)(l.try())
	})
}

func TestCrossbeamDisconnectWakesReceiver(t *testing.T) {
	onLines(t, 1, func(t *testing.T, l line) {
		start := time.Now()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := l.timeout(time.Hour); err != chanx.ErrClosed {
					t.Errorf("woken with %v", err)
				}
			})
		}
		time.Sleep(time.Second)
		l.close()
		wg.Wait()
		require.Equal(t, time.Second, time.Since(start))
	})
}

func TestCrossbeamStressOneshot(t *testing.T) {
	onLines(t, 1, func(t *testing.T, l line) {
		for i := range 2_000 {
			go l.send(i)
			gives(t, i, nil)(l.timeout(time.Hour))
		}
	})
}

func TestCrossbeamStressIter(t *testing.T) {
	requests, answers := chanx.NewRing[int](1), chanx.NewRing[int](1)
	go func() {
		defer answers.Close()
		for v := range requests.All(t.Context()) {
			answers.Send(v)
		}
	}()
	for i := range 2_000 {
		require.NoError(t, requests.TrySend(i))
		v, err := answers.Recv(t.Context())
		gives(t, i, nil)(v, err)
	}
	requests.Close()
	require.Empty(t, slices.Collect(answers.All(t.Context())))
}

// timed is a pair of operations that give up after ten milliseconds.
type timed struct {
	send func(int) bool
	recv func() (int, bool)
}

func timedPairs(patience time.Duration) map[string]timed {
	ch, ring := make(chan int, 2), chanx.NewRing[int](2)
	within := func(f func(ctx context.Context) (int, error)) (int, bool) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return succeeded(f(ctx))
	}
	trySend := func(v int) bool {
		if ring.TrySend(v) == nil {
			return true
		}
		time.Sleep(patience)
		return false
	}
	sendContext := func(v int) bool {
		_, ok := within(func(ctx context.Context) (int, error) {
			return 0, chanx.SendContext(ctx, ch, v)
		})
		return ok
	}
	batch := func(ctx context.Context) (int, error) {
		dst := make([]int, 1)
		_, err := ring.RecvBatch(ctx, dst)
		return dst[0], err
	}
	return map[string]timed{
		"timeouts": {
			func(v int) bool { return chanx.SendTimeout(ch, v, patience) == nil },
			func() (int, bool) { return succeeded(chanx.RecvTimeout(ch, patience)) },
		},
		"contexts": {sendContext, func() (int, bool) {
			return within(func(ctx context.Context) (int, error) {
				return chanx.RecvContext(ctx, ch)
			})
		}},
		"ring, timeout": {trySend, func() (int, bool) {
			return succeeded(ring.RecvTimeout(patience))
		}},
		"ring, context": {trySend, func() (int, bool) { return within(ring.Recv) }},
		"ring, batch":   {trySend, func() (int, bool) { return within(batch) }},
	}
}

func succeeded(v int, err error) (int, bool) { return v, err == nil }

// Two sides that are late in turn must meet, and nothing may get lost, or be
// there twice, where a timer runs out at the moment the other side arrives.
func TestCrossbeamStressTimeoutTwoThreads(t *testing.T) {
	const patience = 10 * time.Millisecond
	for name := range timedPairs(patience) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				meetLate(t, timedPairs(patience)[name], 2, 3)
				meetLate(t, timedPairs(patience)[name], 3, 2)
			})
		})
	}
}

// meetLate has the sender late in every n-th round, the receiver in every m-th.
func meetLate(t *testing.T, p timed, n, m int) {
	const count = 100
	late := func(i, every int) {
		if i%every == 0 {
			time.Sleep(50 * time.Millisecond)
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range count {
			late(i, n)
			for !p.send(i) {
			}
		}
	})
	for i := range count {
		late(i, m)
		v, ok := p.recv()
		for ; !ok; v, ok = p.recv() {
		}
		require.Equal(t, i, v)
	}
	wg.Wait()
}

// One of two ready rings must not starve the other in a select.
func TestCrossbeamFairness(t *testing.T) {
	const count = 10_000
	a, b := chanx.NewRing[int](count), chanx.NewRing[int](count)
	for i := range count {
		a.Send(i)
		b.Send(i)
	}
	hits := [2]int{}
	for range count {
		select {
		case <-a.Ready():
			gives(t, hits[0], nil)(a.TryRecv())
			hits[0]++
		case <-b.Ready():
			gives(t, hits[1], nil)(b.TryRecv())
			hits[1]++
		}
	}
	require.Greater(t, min(hits[0], hits[1]), count/4)
}

func TestCrossbeamChannelThroughChannel(t *testing.T) {
	type ring = chanx.Ring[any]
	r := chanx.NewRing[any](1)
	for range 1_000 {
		next := chanx.NewRing[any](1)
		require.True(t, r.Send(next))
		v, err := r.Recv(t.Context())
		require.NoError(t, err)
		require.Same(t, next, v.(*ring))
		r = next
	}
}
