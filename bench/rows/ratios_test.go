package rows

import (
	"flag"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/plan/plantest"
	"example.com/chanx/internal/leakgate"
)

var (
	rounds  = flag.Int("rounds", 1, "rounds")
	forTime = flag.Duration("for", 10*time.Millisecond, "of one measurement")
	full    = flag.Bool("full", false, "as large as the rows say")
)

func TestMain(m *testing.M) { leakgate.Main(m) }

// TestRatios checks that every row is measured and logs what it is. It judges
// nothing: no test fails on the time of a clock.
//
//	go test ./rows -v -full -rounds 9 -for 300ms
func TestRatios(t *testing.T) {
	s := plantest.Run(t, Run, plan.Options{
		Rounds: *rounds, For: *forTime, Quick: !*full,
	})
	require.Len(t, s.Tables, 1)
	for _, r := range s.Tables[0].Rows {
		t.Logf("%-48s %-27s %-17s %8s  %s", r[0], r[1], r[2], r[3], r[4])
	}
}

func TestEveryMeasurementHasARow(t *testing.T) {
	type measurement struct{ source, key string }
	seen := map[measurement]bool{}
	for _, r := range rows {
		m := measurement{r.from.name, r.key}
		assert.False(t, seen[m], "%v twice", m)
		seen[m] = true
	}
	assert.Len(t, rows, 9+14+4)
}

// The allocations are no matter of speed, so they are asserted.
func TestNoAllocations(t *testing.T) {
	found, err := allocations(plan.Options{})
	require.NoError(t, err)
	for key, n := range found {
		assert.Zero(t, n, key)
	}
}

func TestARowThatNothingMeasuresIsAnError(t *testing.T) {
	r := row{"x", "y", 1, false, core, "nothing"}
	_, err := r.cells(map[string]map[string]float64{"core": {"other": 1}})
	assert.ErrorContains(t, err, `no measurement of "nothing" in core`)
}

func TestCells(t *testing.T) {
	for _, c := range []struct {
		r    row
		v    float64
		want []string
	}{
		{row{"a", "b", 1.05, false, core, "k"}, 1.05,
			[]string{"a", "b", "at most 1.05x", "1.05x", "reached"}},
		{row{"a", "b", 1.05, false, core, "k"}, 1.06,
			[]string{"a", "b", "at most 1.05x", "1.06x", "**missed**"}},
		{row{"a", "b", 10, true, core, "k"}, 9.99,
			[]string{"a", "b", "at least 10.00x", "9.99x", "**missed**"}},
		{row{"a", "b", 1.0 / 12, false, core, "k"}, 0.1,
			[]string{"a", "b", "at most 1/12.0", "1/10.0", "**missed**"}},
		{row{"a", "", 0, false, core, "k"}, 0,
			[]string{"a", "–", "at most 0", "0", "reached"}},
	} {
		got, err := c.r.cells(map[string]map[string]float64{"core": {"k": c.v}})
		require.NoError(t, err)
		assert.Equal(t, c.want, got)
	}
}

func TestRatiosOfTheRootAreParsed(t *testing.T) {
	got, err := parseRatios(`=== RUN   TestRatios
    ratios_test.go:123: TrySend full / inline select             7.6 ns     8.0 ns  0.95x (0.90–1.10), want 1.05x
    ratios_test.go:9: a / b      1000.2 ns  1166.8 ns  10.35x (0.90–20.10), want 0.60x
    other_test.go:9: c / d       1.0 ns  1.8 ns  1.35x (0.90–1.60), want 0.60x
`)
	require.NoError(t, err)
	assert.Equal(t, map[string]float64{
		"TrySend full / inline select": 0.95, "a / b": 10.35,
	}, got)
}
