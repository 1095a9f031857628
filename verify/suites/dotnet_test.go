package suites

// dotnet/runtime, src/libraries/System.Threading.Channels/tests/
// BoundedChannelTests.cs: Count_IncrementsDecrementsAsExpected,
// TryWrite_TryRead_Many_Wait, TryWrite_TryRead_Many_DropOldest,
// DroppedDelegateNotCalledOnWaitMode_SyncWrites,
// DroppedDelegateIsNull_SyncWrites,
// DroppedDelegateCalledOnChannelFull_SyncWrites,
// DroppedDelegateCalledAfterLockReleased_SyncWrites. Wait mode's TryWrite is
// TrySend, DropOldest's is Send, the delegate is onDrop.

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

func TestDotnetCountIncrementsAndDecrements(t *testing.T) {
	const bound = 3
	r := chanx.NewRing[int](bound)
	for round := range 2 {
		for i := range bound {
			require.Equal(t, i, r.Len())
			require.NoError(t, r.TrySend(i))
			require.Equal(t, i+1, r.Len())
		}
		require.Equal(t, chanx.ErrFull, r.TrySend(42))
		require.Equal(t, bound, r.Len())
		if round == 1 {
			r.Close()
		}
		for i := range bound {
			gives(t, i, nil)(r.TryRecv())
			require.Equal(t, bound-i-1, r.Len())
		}
	}
}

func TestDotnetManyWait(t *testing.T) {
	for _, capacity := range []int{1, 10, 10_000} {
		dropped := 0
		r := chanx.NewRingFunc(capacity, func(int) { dropped++ })
		for i := range capacity {
			require.NoError(t, r.TrySend(i))
		}
		require.Equal(t, chanx.ErrFull, r.TrySend(capacity))
		for i := range capacity {
			gives(t, i, nil)(r.TryRecv())
		}
		gives(t, 0, chanx.ErrEmpty)(r.TryRecv())
		require.Zero(t, dropped, "DroppedDelegateNotCalledOnWaitMode")
	}
}

func TestDotnetManyDropOldest(t *testing.T) {
	for _, capacity := range []int{1, 10, 10_000} {
		r := chanx.NewRing[int](capacity)
		for i := range 2 * capacity {
			require.True(t, r.Send(i))
		}
		require.Equal(t, capacity, r.Len())
		for i := range capacity {
			gives(t, capacity+i, nil)(r.TryRecv())
		}
		gives(t, 0, chanx.ErrEmpty)(r.TryRecv())
	}
}

func TestDotnetDroppedDelegateIsNull(t *testing.T) {
	r := chanx.NewRingFunc[int](1, nil)
	require.True(t, r.Send(5))
	require.True(t, r.Send(5))
	require.EqualValues(t, 1, r.Stats().Dropped)
}

func TestDotnetDroppedDelegateCalledWhenFull(t *testing.T) {
	const capacity = 10
	var dropped []int
	r := chanx.NewRingFunc(capacity, func(v int) { dropped = append(dropped, v) })
	var want []int
	for i := range capacity {
		r.Send(i)
		want = append(want, i)
	}
	require.Empty(t, dropped)
	for i := range 10 {
		r.Send(capacity + i)
	}
	require.Equal(t, want, dropped, "each once, in order")
}

// Another goroutine uses the ring in every way, while onDrop waits for it:
// with the lock held, that would be a deadlock.
func TestDotnetDroppedDelegateCalledAfterLockReleased(t *testing.T) {
	called := 0
	var r *chanx.Ring[int]
	r = chanx.NewRingFunc(1, func(int) {
		if called++; called > 1 {
			return
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.Send(3) // and a second call of onDrop, within the first
			_ = r.TrySend(4)
			r.Len()
			r.Stats()
			_, _ = r.TryRecv()
			_, _ = r.RecvTimeout(0)
			r.Close()
		}()
		<-done
	})
	require.True(t, r.Send(1))
	require.True(t, r.Send(2))
	require.Equal(t, 2, called)
	require.False(t, r.Send(5))
	require.Empty(t, slices.Collect(r.All(t.Context())))
}
