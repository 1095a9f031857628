package suites

// crossbeam-rs/crossbeam, crossbeam-queue/tests/array_queue.rs: smoke,
// capacity, zero_capacity, len_empty_full, len, spsc, spsc_ring_buffer, mpmc,
// mpmc_ring_buffer, drops, linearizable, into_iter. Its push is TrySend,
// force_push is Send, pop is TryRecv.

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"weak"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

func TestCrossbeamSmoke(t *testing.T) {
	q := chanx.NewRing[int](1)
	for _, v := range []int{7, 8} {
		require.NoError(t, q.TrySend(v))
		got, err := q.TryRecv()
		require.NoError(t, err)
		require.Equal(t, v, got)
	}
	_, err := q.TryRecv()
	require.Equal(t, chanx.ErrEmpty, err)
}

func TestCrossbeamCapacity(t *testing.T) {
	for i := 1; i < 10; i++ {
		require.Equal(t, i, chanx.NewRing[int](i).Cap())
	}
	require.Panics(t, func() { chanx.NewRing[int](0) })
}

func TestCrossbeamLenEmptyFull(t *testing.T) {
	q := chanx.NewRing[struct{}](2)
	is := func(n int) {
		t.Helper()
		require.Equal(t, n, q.Len())
		require.Equal(t, n, q.Stats().Len)
	}
	is(0)
	require.NoError(t, q.TrySend(struct{}{}))
	is(1)
	require.NoError(t, q.TrySend(struct{}{}))
	is(2)
	require.Equal(t, chanx.ErrFull, q.TrySend(struct{}{}))
	is(2)
	_, err := q.TryRecv()
	require.NoError(t, err)
	is(1)
}

func TestCrossbeamLen(t *testing.T) {
	const most = 1000
	q := chanx.NewRing[int](most)
	for range most / 10 {
		for i := range 50 {
			require.NoError(t, q.TrySend(i))
			require.Equal(t, i+1, q.Len())
		}
		for i := range 50 {
			_, err := q.TryRecv()
			require.NoError(t, err)
			require.Equal(t, 49-i, q.Len())
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 5_000 {
			if v := popAwaited(q); v != i || q.Len() > most {
				t.Errorf("%d for %d, len %d", v, i, q.Len())
				return
			}
		}
	})
	wg.Go(func() {
		for i := range 5_000 {
			pushAwaited(q, i)
			if n := q.Len(); n > most {
				t.Errorf("len %d", n)
			}
		}
	})
	wg.Wait()
	require.Zero(t, q.Len())
}

// pushAwaited and popAwaited spin, as the originals do.
func pushAwaited(q *chanx.Ring[int], v int) {
	for q.TrySend(v) != nil {
		runtime.Gosched()
	}
}

func popAwaited(q *chanx.Ring[int]) int {
	for {
		if v, err := q.TryRecv(); err == nil {
			return v
		}
		runtime.Gosched()
	}
}

func TestCrossbeamOneToOne(t *testing.T)   { crossbeamPush(t, 1) }
func TestCrossbeamManyToMany(t *testing.T) { crossbeamPush(t, 4) }

// crossbeamPush has n senders each send the same values, which must come out
// n times each, and of one sender in order.
func crossbeamPush(t *testing.T, n int) {
	const count = 5_000
	q := chanx.NewRing[int](3)
	seen := make([]atomic.Int64, count)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for i := range count {
				v := popAwaited(q)
				if n == 1 && v != i {
					t.Errorf("%d for %d", v, i)
				}
				seen[v].Add(1)
			}
		})
		wg.Go(func() {
			for i := range count {
				pushAwaited(q, i)
			}
		})
	}
	wg.Wait()
	for i := range seen {
		require.EqualValues(t, n, seen[i].Load(), "value %d", i)
	}
	_, err := q.TryRecv()
	require.Equal(t, chanx.ErrEmpty, err)
}

func TestCrossbeamOneToOneOverwriting(t *testing.T)   { crossbeamForcePush(t, 1) }
func TestCrossbeamManyToManyOverwriting(t *testing.T) { crossbeamForcePush(t, 4) }

// crossbeamForcePush counts evicted values as received.
func crossbeamForcePush(t *testing.T, n int) {
	const count = 5_000
	seen := make([]atomic.Int64, count)
	q := chanx.NewRingFunc(3, func(v int) { seen[v].Add(1) })
	var senders, receivers sync.WaitGroup
	for range n {
		receivers.Go(func() {
			for v := range q.All(context.Background()) {
				seen[v].Add(1)
			}
		})
		senders.Go(func() {
			for i := range count {
				q.Send(i)
			}
		})
	}
	senders.Wait()
	q.Close()
	receivers.Wait()
	for i := range seen {
		require.EqualValues(t, n, seen[i].Load(), "value %d", i)
	}
}

// Rust counts destructors; here the garbage collector must find nothing that
// was received or evicted, and everything that still waits.
func TestCrossbeamDrops(t *testing.T) {
	type big struct{ _ [64]byte }
	var made []weak.Pointer[big]
	q := chanx.NewRing[*big](5)
	for range 12 { // evicts 7
		p := new(big)
		made = append(made, weak.Make(p))
		q.Send(p)
	}
	for range 2 {
		_, err := q.TryRecv()
		require.NoError(t, err)
	}
	_, err := q.RecvBatch(t.Context(), make([]*big, 1))
	require.NoError(t, err)
	runtime.GC()
	for i, p := range made {
		require.Equal(t, i >= 10, p.Value() != nil, "value %d", i)
	}
	runtime.KeepAlive(q)
}

// A goroutine that has sent a value and lost none must find one: there are never
// more goroutines than places.
func TestCrossbeamLinearizable(t *testing.T) {
	const goroutines = 4
	var lost atomic.Int64
	q := chanx.NewRingFunc(goroutines, func(int) { lost.Add(1) })
	var wg sync.WaitGroup
	for range goroutines / 2 {
		wg.Go(func() {
			for range 5_000 {
				pushAwaited(q, 0)
				if _, err := q.TryRecv(); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 5_000 {
				q.Send(0)
				if _, err := q.TryRecv(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Zero(t, lost.Load(), "evicted though there was room")
	require.Zero(t, q.Len())
}

func TestCrossbeamIntoIter(t *testing.T) {
	q := chanx.NewRing[int](100)
	var want []int
	for i := range 100 {
		want = append(want, i)
		require.NoError(t, q.TrySend(i))
	}
	q.Close()
	require.Equal(t, want, slices.Collect(q.All(t.Context())))
}
