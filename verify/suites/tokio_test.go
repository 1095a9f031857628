package suites

// tokio-rs/tokio, tokio/tests/sync_broadcast.rs, the lag tables:
// send_try_recv_bounded, lagging_rx, single_capacity_recvs,
// single_capacity_recvs_after_drop_1 and _2, dropping_sender_does_not_overwrite,
// lagging_receiver_recovers_after_wrap_closed_1 and _2,
// lagging_receiver_recovers_after_wrap_open, receiver_len_with_lagged;
// send_recv_bounded, dropping_tx_notifies_rx, zero_capacity.
//
// A broadcast receiver that falls behind is told by how much; the receiver of
// a Ring reads that from Stats().Dropped. Tokio rounds a capacity of 3 up to 4;
// here it is 4 from the start. Its cases with two receivers are ported with
// the slower one, since values of a Ring go to one receiver.

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// The steps of a table: an operation, or a demand on the receiver.
type (
	sends  int
	gets   int
	lags   uint64
	lens   int
	empty  struct{}
	ends   struct{}
	closes struct{}
)

var lagTables = map[string]struct {
	capacity int
	steps    []any
}{
	"send_try_recv_bounded": {16, []any{empty{}, sends(1), gets(1), empty{}}},
	"lagging_rx": {2, []any{
		sends(1), sends(2), sends(3), lags(1), gets(2),
		sends(4), sends(5), lags(1), sends(6), lags(1), gets(5), gets(6),
	}},
	"single_capacity_recvs":              {1, []any{sends(1), gets(1), empty{}}},
	"single_capacity_recvs_after_drop_1": {1, []any{sends(1), closes{}, gets(1), ends{}}},
	"single_capacity_recvs_after_drop_2": {1, []any{
		sends(1), sends(2), closes{}, lags(1), gets(2), ends{},
	}},
	"dropping_sender_does_not_overwrite": {2, []any{
		sends(1), sends(2), closes{}, gets(1), gets(2), ends{},
	}},
	"lagging_receiver_recovers_after_wrap_closed_1": {2, []any{
		sends(1), sends(2), sends(3), closes{}, lags(1), gets(2), gets(3), ends{},
	}},
	"lagging_receiver_recovers_after_wrap_closed_2": {2, []any{
		sends(1), sends(2), sends(3), sends(4), closes{},
		lags(2), gets(3), gets(4), ends{},
	}},
	"lagging_receiver_recovers_after_wrap_open": {2, []any{
		sends(1), sends(2), sends(3), lags(1), gets(2), gets(3), empty{},
	}},
	"receiver_len_with_lagged": {4, []any{
		sends(10), sends(20), sends(30), sends(40), lens(4), gets(10),
		sends(50), sends(60), lens(5), lags(1), lens(4), gets(30),
	}},
}

// laggard is the receiver of a broadcast channel, made of a Ring.
type laggard struct {
	ring *chanx.Ring[int]
	told uint64
}

// lag returns how many values were lost since it was called last.
func (l *laggard) lag() uint64 {
	dropped := l.ring.Stats().Dropped
	n := dropped - l.told
	l.told = dropped
	return n
}

// tryRecv returns a lag before a value, as the original does.
func (l *laggard) tryRecv() any {
	if n := l.lag(); n > 0 {
		return lags(n)
	}
	switch v, err := l.ring.TryRecv(); err {
	case nil:
		return gets(v)
	case chanx.ErrClosed:
		return ends{}
	default:
		return empty{}
	}
}

func TestTokioLagTables(t *testing.T) {
	for name, table := range lagTables {
		t.Run(name, func(t *testing.T) {
			l := laggard{ring: chanx.NewRing[int](table.capacity)}
			for i, step := range table.steps {
				switch step := step.(type) {
				case sends:
					require.True(t, l.ring.Send(int(step)), "step %d", i)
				case closes:
					l.ring.Close()
				case lens: // with the lost values not yet reported
					s := l.ring.Stats()
					require.EqualValues(t, step, uint64(s.Len)+s.Dropped-l.told, "step %d", i)
				default:
					require.Equal(t, step, l.tryRecv(), "step %d", i)
				}
			}
		})
	}
}

func TestTokioSendWakesReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring := chanx.NewRing[string](16)
		var got string
		go func() { got, _ = ring.Recv(t.Context()) }()
		synctest.Wait()
		require.Empty(t, got)
		ring.Send("hello")
		synctest.Wait()
		require.Equal(t, "hello", got)
	})
}

func TestTokioDroppingSenderNotifiesReceivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring := chanx.NewRing[int](16)
		done := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := ring.Recv(t.Context())
				done <- err
			}()
		}
		time.Sleep(time.Second)
		require.Empty(t, done)
		ring.Close()
		for range 2 {
			require.Equal(t, chanx.ErrClosed, <-done)
		}
	})
}

func TestTokioZeroCapacity(t *testing.T) {
	require.Panics(t, func() { chanx.NewRing[int](0) })
	require.Panics(t, func() { chanx.NewRingFunc(-1, func(int) {}) })
}
