package suites

// Kotlin/kotlinx.coroutines, kotlinx-coroutines-core/common/test/channels:
// ChannelBufferOverflowTest (testDropLatest, testDropOldest) and
// ConflatedChannelTest (testBasicConflationOfferTryReceive,
// testConflatedSend, testConflatedClose, testConflationSendReceive,
// testConsumeAll). A conflated channel is one of capacity 1 that drops the
// oldest: a Ring of 1, or SendDropOldest on a channel of 1.

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// overflowing is a queue that drops values and counts them.
type overflowing struct {
	send    func(int)
	tryRecv func() (int, error)
	close   func()
	dropped func() int
}

func dropOldestRing(capacity int) overflowing {
	ring := chanx.NewRing[int](capacity)
	return overflowing{
		send:    func(v int) { ring.Send(v) },
		tryRecv: ring.TryRecv,
		close:   ring.Close,
		dropped: func() int { return int(ring.Stats().Dropped) },
	}
}

func dropOldestChannel(capacity int) overflowing {
	ch, dropped := make(chan int, capacity), 0
	return overflowing{
		send:    func(v int) { dropped += chanx.SendDropOldest(ch, v) },
		tryRecv: func() (int, error) { return chanx.TryRecv(ch) },
		close:   func() { close(ch) },
		dropped: func() int { return dropped },
	}
}

func dropLatestRing(capacity int) overflowing {
	ring, dropped := chanx.NewRing[int](capacity), 0
	return overflowing{
		send: func(v int) {
			if ring.TrySend(v) == chanx.ErrFull {
				dropped++
			}
		},
		tryRecv: ring.TryRecv,
		close:   ring.Close,
		dropped: func() int { return dropped },
	}
}

func dropLatestChannel(capacity int) overflowing {
	ch, dropped := make(chan int, capacity), 0
	return overflowing{
		send: func(v int) {
			if !chanx.TrySend(ch, v) {
				dropped++
			}
		},
		tryRecv: func() (int, error) { return chanx.TryRecv(ch) },
		close:   func() { close(ch) },
		dropped: func() int { return dropped },
	}
}

func TestKotlinOverflowTables(t *testing.T) {
	oldest := []any{
		sends(1), sends(2), sends(3), sends(4), gets(3),
		sends(5), sends(6), gets(5), gets(6), empty{}, lags(3),
	}
	latest := []any{
		sends(1), sends(2), sends(3), sends(4), gets(1),
		sends(5), sends(6), gets(2), gets(5), empty{}, lags(3),
	}
	conflated := []any{
		empty{}, sends(1), sends(2), sends(3), gets(3), empty{}, // offer, tryReceive
		sends(1), sends(2), gets(2), // send
		sends(1), closes{}, gets(1), ends{}, lags(3), // close
	}
	consumed := []any{closes{}, ends{}, lags(9)}
	for i := 10; i >= 1; i-- {
		consumed = append([]any{sends(i)}, consumed...)
	}
	consumed = append(consumed[:11:11], append([]any{gets(10)}, consumed[11:]...)...)
	for name, c := range map[string]struct {
		q     overflowing
		steps []any
	}{
		"testDropOldest, ring":    {dropOldestRing(2), oldest},
		"testDropOldest, channel": {dropOldestChannel(2), oldest},
		"testDropLatest, ring":    {dropLatestRing(2), latest},
		"testDropLatest, channel": {dropLatestChannel(2), latest},
		"testConflated, ring":     {dropOldestRing(1), conflated},
		"testConflated, channel":  {dropOldestChannel(1), conflated},
		"testConsumeAll, ring":    {dropOldestRing(1), consumed},
		"testConsumeAll, channel": {dropOldestChannel(1), consumed},
	} {
		t.Run(name, func(t *testing.T) { c.q.follow(t, c.steps) })
	}
}

func (q overflowing) follow(t *testing.T, steps []any) {
	for i, step := range steps {
		switch step := step.(type) {
		case sends:
			q.send(int(step))
			continue
		case closes:
			q.close()
			continue
		case lags:
			require.EqualValues(t, step, q.dropped(), "step %d: dropped", i)
			continue
		}
		v, err := q.tryRecv()
		switch step := step.(type) {
		case gets:
			gives(t, int(step), nil)(v, err)
		case empty:
			gives(t, 0, chanx.ErrEmpty)(v, err)
		case ends:
			gives(t, 0, chanx.ErrClosed)(v, err)
		}
	}
}

// Kotlin hands the first value to a receiver that waits. So does a channel;
// a Ring wakes it instead, and it may find a later value: newer ones in place
// of older ones is what conflation is for. The last one arrives in any case.
func TestKotlinConflationSendReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring := chanx.NewRing[int](1)
		got := make(chan int, 9)
		go func() {
			defer close(got)
			for v := range ring.All(t.Context()) {
				got <- v
			}
		}()
		ring.Send(2)
		synctest.Wait()
		require.Equal(t, 2, <-got)
		for v := 3; v <= 6; v++ {
			ring.Send(v)
		}
		synctest.Wait()
		last, n := 2, 0
		for v := range chanx.Drain(got) {
			require.Greater(t, v, last)
			last, n = v, n+1
		}
		require.Equal(t, 6, last)
		require.EqualValues(t, 4-n, ring.Stats().Dropped)
		ring.Close()
		synctest.Wait()
		_, err := chanx.TryRecv(got)
		require.Equal(t, chanx.ErrClosed, err)
	})
}

func TestKotlinHandOffToAWaitingReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch, got := make(chan int, 1), make(chan int, 1)
		go func() { got <- <-ch }()
		synctest.Wait()
		dropped := 0
		for v := 3; v <= 6; v++ {
			dropped += chanx.SendDropOldest(ch, v)
		}
		require.Equal(t, 3, <-got)
		gives(t, 6, nil)(chanx.TryRecv(ch))
		require.Equal(t, 2, dropped)
	})
}
