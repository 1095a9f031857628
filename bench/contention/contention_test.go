package contention

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/plan/plantest"
	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) {
	if Child() {
		return
	}
	leakgate.Main(m)
}

// TestRun checks that every cell is filled. The counts from inside exist for the
// Ring alone, and only if the child process runs woven source.
func TestRun(t *testing.T) {
	s := plantest.Run(t, Run, plan.Options{For: 2 * time.Millisecond, Quick: true})
	require.Len(t, s.Tables, 6)
	for _, table := range s.Tables {
		if cannotShare() == "" {
			assert.NotEmpty(t, table.Rows, table.Title)
		}
		for _, row := range table.Rows {
			assert.NotContains(t, row, "", table.Title)
		}
	}
	floods := s.Tables[0]
	at := slices.Index(floods.Columns, "found the lock held")
	for _, row := range floods.Rows {
		for _, cell := range row[at : at+2] {
			assert.Equal(t, row[2] != ring.name, cell == figure.None, row)
		}
	}
}

func TestFloodCountsWhatItDelivers(t *testing.T) {
	for _, w := range ways {
		for _, senders := range []int{1, 8} {
			r := flood(load{Way: w.name, Senders: senders, Receiver: true,
				Sampled: true, For: time.Millisecond})
			assert.GreaterOrEqual(t, r.Calls, int64(senders), w.name)
			assert.LessOrEqual(t, r.Delivered, r.Calls, w.name)
			assert.LessOrEqual(t, r.P99, r.P999, w.name)
		}
		if w.name != blocking.name {
			r := flood(load{Way: w.name, Senders: 8, For: time.Millisecond})
			assert.Zero(t, r.Delivered, w.name)
			assert.Zero(t, r.P999, "not sampled")
		}
	}
}

// A figure that does not exist is NaN, which a table shows as a dash.
func TestFiguresOfAStalledChannel(t *testing.T) {
	f := figuresOf(outcome{Calls: 10, Took: 100, CPU: 50},
		outcome{Calls: 5, Waited: 20, Held: -1, Parked: -1})
	assert.InDelta(t, 10, f[0], 0)
	for _, i := range []int{4, 5, 6} { // CPU a value, held, parked
		assert.True(t, math.IsNaN(f[i]), i)
	}
	assert.InDelta(t, 4, f[7], 0)
	f = figuresOf(outcome{Calls: 10, Delivered: 5, Took: 100, CPU: 50},
		outcome{Calls: 5, Delivered: 3, Held: 2, Parked: 1})
	assert.Equal(t, []float64{10, 0.25, 0.125}, f[4:7])
}

func TestWeaveRefusesSourceThatHasChanged(t *testing.T) {
	_, err := weave("package chanx")
	assert.ErrorContains(t, err, "lock.go has not one")
}

func TestCells(t *testing.T) {
	c := column{show: figure.Time, interval: true, against: "x"}
	assert.Equal(t, []string{"2 ns (1–3)", "0.50x (0.25–1.50)"},
		c.cells([]float64{2, 1, 3}, []float64{4, 4, 2}))
	assert.Equal(t, []string{"2 ns", "1.00x"},
		c.cells([]float64{2}, []float64{2}))
	assert.Equal(t, figure.None, cell([]float64{math.NaN()}, figure.Time, true))
	assert.Equal(t, "500 ns (1 ns–2 µs)", span("500 ns", "1 ns", "2 µs"))
}

// Each way of waiting delivers every value, in order.
func TestSidesHandOver(t *testing.T) {
	for _, s := range sides {
		ch := make(chan int)
		send, recv := s.send(ch), s.recv(ch)
		together(100, func(n int) {
			for i := range n {
				send(i)
			}
		}, func(n int) {
			for i := range n {
				assert.Equal(t, i, recv(), s.name)
			}
		})
	}
}
