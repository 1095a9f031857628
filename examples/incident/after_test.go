package main

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const testBeat = time.Second

// TestRingLogThroughFaults logs 100,000 records from eight goroutines while
// the fault comes and goes, and finds every record written or dropped.
func TestRingLogThroughFaults(t *testing.T) {
	for _, f := range []fault{full, exit, panicking} {
		synctest.Test(t, func(t *testing.T) {
			l := newRingLog(context.Background(), newDisk(t, f), testBeat)
			var senders sync.WaitGroup
			for range 8 {
				senders.Go(func() {
					for i := range 12_500 {
						l.log(record{method: "GET"})
						if i%50 == 0 {
							time.Sleep(rand.N(10 * time.Millisecond))
						}
					}
				})
			}
			for range 20 {
				time.Sleep(rand.N(50 * time.Millisecond))
				l.disk.strike()
				l.rotation()
				time.Sleep(rand.N(50 * time.Millisecond))
				l.disk.lift()
			}
			senders.Wait()
			require.NoError(t, l.close(time.Minute))
			a := accountOf(t, l.account(), l.disk)
			assert.EqualValues(t, 100_000, a.Accepted)
			assert.Zero(t, a.Buffered)
			assert.Positive(t, a.Written)
			w := l.status()
			assert.Equal(t, chanx.StateStopped, w.State)
			assert.Positive(t, w.Restarts)
			for _, e := range w.Exits[:len(w.Exits)-1] {
				assert.True(t, f.caused(e.Err), "%v", e.Err)
			}
		})
	}
}

// TestRingLogKeepsWhatFits strikes with an empty log, and finds in the files
// the last records of all, in order: the oldest were dropped.
func TestRingLogKeepsWhatFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newRingLog(context.Background(), newDisk(t, full), testBeat)
		synctest.Wait()
		l.disk.strike()
		l.rotation()
		synctest.Wait()
		for range 3 * queue {
			l.log(record{method: "GET"})
		}
		assert.Equal(t, account{Accepted: 3 * queue, Dropped: 2 * queue,
			Buffered: queue}, accountOf(t, l.account(), l.disk))
		l.disk.lift()
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, account{Accepted: 3 * queue, Dropped: 2 * queue,
			Written: queue}, accountOf(t, l.account(), l.disk))
		require.NoError(t, l.close(time.Minute))
		l.log(record{})
		assert.EqualValues(t, 3*queue, l.account().Accepted, "closed")
	})
}

// TestRingLogStalls is not in virtual time: a write that hangs in the system
// is not something a bubble waits for. Nothing here depends on how long.
func TestRingLogStalls(t *testing.T) {
	l := newRingLog(context.Background(), newDisk(t, stall), 20*time.Millisecond)
	l.disk.strike()
	l.rotation()
	for l.stalls.Load() < 2 {
		l.log(record{method: "GET"})
		time.Sleep(time.Millisecond)
	}
	l.disk.lift()
	for l.status().State != chanx.StateRunning || l.account().Buffered > 0 {
		time.Sleep(time.Millisecond)
	}
	accountOf(t, l.account(), l.disk)
	l.disk.release()
	require.NoError(t, l.close(time.Minute))
	accountOf(t, l.account(), l.disk)
}

// TestRingLogCannotClose has a fault that stays: what could not be written is
// still counted after close has lost its patience.
func TestRingLogCannotClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newRingLog(context.Background(), newDisk(t, full), testBeat)
		synctest.Wait()
		l.disk.strike()
		l.rotation()
		synctest.Wait()
		l.log(record{})
		start := time.Now()
		assert.ErrorIs(t, l.close(time.Minute), context.Canceled)
		assert.Equal(t, time.Minute, time.Since(start))
		assert.Equal(t, account{Accepted: 1, Buffered: 1},
			accountOf(t, l.account(), l.disk))
	})
}

// flaky is a sink that takes what it is told to of each write.
type flaky struct {
	lines int64 // whole ones, taken so far
	take  func(len int) int
	panic bool
}

var errFlaky = errors.New("flaky")

func (f *flaky) Write(p []byte) (int, error) {
	if f.panic {
		panic(errFlaky)
	}
	n := f.take(len(p))
	f.lines += int64(bytes.Count(p[:n], []byte("\n")))
	if n < len(p) {
		return n, errFlaky
	}
	return n, nil
}

// TestRingLogShortWrites cuts writes anywhere: each record whose newline was
// written is counted as written, and each other one is tried again.
func TestRingLogShortWrites(t *testing.T) {
	l := &ringLog{ring: chanx.NewRing[record](queue)}
	var sink flaky
	for range 2000 {
		for range rand.N(queue) {
			require.NoError(t, l.ring.TrySend(record{method: "GET"}))
			l.accepted.Add(1)
		}
		for a := l.account(); a.Buffered > 0; a = l.account() {
			sink.take = func(n int) int { return rand.N(n + 1) }
			sink.panic = rand.N(4) == 0
			if sink.panic {
				assert.Panics(t, func() { _ = l.write(&sink) })
			} else if err := l.write(&sink); err != nil {
				assert.ErrorIs(t, err, errFlaky)
			}
			a := l.account()
			a.Written = sink.lines
			require.True(t, a.balanced(), "%+v", a)
		}
	}
	assert.NoError(t, l.write(&sink), "nothing to write")
	l.ring.Close()
	assert.ErrorIs(t, l.write(&sink), chanx.ErrStop)
}

// TestRingLogReplacedLeavesRotation has a consumer that was replaced find word
// of a rotation: it is for its successor. Taken, it once sent the wrong one to
// the disk that hangs.
func TestRingLogReplacedLeavesRotation(t *testing.T) {
	l := &ringLog{disk: newDisk(t, full), rot: make(chan struct{}, 1),
		ring: chanx.NewRing[record](queue), beat: testBeat}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		l.rotation()
		assert.ErrorIs(t, l.fill(ctx), context.Canceled)
		require.Len(t, l.rot, 1)
	}
}
