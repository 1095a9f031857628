package queue

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/bench/plan"
)

var short = plan.Options{Rounds: 1, For: time.Millisecond, Quick: true}

// halving is a queue that drops every other value and tells nobody.
type halving struct {
	queue[[1]uint64]
	n atomic.Uint64
}

func (q *halving) send(v [1]uint64) int {
	if q.n.Add(1)%2 == 0 {
		return 0
	}
	return q.queue.send(v)
}

func TestMeasure_findsTheDropsItself(t *testing.T) {
	p := peer[[1]uint64]{name: "halving", unbounded: true,
		open: func(n int) queue[[1]uint64] {
			return &halving{queue: openSmallnest[[1]uint64](n)}
		}}
	for _, m := range []mode{flooded, stalled} {
		at := base()
		at.mode = m
		assert.InDelta(t, 0.5, measure(p, at, short).dropped, 0.01, m)
	}
}

func TestMeasure_heldIsTheQueueAlone(t *testing.T) {
	p := peers[[1]uint64]()[0]
	require.Equal(t, "chanx.Ring", p.name)
	for producers, capacity := range map[int]int{64: 65_536, 1024: 4096} {
		at := base()
		at.mode, at.capacity, at.producers = stalled, capacity, producers
		held, want := measure(p, at, short).memory, capacity*8
		assert.InDelta(t, want, held, float64(want)/4, producers)
	}
}

// One value in at least 20 milliseconds.
func TestMeasure_stalledTakesOne(t *testing.T) {
	at, procs := base(), runtime.GOMAXPROCS(0)
	at.mode, at.procs = stalled, procs+1
	o := plan.Options{For: 20 * time.Millisecond}
	r := measure(peers[[1]uint64]()[0], at, o)
	assert.LessOrEqual(t, r.delivered, 50.0)
	assert.Equal(t, procs, runtime.GOMAXPROCS(0))
}

func TestTasks_onceEach(t *testing.T) {
	seen := map[task]int{}
	for _, one := range tasks(axes()) {
		seen[one]++
		assert.Equal(t, 1, seen[one], one)
	}
	assert.Contains(t, seen, task{"xsync MPMC, evict loop", base()})
}

func TestMeasure_saysWhyNot(t *testing.T) {
	at := base()
	at.consumers = 8
	p := peer[[1]uint64]{name: "diode", oneReader: true}
	r := measure(p, at, short)
	assert.Equal(t, "diode: one reader only", r.why)
	cells, rounds := row([]string{"8", p.name, oldest}, r, true)
	require.Len(t, cells, len(columns("", true)))
	require.Len(t, rounds, len(cells))
	assert.Equal(t, "–", cells[heads])
}

func TestMeasure_keepingUpHoldsTheRate(t *testing.T) {
	at := base()
	setMode(&at, keepingUp)
	r := measure(peers[[1]uint64]()[0], at, plan.Options{For: 20 * time.Millisecond})
	assert.LessOrEqual(t, r.offered, 1.01*calm)
}

func TestMedian(t *testing.T) {
	rounds := make([]result, 3)
	for i, cost := range []float64{9, 1, 2} {
		rounds[i] = result{perOp: cost, allocs: 3 - cost, latency: newHistogram()}
		require.NoError(t, rounds[i].latency.RecordValue(int64(cost)))
	}
	m := median(rounds)
	assert.InDelta(t, 2, m.perOp, 0)
	assert.InDelta(t, 1, m.allocs, 0)
	assert.Equal(t, int64(3), m.latency.TotalCount())
	cells, values := row([]string{"1", "p", oldest}, m, false)
	assert.Equal(t, []string{"2.0", "200", "1.00"}, cells[heads:heads+3])
	assert.Equal(t, []float64{9, 1, 2}, values[heads])
	assert.Nil(t, values[heads+1], "the spread is no figure of its own")
}

// TestRun is what CI sees of this part: every peer at a few points.
func TestRun(t *testing.T) {
	procs := runtime.GOMAXPROCS(0)
	var announced, taken int
	o := short
	o.Steps = func(n int) { announced = n }
	o.Step = func(string) { taken++ }
	s, err := Run(o)
	require.NoError(t, err)
	assert.Equal(t, announced, taken)
	assert.Equal(t, procs, runtime.GOMAXPROCS(0))
	require.Len(t, s.Tables, 1+len(axes()))
	assert.Len(t, s.Tables[0].Rows, len(names()))
	for _, table := range s.Tables[1:] {
		assert.Zero(t, len(table.Rows)%len(names()), table.Title)
		assert.Len(t, table.Compare.Rounds, len(table.Rows), table.Title)
		for _, cells := range table.Rows {
			assert.Len(t, cells, len(table.Columns), table.Title)
		}
	}
	require.Len(t, s.Plots, 3)
	for _, p := range s.Plots {
		assert.Len(t, p.Lines, len(names()), p.File)
	}
}

func TestCompare_countsTheColumns(t *testing.T) {
	c, heads := compare(true), columns("", true)
	var less, more []string
	for _, i := range c.Less {
		less = append(less, heads[i])
	}
	for _, i := range c.More {
		more = append(more, heads[i])
	}
	assert.Equal(t, []string{"ns/op", "allocs/op", "dropped %", "p50 ns", "p99 ns",
		"p99.9 ns", "held KiB"}, less)
	assert.Equal(t, []string{"delivered/s"}, more)
	assert.Len(t, compare(false).Less, len(less)-4,
		"but dropped and the percentiles")
}

func TestPaced(t *testing.T) {
	for _, a := range axes() {
		assert.Equal(t, strings.HasPrefix(a.name, "Offered"), a.paced(), a.name)
	}
}
