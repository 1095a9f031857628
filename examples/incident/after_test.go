package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx"
	"example.com/chanx/asynclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const testStall = time.Second

func newLog(t *testing.T, f fault, stallAfter time.Duration) *asyncLog {
	return newAsyncLog(context.Background(), newDisk(t, f), stallAfter)
}

func (l *asyncLog) rotate(t *testing.T) {
	t.Helper()
	require.NoError(t, l.sink.rotate())
}

func numbered(i int) record {
	return record{method: "GET", uri: fmt.Sprintf("/number-%06d", i)}
}

// TestAsyncLogThroughFaults logs 20,000 records from eight goroutines while
// the fault comes and goes, and finds every record written once or dropped,
// and the files to say how many were.
func TestAsyncLogThroughFaults(t *testing.T) {
	for _, f := range []fault{full, exit, panicking} {
		synctest.Test(t, func(t *testing.T) {
			l := newLog(t, f, testStall)
			logThrough(t, l)
			require.NoError(t, l.close())
			a := accountOf(t, l.account(), l.sink.disk)
			assert.EqualValues(t, 20_000, a.Accepted)
			assert.Zero(t, a.Buffered)
			assert.Positive(t, a.Written)
			files, err := l.sink.disk.lines("")
			require.NoError(t, err)
			assert.EqualValues(t, a.Dropped, files.lost)
			once(t, written(t, l.sink.disk))

			assert.Equal(t, chanx.StateStopped, l.worker().State)
			stats := l.Stats()
			require.NotEmpty(t, stats.Errors)
			for _, e := range stats.Errors {
				assert.True(t, f.caused(e.Err) || stall.caused(e.Err), "%v", e.Err)
			}
			assert.Equal(t, f == full, stats.SinkErrors > 0)
			assert.Equal(t, f != full, stats.Restarts > 0)
			assert.NotEmpty(t, l.witness.lines())
		})
	}
}

func logThrough(t *testing.T, l *asyncLog) {
	t.Helper()
	var senders sync.WaitGroup
	for s := range 8 {
		senders.Go(func() {
			for i := range 2_500 {
				l.log(numbered(s*2_500 + i))
				if i%50 == 0 {
					time.Sleep(rand.N(10 * time.Millisecond))
				}
			}
		})
	}
	for range 20 {
		time.Sleep(rand.N(50 * time.Millisecond))
		l.sink.disk.strike()
		l.rotate(t)
		time.Sleep(rand.N(50 * time.Millisecond))
		l.sink.disk.lift()
	}
	senders.Wait()
}

var number = regexp.MustCompile(`number-(\d{6}) 0us\n`)

// once finds no number twice in text, and returns them.
func once(t *testing.T, text string) (numbers []int) {
	t.Helper()
	seen := map[string]bool{}
	for _, m := range number.FindAllStringSubmatch(text, -1) {
		require.False(t, seen[m[1]], "twice: %s", m[1])
		seen[m[1]] = true
		n, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		numbers = append(numbers, n)
	}
	return numbers
}

// TestAsyncLogKeepsWhatFits strikes with an empty log, and finds in the files
// the record that was being written, the loss, and then the last of all, in
// order.
func TestAsyncLogKeepsWhatFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t, full, testStall)
		l.sink.disk.strike()
		const n = 3 * queue
		for i := range n {
			l.log(numbered(i))
			if i == 0 {
				synctest.Wait() // the worker has it in its hands
			}
		}
		a := accountOf(t, l.account(), l.sink.disk)
		assert.EqualValues(t, n, a.Accepted)
		assert.Positive(t, a.Dropped)
		assert.GreaterOrEqual(t, a.Buffered, int64(queue), "as before holds")
		l.sink.disk.lift()
		time.Sleep(time.Minute)
		synctest.Wait()
		end := accountOf(t, l.account(), l.sink.disk)
		assert.Equal(t, account{Accepted: n, Dropped: a.Dropped,
			Written: a.Buffered}, end)
		text := written(t, l.sink.disk)
		for i, got := range once(t, text) {
			want := n - int(a.Buffered) + i
			if i == 0 {
				want = 0
			}
			assert.Equal(t, want, got)
		}
		assert.Regexp(t, fmt.Sprintf(`number-000000 0us\n%s%d since [^\n]*\n`+
			`[^\n]*number-%06d`, lostMark, a.Dropped, a.Dropped+1), text)
		require.NoError(t, l.close())
		l.log(record{})
		assert.EqualValues(t, n, l.account().Accepted, "closed")
	})
}

// TestAsyncLogStalls is not in virtual time: a write that hangs in the system
// is not something a bubble waits for. Nothing here depends on how long: with
// records to write and a disk that hangs the worker makes no progress until
// the rotation, and after that nothing is in its way.
func TestAsyncLogStalls(t *testing.T) {
	l := newLog(t, stall, 20*time.Millisecond)
	l.sink.disk.strike()
	i := 0
	eventually(t, "a stall", func() bool {
		l.log(numbered(i))
		i++
		return l.Stats().Stalled
	})
	eventually(t, "the fallback is told", func() bool {
		return strings.Contains(strings.Join(l.witness.lines(), "\n"), "has stalled")
	})
	l.sink.disk.lift()
	l.log(numbered(i))
	assert.True(t, l.Stats().Stalled, "to lift the fault is not enough")
	eventually(t, "the log is written after a rotation", func() bool {
		l.rotate(t)
		return l.account().Buffered == 0 &&
			l.worker().State == chanx.StateRunning
	})
	a := accountOf(t, l.account(), l.sink.disk)
	assert.EqualValues(t, i+1, a.Accepted)
	assert.Len(t, once(t, written(t, l.sink.disk)), int(a.Written))
	stats := l.Stats()
	assert.Positive(t, stats.Stalls)
	assert.True(t, stall.caused(stats.Errors[0].Err))
	l.sink.disk.release()
	require.NoError(t, l.close())
}

// TestAsyncLogCannotClose has a fault that stays: what could not be written is
// still counted after close has lost its patience.
func TestAsyncLogCannotClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t, full, testStall)
		l.sink.disk.strike()
		l.log(record{})
		start := time.Now()
		err := l.close()
		var left *asynclog.UnwrittenError
		require.ErrorAs(t, err, &left)
		assert.EqualValues(t, 1, left.Left.Records)
		assert.True(t, full.caused(left.Sink), "%v", left.Sink)
		assert.Equal(t, stopPatience, time.Since(start).Truncate(time.Second))
		assert.Equal(t, account{Accepted: 1, Buffered: 1},
			accountOf(t, l.account(), l.sink.disk))
	})
}
