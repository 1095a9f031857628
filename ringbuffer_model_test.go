package chanx_test

import "example.com/chanx"

// A sliceRing is what Ring promises to be, in the simplest words: a slice.
// It is not safe for concurrent use and never waits.
type sliceRing struct {
	vals    []int
	evicted []int
	closed  bool
	stats   chanx.RingStats
}

func newSliceRing(capacity int) *sliceRing {
	return &sliceRing{stats: chanx.RingStats{Cap: capacity}}
}

func (r *sliceRing) Send(v int) bool {
	if r.closed {
		return false
	}
	if len(r.vals) == r.stats.Cap {
		r.evicted = append(r.evicted, r.vals[0])
		r.vals = r.vals[1:]
		r.stats.Dropped++
	}
	r.store(v)
	return true
}

func (r *sliceRing) TrySend(v int) error {
	if r.closed {
		return chanx.ErrClosed
	}
	if len(r.vals) == r.stats.Cap {
		return chanx.ErrFull
	}
	r.store(v)
	return nil
}

func (r *sliceRing) store(v int) {
	r.vals = append(r.vals, v)
	r.stats.Sent++
	r.stats.HighWater = max(r.stats.HighWater, len(r.vals))
}

func (r *sliceRing) TryRecv() (int, error) {
	got, err := r.Take(1)
	if err != nil {
		return 0, err
	}
	return got[0], nil
}

// Take is RecvBatch with room for n values where that need not wait.
func (r *sliceRing) Take(n int) ([]int, error) {
	if len(r.vals) == 0 {
		if r.closed {
			return nil, chanx.ErrClosed
		}
		return nil, chanx.ErrEmpty
	}
	n = min(n, len(r.vals))
	got := r.vals[:n:n]
	r.vals = r.vals[n:]
	r.stats.Received += uint64(n)
	return got, nil
}

func (r *sliceRing) Close() { r.closed = true }

func (r *sliceRing) Stats() chanx.RingStats {
	s := r.stats
	s.Len = len(r.vals)
	return s
}
