package main

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestQuantile compares with the definition: the smallest value measured that
// a share of q or more of all values do not exceed.
func TestQuantile(t *testing.T) {
	assert.Zero(t, quantile(nil, 0.5))
	for n := 1; n <= 210; n++ {
		sorted := make([]time.Duration, n)
		for i := range sorted {
			sorted[i] = rand.N(time.Duration(n))
		}
		slices.Sort(sorted)
		for _, percent := range []int{1, 50, 99, 100} {
			var want time.Duration
			for i := n - 1; i >= 0; i-- {
				if 100*(i+1) >= percent*n {
					want = sorted[i]
				}
			}
			got := quantile(sorted, float64(percent)/100)
			assert.Equal(t, want, got, "%d%% of %d", percent, n)
		}
	}
}

func TestTallyCounts(t *testing.T) {
	var tl tally
	var all sync.WaitGroup
	for i := range 600 {
		all.Go(func() {
			health := i%10 == 9
			tl.sent(health)
			tl.ended(health, outcome(i%3), time.Duration(i+1))
		})
	}
	all.Wait()
	assert.Equal(t, counts{Sent: 600, Answered: 200, TimedOut: 200, Failed: 200,
		Health: 60, HealthOK: 20}, tl.now())
	assert.Equal(t, wait{P50: 300, P99: 594, Max: 600}, tl.wait())
}
