package asynclog

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The histogram holds a nanosecond to a minute at three digits.
func newLatencies() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(time.Minute), 3)
}

// percentiles are the columns: p50, p99, p99.9 and the maximum.
func percentiles(h *hdrhistogram.Histogram) []float64 {
	return []float64{
		float64(h.ValueAtPercentile(50)), float64(h.ValueAtPercentile(99)),
		float64(h.ValueAtPercentile(99.9)), float64(h.Max()),
	}
}

func merged(all []*hdrhistogram.Histogram) *hdrhistogram.Histogram {
	sum := newLatencies()
	for _, h := range all {
		sum.Merge(h)
	}
	return sum
}
