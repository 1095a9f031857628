package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx"
	"example.com/chanx/doctor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newLog(t *testing.T, f fault, stallAfter time.Duration) *asyncLog {
	ctx := pprof.WithLabels(context.Background(), pprof.Labels(labelKey, "mine"))
	return newAsyncLog(ctx, newDisk(t, f), stallAfter)
}

func numbered(i int) string { return fmt.Sprintf("GET /number-%06d %050d\n", i, 0) }

var number = regexp.MustCompile(`number-(\d{6}) 0{50}\n`)

// once returns the numbers in the files of d, and finds none twice.
func once(t *testing.T, d *disk) (numbers []int) {
	t.Helper()
	seen := map[string]bool{}
	for _, m := range number.FindAllStringSubmatch(written(t, d), -1) {
		require.False(t, seen[m[1]], "twice: %s", m[1])
		seen[m[1]] = true
		n, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		numbers = append(numbers, n)
	}
	return numbers
}

// TestAsyncLogThroughFaults logs 20,000 records from eight goroutines while
// the fault comes and goes, and finds each record written once or dropped, and
// the number of dropped ones in the files.
func TestAsyncLogThroughFaults(t *testing.T) {
	for _, f := range []fault{full, exit, panicking} {
		synctest.Test(t, func(t *testing.T) {
			l := newLog(t, f, time.Second)
			logThrough(l)
			require.NoError(t, l.close())
			a := accountOf(t, l.account(), l.file.disk)
			assert.EqualValues(t, 20_000, a.Accepted)
			assert.Zero(t, a.Buffered)
			assert.Len(t, once(t, l.file.disk), int(a.Written))
			assert.Equal(t, a.Dropped, l.file.disk.read("").lost)

			assert.Equal(t, chanx.StateStopped, l.worker().State)
			stats := l.Stats()
			require.NotEmpty(t, stats.Errors)
			for _, e := range stats.Errors {
				assert.True(t, f.caused(e.Err) || stall.caused(e.Err), "%v", e.Err)
			}
			assert.Equal(t, f == full, stats.SinkErrors > 0)
			assert.Equal(t, f != full, stats.Restarts > 0)
			assert.NotEmpty(t, l.told.lines())
		})
	}
}

func logThrough(l *asyncLog) {
	var senders sync.WaitGroup
	for s := range 8 {
		senders.Go(func() {
			for i := range 2_500 {
				l.LogWrite(numbered(s*2_500 + i))
				if i%50 == 0 {
					time.Sleep(rand.N(10 * time.Millisecond))
				}
			}
		})
	}
	for i := range 40 {
		time.Sleep(rand.N(50 * time.Millisecond))
		l.file.disk.strike(i%2 == 0)
		if i%2 == 0 {
			l.rotate(0)
		}
	}
	l.rotate(0)
	senders.Wait()
}

// TestAsyncLogKeepsTheNewest strikes with an empty log, and finds in the files
// the record that was being written, the loss, and then the last of all, in
// order.
func TestAsyncLogKeepsTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t, full, time.Second)
		l.file.disk.strike(true)
		const n = 3 * queue
		for i := range n {
			l.LogWrite(numbered(i))
			if i == 0 {
				synctest.Wait() // the worker has it in its hands
			}
		}
		a := accountOf(t, l.account(), l.file.disk)
		assert.EqualValues(t, n, a.Accepted)
		assert.Positive(t, a.Dropped)
		assert.GreaterOrEqual(t, a.Buffered, int64(queue), "as before holds")
		l.file.disk.strike(false)
		l.rotate(0)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, account{Accepted: n, Dropped: a.Dropped,
			Written: a.Buffered}, accountOf(t, l.account(), l.file.disk))
		for i, got := range once(t, l.file.disk) {
			want := n - int(a.Buffered) + i
			if i == 0 {
				want = 0
			}
			assert.Equal(t, want, got)
		}
		assert.Regexp(t, fmt.Sprintf(`number-000000 0*\n%s%d since [^\n]*\n`+
			`[^\n]*number-%06d`, lostMark, a.Dropped, a.Dropped+1),
			written(t, l.file.disk))
		require.NoError(t, l.close())
		l.LogWrite(numbered(0))
		assert.EqualValues(t, n, l.account().Accepted, "closed")
	})
}

// TestAsyncLogStalls is not in virtual time: a write that hangs in the system
// is not something a bubble waits for. No step depends on how long it takes:
// the worker makes no progress until the rotation, and after that nothing
// stops it.
func TestAsyncLogStalls(t *testing.T) {
	l := newLog(t, stall, 20*time.Millisecond)
	l.file.disk.strike(true)
	l.LogWrite(numbered(0))
	eventually(t, "a stall", func() bool {
		return l.Stats().Stalled && l.kept(stall) &&
			strings.Contains(strings.Join(l.told.lines(), "\n"), "has stalled")
	})
	l.file.disk.strike(false)
	assert.True(t, l.Stats().Stalled, "the write still hangs")
	eventually(t, "the log is written after a rotation", func() bool {
		l.rotate(0)
		return l.account().Buffered == 0 && l.worker().State == chanx.StateRunning
	})
	assert.Equal(t, account{Accepted: 1, Written: 1},
		accountOf(t, l.account(), l.file.disk))
	l.file.disk.release()
	require.NoError(t, l.close())
}

// eventually waits for a condition that is bound to hold, however slow the
// machine.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, time.Minute, time.Millisecond, what)
}

// TestLogFileUnderLoad rotates during the writes, and finds each line once, in
// order, in one piece.
func TestLogFileUnderLoad(t *testing.T) {
	f := &logFile{disk: newDisk(t, full), labels: context.Background()}
	ask := make(chan struct{})
	var rotator sync.WaitGroup
	rotator.Go(func() {
		for range ask {
			assert.NoError(t, f.rotate())
		}
	})
	var want strings.Builder
	for i := range 2000 {
		if i%5 == 0 {
			ask <- struct{}{} // taken after the previous rotation
		}
		line := numbered(i)
		n, err := f.Write([]byte(line))
		require.NoError(t, err)
		require.Equal(t, len(line), n)
		want.WriteString(line)
	}
	close(ask)
	rotator.Wait()
	assert.Equal(t, want.String(), written(t, f.disk))
	assert.Greater(t, f.disk.opened, 1)
	f.disk.dir += "-missing"
	require.NoError(t, f.rotate())
	_, err := f.Write([]byte("a line\n"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// TestLogFileLabels has a goroutine without labels, as that of a restarted
// worker is, found under the label of its server.
func TestLogFileLabels(t *testing.T) {
	ctx := pprof.WithLabels(context.Background(), pprof.Labels(labelKey, "mine"))
	f := &logFile{disk: newDisk(t, stall), labels: ctx}
	f.disk.strike(true)
	var writer sync.WaitGroup
	writer.Go(func() { _, _ = f.Write([]byte("a line\n")) })
	eventually(t, "a goroutine with the label", func() bool {
		groups := doctor.Diagnose(doctor.Rules{}, doctor.Take()).Groups
		return (&server{url: "mine"}).reading(groups).Now > 0
	})
	f.disk.release()
	require.NoError(t, f.rotate())
	writer.Wait()
	require.NoError(t, f.rotate())
}
