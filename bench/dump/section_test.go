package dump

import (
	"io"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/plan/plantest"
	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func TestRunFillsEveryCell(t *testing.T) {
	s := plantest.Run(t, Run, plan.Options{
		For: 5 * time.Millisecond, Quick: true,
	})
	require.Len(t, s.Tables, 2)
	require.NotEmpty(t, s.Plots)
	for i, row := range s.Tables[0].Rows {
		require.Len(t, s.Tables[0].Compare.Rounds[i], len(row))
	}
}

func TestSpinSeesAGap(t *testing.T) {
	got := sample(sampler{"stops", profile(2)})
	assert.Positive(t, got[stopped])
	assert.Positive(t, got[gap])
	// What stops the world for itself is found in the runtime's count, and
	// that is no longer than the call.
	assert.LessOrEqual(t, got[stopped], 1.2*got[took])
}

func TestParseFailsOnAWrongCount(t *testing.T) {
	_, err := parse(parser{"short", func(r io.Reader) (int, any, error) {
		n, result, err := ours.read(r)
		return n - 1, result, err
	}}, 10)
	assert.ErrorContains(t, err, "found 9 of 10")
}

// How long the world stands still is a matter of the machine, how often is not.
// The least of several samples, since others may stop it as well.
func TestTakeStopsTheWorldAsOftenAsPprof(t *testing.T) {
	defer park(1000)()
	least := func(s sampler) uint64 {
		few := uint64(math.MaxUint64)
		for range 5 {
			_, before := pauses()
			s.take()
			_, after := pauses()
			few = min(few, after-before)
		}
		return few
	}
	want := least(samplers[1])
	assert.Positive(t, want)
	assert.Equal(t, want, least(samplers[0]), samplers[0].name)
	assert.Zero(t, least(sampler{"nothing", func() {}}))
}
