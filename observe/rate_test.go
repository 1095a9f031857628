package observe

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/chanx"
)

func TestRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New()
		ring := chanx.NewRing[int](1)
		send := func(n int) {
			for i := range n {
				ring.Send(i)
			}
		}
		rate := func() Rate { return o.look(true).Rings[0].Rate }
		send(3)
		o.Ring("r", ring)
		send(10)
		time.Sleep(time.Second - 1)
		assert.Zero(t, rate(), "too near to tell")
		time.Sleep(time.Nanosecond)
		first := Rate{Over: time.Second, Sent: 10, Dropped: 10}
		assert.Equal(t, first, rate(), "since it was added")
		assert.Equal(t, first, rate(), "a second viewer at the same time")
		send(10)
		time.Sleep(time.Second - 1)
		assert.Equal(t, Rate{Over: 2*time.Second - 1, Sent: 20, Dropped: 20},
			rate(), "has the base of the look before")
		time.Sleep(time.Nanosecond)
		second := Rate{Over: time.Second, Sent: 10, Dropped: 10}
		for range 3 {
			assert.Equal(t, second, o.Snapshot().Rings[0].Rate)
			_ = o.String()
		}
		time.Sleep(time.Minute)
		assert.Equal(t, Rate{Over: 61 * time.Second, Sent: 10, Dropped: 10},
			rate(), "a Snapshot is no look")
		time.Sleep(10 * time.Second)
		assert.Equal(t, Rate{Over: 10 * time.Second}, rate())
	})
}

// Any number of viewers get correct rates, over a second at least.
func TestRatesOfSeveralViewers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New()
		ring := chanx.NewRing[int](1)
		o.Ring("r", ring)
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { // one value each millisecond
			for i := range 30_000 {
				ring.Send(i)
				time.Sleep(time.Millisecond)
			}
		})
		for _, every := range []time.Duration{100 * time.Millisecond,
			1100 * time.Millisecond, 7 * time.Second} {
			wg.Go(func() {
				for time.Sleep(1500 * time.Microsecond); time.Since(start) < 30*time.Second; time.Sleep(every) {
					r := o.look(true).Rings[0].Rate
					if r.Over == 0 {
						assert.Less(t, time.Since(start), 1100*time.Millisecond)
						continue
					}
					assert.GreaterOrEqual(t, r.Over, time.Second)
					assert.Less(t, r.Over, 2200*time.Millisecond)
					assert.InDelta(t, 1000, r.PerSecond(r.Sent), 1.1)
				}
			})
		}
		wg.Wait()
	})
}

// A name that goes to another ring does not take the rates along, and counts
// that go backwards have none.
func TestRatesAfterAReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New()
		ring := chanx.NewRing[int](1)
		o.Ring("r", ring)
		ring.Send(1)
		time.Sleep(time.Minute)
		assert.EqualValues(t, 1, o.look(true).Rings[0].Rate.Sent)
		o.Remove("r")
		o.Ring("r", chanx.NewRing[int](1))
		time.Sleep(time.Minute)
		assert.Equal(t, Rate{Over: time.Minute}, o.look(true).Rings[0].Rate)

		n := uint64(10)
		o.Ring("back", ringStats(func() chanx.RingStats {
			n--
			return chanx.RingStats{Sent: n}
		}))
		time.Sleep(time.Minute)
		assert.Zero(t, o.look(true).Rings[1].Rate)
	})
}

func TestPerSecond(t *testing.T) {
	assert.Zero(t, Rate{}.PerSecond(7))
	assert.Equal(t, 3.5, Rate{Over: 2 * time.Second}.PerSecond(7))
	for want, f := range map[string]float64{"0/s": 0, "under 0.01/s": 0.0099,
		"0.25/s": 0.25, "9.9/s": 9.9, "10/s": 9.99, "1,235/s": 1234.5} {
		assert.Equal(t, want, perSecond(f))
	}
}
