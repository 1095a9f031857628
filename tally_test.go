package chanx_test

import (
	"iter"
	"sync/atomic"
	"testing"
)

// A tally gives each sender values of its own and judges what receivers get:
// every value at most once, and each sender's in the order it sent them.
type tally struct {
	senders, each int
	seen          []atomic.Bool
	received      atomic.Int64
}

func newTally(senders, each int) *tally {
	return &tally{
		senders: senders,
		each:    each,
		seen:    make([]atomic.Bool, senders*each),
	}
}

func (y *tally) total() int { return y.senders * y.each }

// values are those of sender s: the sender is the value divided by each.
func (y *tally) values(s int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for v := s * y.each; v < (s+1)*y.each && yield(v); v++ {
		}
	}
}

// once notes v and fails t if it was noted before.
func (y *tally) once(t *testing.T, v int) {
	if y.seen[v].Swap(true) {
		t.Errorf("value %d came twice", v)
	}
}

// receiver returns what one receiving goroutine calls for each value.
func (y *tally) receiver(t *testing.T) func(v int) {
	last := make([]int, y.senders)
	for s := range last {
		last[s] = -1
	}
	return func(v int) {
		y.once(t, v)
		y.received.Add(1)
		s := v / y.each
		if v <= last[s] {
			t.Errorf("value %d after %d, both of sender %d", v, last[s], s)
		}
		last[s] = v
	}
}
