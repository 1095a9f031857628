package asynclog

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Each gap has what was lost in it, since when, and the form of its first
// record.
func TestLosses_of_each_gap_are_its_own(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l losses
		lose := func(record string, c class, before uint64) time.Time {
			time.Sleep(time.Second)
			l.add([]byte(record), newMark(len(record), c), before)
			return time.Now()
		}
		first := lose("plain", classInfo, 3)
		lose("{}", classError, 3)
		second := lose("{json}", classWarn, 5)
		_, ok := l.take(2)
		require.False(t, ok)
		got, ok := l.take(3)
		require.True(t, ok)
		require.Equal(t, Loss{Count{2, 7}, Levels{Info: 1, Error: 1}, first,
			time.Now(), formPlain}, got)
		_, ok = l.take(4)
		require.False(t, ok)
		got, ok = l.take(9)
		require.True(t, ok)
		require.Equal(t, Loss{Count{1, 6}, Levels{Warn: 1}, second,
			time.Now(), formJSON}, got)
		_, ok = l.take(9)
		require.False(t, ok)
	})
}

func TestLosses_end_a_batch_where_a_gap_is(t *testing.T) {
	var l losses
	require.Equal(t, 10, l.before(5, 10), "there is none")
	l.add([]byte("x"), newMark(1, classInfo), 7)
	require.Equal(t, 2, l.before(5, 10))
	require.Equal(t, 1, l.before(5, 1))
	require.Equal(t, 10, l.before(7, 10), "it is here, and was not to be told")
}
