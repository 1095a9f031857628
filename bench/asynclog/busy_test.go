package asynclog

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDurationsKeepASixteenth(t *testing.T) {
	for ns := uint64(0); ns < 1<<40; ns = ns*17/16 + 1 {
		step := stepOf(ns)
		require.LessOrEqual(t, floorOf(step), float64(ns))
		require.Greater(t, floorOf(step+1), float64(ns))
		require.LessOrEqual(t, float64(ns)-floorOf(step), float64(ns)/16)
	}
}

func TestDurationsRank(t *testing.T) {
	var a, b durations
	for i := range 999 {
		a.add(time.Duration(1 + i%8))
	}
	b.add(time.Second)
	a.merge(&b)
	assert.EqualValues(t, 1000, a.calls)
	assert.EqualValues(t, 5, a.at(0.5))
	assert.EqualValues(t, 8, a.at(0.99))
	assert.InDelta(t, float64(time.Second), a.at(0.999), float64(time.Second)/16)
	assert.EqualValues(t, time.Second, a.at(1))
	assert.Greater(t, a.mean(), float64(time.Millisecond))
	assert.Zero(t, new(durations).mean())
	assert.Zero(t, new(durations).at(0.5))
}

func TestBusyCountsWhatItDelivers(t *testing.T) {
	for _, hangs := range []bool{false, true} {
		v, err := busy(t.TempDir(), oursWait, 2, workPerLine,
			30*time.Millisecond, hangs)
		require.NoError(t, err)
		require.Zero(t, v[busyLost])
		require.Positive(t, v[busyLines])
	}
	v, err := busy(t.TempDir(), noLog, 2, workPerLine, 20*time.Millisecond, false)
	require.NoError(t, err)
	require.Zero(t, v[busyDelivered])
	require.Zero(t, v[busyLost])
	require.Positive(t, v[busyLines])
}
