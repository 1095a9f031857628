package chanx_test

import (
	"context"
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

func failsTenTimes() func(context.Context) error {
	left := 10
	return func(context.Context) error {
		if left--; left < 0 {
			return chanx.ErrStop
		}
		return errSet
	}
}
