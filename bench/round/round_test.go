package round

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/bench/plan"
)

func TestRobinTakesTurnsAndReturnsMedians(t *testing.T) {
	var turns, steps []string
	announced := 0
	o := plan.Options{
		Rounds: 3,
		Steps:  func(n int) { announced += n },
		Step:   func(what string) { steps = append(steps, what) },
	}
	Announce(o, 3)
	next := []float64{9, 1, 5}
	got, err := Robin(o, "race", []string{"a", "b", "absent"},
		func(i int) ([]float64, error) {
			turns = append(turns, string("abc"[i]))
			switch i {
			case 2:
				return nil, nil
			case 1:
				return []float64{2, -2}, nil
			}
			v := next[0]
			next = next[1:]
			return []float64{v}, nil
		})
	require.NoError(t, err)
	assert.Equal(t, [][]float64{{5}, {2, -2}, nil}, got)
	assert.Equal(t, []string{"a", "b", "c", "c", "b", "a", "a", "b", "c"}, turns)
	assert.Len(t, steps, announced)
	assert.Equal(t, "race: b", steps[1])
}

func TestRobinEndsWithTheFirstError(t *testing.T) {
	broken, calls := errors.New("broken"), 0
	_, err := Robin(plan.Options{}, "", []string{"a", "b"},
		func(int) ([]float64, error) { calls++; return nil, broken })
	assert.ErrorIs(t, err, broken)
	assert.Equal(t, 1, calls)
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		v    []float64
		want float64
	}{
		{[]float64{7}, 7},
		{[]float64{9, 1, 5}, 5},
		{[]float64{1, 2}, 1.5},
		{[]float64{4, 1, 9, 3}, 3.5},
	} {
		given := slices.Clone(c.v)
		assert.InDelta(t, c.want, Median(c.v), 0, "%v", c.v)
		assert.Equal(t, given, c.v, "must be left in their order")
	}
	assert.Panics(t, func() { Median(nil) })
}

func TestSpread(t *testing.T) {
	assert.InDelta(t, 0.25, Spread([]float64{90, 100, 140}), 1e-12)
	assert.Zero(t, Spread([]float64{7}))
	assert.Zero(t, Spread([]float64{0, 0, 5}))
}
