package chanx_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/chanx"
)

// Zero MaxRestarts is no limit, not a limit of zero, whatever Within is.
func TestWithinAloneIsNoLimit(t *testing.T) {
	atOnce := chanx.RestartPolicy{MinBackoff: -1, Within: time.Hour}
	synctest.Test(t, func(t *testing.T) {
		assert.NoError(t, chanx.Supervise(t.Context(), failsTenTimes(), atOnce))
	})
	atOnce.Within = 0
	synctest.Test(t, func(t *testing.T) {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{Within: time.Hour})
		assert.NoError(t, s.Add("a", failsTenTimes(), atOnce))
		assert.NoError(t, s.Run(t.Context()))
	})
}

// Restarts that count for nothing are not kept: 100,000 moments in time would
// be more than two megabytes.
func TestUncountedRestartsAreNotKept(t *testing.T) {
	for name, policy := range map[string]chanx.RestartPolicy{
		"no limit":  {MinBackoff: -1, Within: time.Hour},
		"no window": {MinBackoff: -1, MaxRestarts: 1 << 30},
	} {
		var first, last runtime.MemStats
		runs := 0
		err := chanx.Supervise(t.Context(), func(context.Context) error {
			switch runs++; runs {
			case 10:
				runtime.GC()
				runtime.ReadMemStats(&first)
			case 100_000:
				runtime.GC()
				runtime.ReadMemStats(&last)
				return chanx.ErrStop
			}
			return errSet
		}, policy)
		assert.NoError(t, err)
		assert.Less(t, int64(last.HeapAlloc)-int64(first.HeapAlloc),
			int64(1<<20), name)
	}
}

func failsTenTimes() func(context.Context) error {
	left := 10
	return func(context.Context) error {
		if left--; left < 0 {
			return chanx.ErrStop
		}
		return errSet
	}
}
