package main

import (
	"slices"
	"sync"
	"time"
)

// tally counts how the requests of one phase to one server ended.
type tally struct {
	mu     sync.Mutex
	counts counts
	waited []time.Duration
}

// counts of requests: Sent == Answered + TimedOut + Failed once all have
// ended. The health checks among them are counted a second time.
type counts struct {
	Sent     int `json:"sent"`
	Answered int `json:"answered"` // in time, and rightly
	TimedOut int `json:"timed_out"`
	Failed   int `json:"failed"` // refused, cut off, or answered wrongly
	Health   int `json:"health_checks"`
	HealthOK int `json:"health_checks_answered"`
}

// outcome is how one request ended.
type outcome int

const (
	answered outcome = iota
	timedOut
	failed
)

func (t *tally) sent(health bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Sent++
	if health {
		t.counts.Health++
	}
}

// ended takes a request that was sent. A timeout has waited as well, and
// without it the slow would vanish from the percentiles.
func (t *tally) ended(health bool, how outcome, waited time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waited = append(t.waited, waited)
	switch how {
	case answered:
		t.counts.Answered++
		if health {
			t.counts.HealthOK++
		}
	case timedOut:
		t.counts.TimedOut++
	case failed:
		t.counts.Failed++
	}
}

func (t *tally) now() counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts
}

// wait is how long the client waited, over all requests that have ended.
type wait struct {
	P50 time.Duration `json:"p50_ns"`
	P99 time.Duration `json:"p99_ns"`
	Max time.Duration `json:"max_ns"`
}

func (t *tally) wait() wait {
	t.mu.Lock()
	defer t.mu.Unlock()
	sorted := slices.Sorted(slices.Values(t.waited))
	return wait{
		P50: quantile(sorted, 0.50),
		P99: quantile(sorted, 0.99),
		Max: quantile(sorted, 1),
	}
}

// quantile returns the smallest value that a share q of all do not exceed
// (the nearest rank), which is one that was measured. Of none it is zero.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(q * float64(len(sorted)))
	if float64(rank) < q*float64(len(sorted)) {
		rank++
	}
	return sorted[max(rank, 1)-1]
}
