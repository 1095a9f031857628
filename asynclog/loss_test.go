package asynclog

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Each gap has what was lost in it, since when, and the form of its first
// record.
func TestLossesOfEachGapAreItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l losses
		lose := func(record string, c class, before uint64) time.Time {
			time.Sleep(time.Second)
			l.dropNewest([]byte(record), newMark(len(record), c), before)
			return time.Now()
		}
		first := lose("plain", classInfo, 3)
		lose("{}", classError, 3)
		second := lose("{json}", classWarn, 5)
		require.False(t, l.due(2))
		require.True(t, l.due(3))
		require.Equal(t, Loss{Count: Count{2, 7}, Levels: Levels{Info: 1, Error: 1},
			Since: first, Until: time.Now(), format: formPlain}, l.take(3))
		require.False(t, l.due(4))
		require.True(t, l.pending())
		require.Equal(t, Loss{Count: Count{1, 6}, Levels: Levels{Warn: 1},
			Since: second, Until: time.Now(), format: formJSON}, l.take(9))
		require.False(t, l.due(9))
		require.False(t, l.pending())
		require.EqualValues(t, 3, l.queuedTold)
	})
}

// What was lost at several places is told as one if that is when it is told.
func TestLossesAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l losses
		since := time.Now()
		p := []byte("level=INFO")
		for i := range uint64(4) {
			l.dropNewest(p, newMark(10, classInfo), i)
		}
		time.Sleep(time.Second)
		l.evict(p, newMark(10, classWarn))
		l.reject(p, newMark(10, classError))
		l.tooLarge(make([]byte, 99), 3)
		require.EqualValues(t, 6, l.queued())
		require.Equal(t, Count{1, 10}, l.takeRejected().Count)
		l.reject(p, newMark(10, classError))
		total := l.total()
		got := l.take(2)
		require.Equal(t, Count{5, 50}, got.Count)
		require.Equal(t, Levels{Info: 3, Warn: 1, Error: 1}, got.Levels)
		require.Equal(t, formText, got.format, "that of the first")
		require.Equal(t, since, got.Since)
		require.EqualValues(t, 4, l.queuedTold)
		require.Equal(t, Loss{Count: Count{1, 10}, Levels: Levels{Info: 1},
			TooLarge: Count{1, 99}, Since: since, Until: time.Now(),
			format: formText}, l.take(3))
		require.Equal(t, total, l.total())
		require.Equal(t, total, l.told)
		require.EqualValues(t, 6, l.queuedTold)
	})
}

func TestLossesEndABatchWhereAGapIs(t *testing.T) {
	var l losses
	require.Equal(t, 10, l.before(5, 10), "there is none")
	l.dropNewest([]byte("x"), newMark(1, classInfo), 7)
	require.Equal(t, 2, l.before(5, 10))
	require.Equal(t, 1, l.before(5, 1))
	require.Equal(t, 10, l.before(7, 10), "it is here, and was not to be told")
	l.dropNewest([]byte("x"), newMark(1, classInfo), 9)
	require.Equal(t, 2, l.before(7, 10))
}
