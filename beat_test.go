package chanx_test

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// watched runs worker once, with a Heartbeat of ten seconds, and returns what
// was told.
func watched(t *testing.T, worker func(context.Context)) (lines []string) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		err := chanx.Supervise(t.Context(), func(ctx context.Context) error {
			worker(ctx)
			return nil
		}, chanx.RestartPolicy{
			Restart:   chanx.RestartNever,
			Heartbeat: 10 * time.Second,
			OnEvent:   j.note,
		})
		assert.NoError(t, err)
		lines = j.lines()
	})
	return lines
}

// TestStall moves the only sign of life over the edge: ten seconds of silence
// are allowed, one nanosecond more is a stall.
func TestStall(t *testing.T) {
	const stall = "10.000000001s stall: chanx: worker stalled, " +
		"from 0s for 10.000000001s, after 0, wait 0s"
	for _, tt := range []struct {
		silent time.Duration
		want   []string
	}{
		{10*time.Second - 1, []string{
			"10.999999999s exit: <nil>, from 0s for 10.999999999s, after 0, wait 0s, final",
		}},
		{10 * time.Second, []string{
			"11s exit: <nil>, from 0s for 11s, after 0, wait 0s, final",
		}},
		{10*time.Second + 2, []string{
			stall,
			"10.000000002s recover: <nil>, from 0s for 10.000000002s, after 0, wait 0s",
			"11.000000002s exit: <nil>, from 0s for 11.000000002s, after 0, wait 0s, final",
		}},
	} {
		assert.Equal(t, tt.want, watched(t, func(ctx context.Context) {
			time.Sleep(tt.silent)
			chanx.Beat(ctx)
			time.Sleep(time.Second)
		}), "silent for %v", tt.silent)
	}
}

// TestExitAtTheEdge: a worker that returns after ten seconds has not stalled;
// one that returns later has, and is not said to have recovered.
func TestExitAtTheEdge(t *testing.T) {
	assert.Equal(t, []string{
		"10s exit: <nil>, from 0s for 10s, after 0, wait 0s, final",
	}, watched(t, func(context.Context) { time.Sleep(10 * time.Second) }))
	assert.Equal(t, []string{
		"10.000000001s stall: chanx: worker stalled, from 0s for 10.000000001s, after 0, wait 0s",
		"20s exit: <nil>, from 0s for 20s, after 0, wait 0s, final",
	}, watched(t, func(context.Context) { time.Sleep(20 * time.Second) }))
}

// TestBeatsKeepWell over a day, each at the last possible moment.
func TestBeatsKeepWell(t *testing.T) {
	assert.Len(t, watched(t, func(ctx context.Context) {
		for range 8640 {
			time.Sleep(10 * time.Second)
			chanx.Beat(ctx)
		}
	}), 1)
}

// TestSeveralStalls: each is told once, however long it lasts, and each
// recovery too, and time counts from the last beat.
func TestSeveralStalls(t *testing.T) {
	assert.Equal(t, []string{
		"10.000000001s stall: chanx: worker stalled, from 0s for 10.000000001s, after 0, wait 0s",
		"1h0m0s recover: <nil>, from 0s for 1h0m0s, after 0, wait 0s",
		"1h0m19.000000001s stall: chanx: worker stalled, from 0s for 1h0m19.000000001s, after 0, wait 0s",
		"1h0m20s recover: <nil>, from 0s for 1h0m20s, after 0, wait 0s",
		"1h0m30.000000001s stall: chanx: worker stalled, from 0s for 1h0m30.000000001s, after 0, wait 0s",
		"1h0m31s exit: <nil>, from 0s for 1h0m31s, after 0, wait 0s, final",
	}, watched(t, func(ctx context.Context) {
		time.Sleep(time.Hour)
		chanx.Beat(ctx)
		time.Sleep(9 * time.Second)
		chanx.Beat(ctx)
		time.Sleep(11 * time.Second)
		chanx.Beat(ctx)
		time.Sleep(11 * time.Second)
	}))
}

// TestEachRunIsWatchedAnew: backing off is no silence, and the silence of one
// run does not count for the next.
func TestEachRunIsWatchedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, runs := newJournal(), 0
		policy := every(time.Hour)
		policy.Heartbeat, policy.OnEvent = 10*time.Second, j.note
		err := chanx.Supervise(t.Context(), func(context.Context) error {
			if runs++; runs == 4 {
				return chanx.ErrStop
			}
			time.Sleep([]time.Duration{9 * time.Second, 11 * time.Second, 10 * time.Second}[runs-1])
			return errBoom
		}, policy)
		require.NoError(t, err)
		assert.Equal(t, map[chanx.EventKind]int{
			chanx.EventExit: 4, chanx.EventRestart: 3, chanx.EventStall: 1,
		}, j.kinds())
	})
}

// TestBeatWithoutSupervisor, or without a Heartbeat, does nothing.
func TestBeatWithoutSupervisor(t *testing.T) {
	chanx.Beat(context.Background())
	chanx.Beat(t.Context())
	chanx.Beat(done())
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		err := chanx.Supervise(t.Context(), func(ctx context.Context) error {
			chanx.Beat(ctx)
			time.Sleep(24 * time.Hour)
			chanx.Beat(ctx)
			return chanx.ErrStop
		}, chanx.RestartPolicy{OnEvent: j.note})
		assert.NoError(t, err)
		assert.Len(t, j.all(), 1)
	})
}

// TestBeatWithDerivedContext: as long as it is made from the worker's, it need
// not even be alive.
func TestBeatWithDerivedContext(t *testing.T) {
	type key struct{}
	assert.Len(t, watched(t, func(ctx context.Context) {
		below, cancel := context.WithTimeout(
			context.WithValue(ctx, key{}, 1), time.Second)
		defer cancel()
		for range 10 {
			time.Sleep(10 * time.Second)
			chanx.Beat(below)
		}
		for range 10 {
			time.Sleep(10 * time.Second)
			chanx.Beat(context.WithoutCancel(ctx))
		}
	}), 1)
}

// TestBeatBeatsForTheNearest worker only: the outer one is silent.
func TestBeatBeatsForTheNearest(t *testing.T) {
	assert.Equal(t, []string{
		"10.000000001s stall: chanx: worker stalled, from 0s for 10.000000001s, after 0, wait 0s",
		"50s exit: <nil>, from 0s for 50s, after 0, wait 0s, final",
	}, watched(t, func(ctx context.Context) {
		j := newJournal()
		_ = chanx.Supervise(ctx, func(ctx context.Context) error {
			for range 5 {
				time.Sleep(10 * time.Second)
				chanx.Beat(ctx)
			}
			return chanx.ErrStop
		}, chanx.RestartPolicy{Heartbeat: 10 * time.Second, OnEvent: j.note})
		assert.Len(t, j.all(), 1)
	}))
}

// TestBeatAfterTheEnd: a beat after the run, or after Supervise, has no effect.
func TestBeatAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		var last context.Context
		err := chanx.Supervise(t.Context(), func(ctx context.Context) error {
			last = ctx
			time.Sleep(time.Minute)
			return nil
		}, chanx.RestartPolicy{
			Restart:   chanx.RestartNever,
			Heartbeat: time.Second,
			OnEvent:   j.note,
		})
		require.NoError(t, err)
		for range 10 {
			chanx.Beat(last)
			time.Sleep(time.Hour)
		}
		assert.Equal(t, map[chanx.EventKind]int{
			chanx.EventStall: 1, chanx.EventExit: 1,
		}, j.kinds())
	})
}

// TestBeatFromManyGoroutines of a worker on the brink: stalls and recoveries
// must alternate, whatever beats when.
func TestBeatFromManyGoroutines(t *testing.T) {
	manyProcs(t)
	n := rounds(100_000) / 64
	j := newJournal()
	var stalls, recoveries int
	policy := chanx.RestartPolicy{
		Restart:   chanx.RestartNever,
		Heartbeat: time.Microsecond,
		OnEvent: func(e chanx.Event) {
			switch e.Kind {
			case chanx.EventStall:
				stalls++
			case chanx.EventRecover:
				recoveries++
			}
			if e.Missed > 0 { // of unknown kinds
				stalls, recoveries = 0, 0
				return
			}
			j.note(e)
		},
	}
	err := chanx.Supervise(t.Context(), func(ctx context.Context) error {
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				for i := range n {
					chanx.Beat(ctx)
					if i%8 == 0 {
						time.Sleep(time.Microsecond)
					}
				}
			})
		}
		all.Wait()
		return nil
	}, policy)
	require.NoError(t, err)
	assert.InDelta(t, stalls, recoveries, 1)
	t.Logf("%d events", len(j.all()))
}

// TestStallAndExitAtOnce: a stall is told before the exit or not at all, and
// belongs to the run that is going on, however close the two come.
func TestStallAndExitAtOnce(t *testing.T) {
	manyProcs(t)
	n := rounds(100_000)
	synctest.Test(t, func(t *testing.T) {
		running, stalls, exits := true, 0, 0
		policy := every(1)
		policy.Heartbeat = 10
		policy.OnEvent = func(e chanx.Event) {
			assert.Zero(t, e.Missed)
			switch e.Kind {
			case chanx.EventStall:
				stalls++
				if !running {
					t.Errorf("stall at %v between two runs", e.At)
				}
			case chanx.EventExit:
				exits++
				running = false
			case chanx.EventRestart:
				running = true
			}
		}
		runs := 0
		err := chanx.Supervise(t.Context(), func(ctx context.Context) error {
			if runs++; runs == n {
				return chanx.ErrStop
			}
			time.Sleep(11 * time.Nanosecond) // when the timer fires
			return errBoom
		}, policy)
		require.NoError(t, err)
		assert.Equal(t, n, exits)
		t.Logf("%d exits, %d stalls just before them", exits, stalls)
	})
}

// stalling is a policy that replaces a worker silent for ten seconds after
// another ten.
func stalling(hook func(chanx.Event)) chanx.RestartPolicy {
	policy := every(10 * time.Second)
	policy.Heartbeat, policy.ReplaceStalled = 10*time.Second, true
	policy.OnEvent = hook
	return policy
}

// TestReplaceStalled: the successor runs, the old run's context is cancelled
// with the cause, and its late exit is told but changes nothing.
func TestReplaceStalled(t *testing.T) {
	for name, tt := range map[string]struct {
		out  func() error
		said string
	}{
		"error":  {byError, "chanx: worker stalled, replaced, and ended after all: boom"},
		"nil":    {byNil, "chanx: worker stalled, replaced, and returned after all"},
		"goexit": {byGoexit, "chanx: worker stalled, replaced, and ended after all: chanx: worker called runtime.Goexit"},
		"stop": {func() error { return chanx.ErrStop },
			"chanx: worker stalled, replaced, and ended after all: chanx: worker stopped for good"},
	} {
		t.Run(name, func(t *testing.T) { replaceStalled(t, tt.out, tt.said) })
	}
}

func replaceStalled(t *testing.T, out func() error, said string) {
	synctest.Test(t, func(t *testing.T) {
		j, runs := newJournal(), atomic.Int32{}
		err := chanx.Supervise(t.Context(), func(ctx context.Context) error {
			if runs.Add(1) == 1 {
				<-ctx.Done()
				assert.Equal(t, 10*time.Second+1, time.Since(j.opened))
				assert.Equal(t, context.Canceled, ctx.Err())
				assert.Equal(t, chanx.ErrStalled, context.Cause(ctx))
				time.Sleep(15 * time.Second)
				chanx.Beat(ctx) // too late
				return out()
			}
			assert.NoError(t, ctx.Err())
			time.Sleep(9 * time.Second)
			return chanx.ErrStop
		}, stalling(j.note))
		require.NoError(t, err)
		assert.EqualValues(t, 2, runs.Load())
		const run1 = "chanx: worker stalled, from 0s for 10.000000001s, after 0, wait "
		assert.Equal(t, []string{
			"10.000000001s stall: " + run1 + "0s",
			"10.000000001s exit: " + run1 + "10s",
			"20.000000001s restart: " + run1 + "10s",
			"25.000000001s exit: " + said + ", from 0s for 25.000000001s, after 0, wait 0s",
			"29.000000001s exit: chanx: worker stopped for good, " +
				"from 20.000000001s for 9s, after 1, wait 0s, final",
		}, j.lines())
	})
}

// TestLateExitUnwraps to both ErrStalled and its own cause.
func TestLateExitUnwraps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, runs := newJournal(), atomic.Int32{}
		require.NoError(t, chanx.Supervise(t.Context(), func(ctx context.Context) error {
			if runs.Add(1) == 1 {
				time.Sleep(25 * time.Second)
				panic(errBoom)
			}
			time.Sleep(9 * time.Second)
			return chanx.ErrStop
		}, stalling(j.note)))
		require.Len(t, j.all(), 5)
		late := j.all()[3].Exit.Err
		assert.ErrorIs(t, late, chanx.ErrStalled)
		assert.ErrorIs(t, late, errBoom)
		var p *chanx.PanicError
		assert.ErrorAs(t, late, &p)
	})
}

// TestMaxRestartsBoundsTheLeak: of a worker that always hangs, 1 + MaxRestarts
// goroutines are left behind.
func TestMaxRestartsBoundsTheLeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate, runs := make(chan struct{}), atomic.Int32{}
		j := newJournal()
		policy := stalling(j.note)
		policy.MaxRestarts = 3
		err := chanx.Supervise(t.Context(), func(context.Context) error {
			runs.Add(1)
			<-gate
			return nil
		}, policy)
		assert.Equal(t, &chanx.RestartLimitError{
			Restarts: 3, Last: chanx.ErrStalled,
		}, err)
		assert.EqualValues(t, 4, runs.Load())
		assert.Equal(t, 70*time.Second+4, time.Since(j.opened))
		assert.Equal(t, map[chanx.EventKind]int{
			chanx.EventStall: 4, chanx.EventExit: 4,
			chanx.EventRestart: 3, chanx.EventGiveUp: 1,
		}, j.kinds())
		close(gate)
		synctest.Wait()
		assert.Len(t, j.all(), 12, "Supervise has returned: nothing may come")
	})
}

// TestShutdownWhileStalled: it waits for the worker, and does not wait for one
// that was replaced before. Once ctx is done nothing is replaced: a worker that
// flushes is silent.
func TestShutdownWhileStalled(t *testing.T) {
	for _, tt := range []struct {
		replace    bool
		done, took time.Duration
	}{
		{false, 5 * time.Second, time.Hour},
		{false, 15 * time.Second, time.Hour},
		{true, 5 * time.Second, time.Hour},
		{true, 15 * time.Second, 15 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), tt.done)
			defer cancel()
			j := newJournal()
			policy := stalling(j.note)
			policy.ReplaceStalled = tt.replace
			runs := atomic.Int32{}
			err := chanx.Supervise(ctx, func(context.Context) error {
				runs.Add(1)
				time.Sleep(time.Hour)
				return nil
			}, policy)
			assert.Equal(t, context.DeadlineExceeded, err)
			assert.Equal(t, tt.took, time.Since(j.opened))
			assert.EqualValues(t, 1, runs.Load())
			assert.Equal(t, map[chanx.EventKind]int{
				chanx.EventStall: 1, chanx.EventExit: 1,
			}, j.kinds())
			time.Sleep(time.Hour)
		})
	}
}

// TestGoexitOfASuccessor: the goroutine a replacement runs on is as
// replaceable as the first.
func TestGoexitOfASuccessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, runs := newJournal(), atomic.Int32{}
		err := chanx.Supervise(t.Context(), func(ctx context.Context) error {
			switch runs.Add(1) {
			case 1, 3:
				<-ctx.Done()
			case 2, 4:
				runtime.Goexit()
			}
			return chanx.ErrStop
		}, stalling(j.note))
		assert.NoError(t, err)
		assert.EqualValues(t, 5, runs.Load())
		assert.Equal(t, 4, j.kinds()[chanx.EventRestart])
	})
}

func TestBeatAllocatesNothing(t *testing.T) {
	noAllocs(t, "Beat without a supervisor", func() { chanx.Beat(t.Context()) })
	for _, limit := range []time.Duration{0, time.Hour} {
		err := chanx.Supervise(t.Context(), func(ctx context.Context) error {
			noAllocs(t, "Beat", func() { chanx.Beat(ctx) })
			return chanx.ErrStop
		}, chanx.RestartPolicy{Heartbeat: limit})
		assert.NoError(t, err)
	}
}

// TestHugeHeartbeat is no heartbeat that is always late. In virtual time a
// timer that fires at once, again and again, would never let this test end.
func TestHugeHeartbeat(t *testing.T) {
	for _, limit := range []time.Duration{math.MaxInt64 - 1, math.MaxInt64} {
		synctest.Test(t, func(t *testing.T) {
			j := newJournal()
			err := chanx.Supervise(t.Context(), func(ctx context.Context) error {
				chanx.Beat(ctx)
				time.Sleep(24 * time.Hour)
				chanx.Beat(ctx)
				return chanx.ErrStop
			}, chanx.RestartPolicy{Heartbeat: limit, OnEvent: j.note})
			assert.NoError(t, err)
			assert.Len(t, j.all(), 1)
		})
	}
}

// TestLateExitComesLate: a worker that returns the moment it is replaced is
// told to be late after it is told to be replaced.
func TestLateExitComesLate(t *testing.T) {
	manyProcs(t)
	n := rounds(100_000) / 10
	synctest.Test(t, func(t *testing.T) {
		j, runs := newJournal(), atomic.Int64{}
		err := chanx.Supervise(t.Context(), func(ctx context.Context) error {
			if runs.Add(1) > int64(n) {
				return chanx.ErrStop
			}
			<-ctx.Done()
			return errBoom
		}, stalling(j.note))
		require.NoError(t, err)
		events := j.all()
		require.Len(t, events, 4*n+1)
		for i := 0; i < 4*n; i += 4 {
			require.Equal(t, chanx.EventStall, events[i].Kind)
			require.Equal(t, chanx.ErrStalled, events[i+1].Exit.Err, "event %d", i+1)
			require.ErrorIs(t, events[i+2].Exit.Err, errBoom)
			require.Equal(t, chanx.EventRestart, events[i+3].Kind)
		}
	})
}

// TestStallIsNotHealthy: however long a run has lasted before it is replaced,
// it counts, or a Heartbeat of ResetAfter or more would leak without bound.
func TestStallIsNotHealthy(t *testing.T) {
	for _, silent := range []time.Duration{time.Minute - 1, time.Minute, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			j, runs := newJournal(), atomic.Int32{}
			policy := stalling(j.note)
			policy.Heartbeat, policy.MaxRestarts = silent, 3
			ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
			defer cancel()
			err := chanx.Supervise(ctx, func(ctx context.Context) error {
				runs.Add(1)
				<-ctx.Done()
				return nil
			}, policy)
			assert.EqualValues(t, 4, runs.Load())
			assert.Equal(t, &chanx.RestartLimitError{
				Restarts: 3, Last: chanx.ErrStalled,
			}, err)
		})
	}
}

// TestBeatOfAnotherRun: what a run has left behind cannot make the next one
// look alive.
func TestBeatOfAnotherRun(t *testing.T) {
	for name, out := range map[string]func() error{"error": byError, "goexit": byGoexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j, runs, gate := newJournal(), 0, make(chan struct{})
				policy := every(time.Second)
				policy.Heartbeat, policy.OnEvent = 10*time.Second, j.note
				err := chanx.Supervise(t.Context(), func(ctx context.Context) error {
					if runs++; runs == 1 {
						go beatUntil(ctx, gate)
						return out()
					}
					time.Sleep(time.Minute)
					return chanx.ErrStop
				}, policy)
				assert.NoError(t, err)
				require.Len(t, j.all(), 4)
				assert.Equal(t, chanx.EventStall, j.all()[2].Kind)
				assert.Equal(t, 11*time.Second+1, j.all()[2].At.Sub(j.opened))
				close(gate)
			})
		})
	}
}

func beatUntil(ctx context.Context, gate <-chan struct{}) {
	for {
		select {
		case <-gate:
			return
		case <-time.After(time.Second):
			chanx.Beat(ctx)
		}
	}
}

// TestStallCountsFromTheLastBeat, not from when the watch began: a watch that
// looks one nanosecond early must look again.
func TestStallCountsFromTheLastBeat(t *testing.T) {
	for silent, events := range map[time.Duration]int{
		10*time.Second - 1: 1, 10 * time.Second: 1, 10*time.Second + 2: 2,
	} {
		for _, first := range []time.Duration{1, 2, 5 * time.Second} {
			lines := watched(t, func(ctx context.Context) {
				time.Sleep(first)
				chanx.Beat(ctx)
				time.Sleep(silent)
			})
			assert.Len(t, lines, events, "silent for %v from %v", silent, first)
			if events == 2 {
				stall := (first + 10*time.Second + 1).String()
				assert.Contains(t, lines[0], stall+" stall: ")
			}
		}
	}
}

// TestLeakedGoroutinesAreBounded: a worker that hangs forever, in each run, is
// replaced until 16 of its goroutines are left behind, or as many as it may be
// restarted. Each that ends makes room for one more.
func TestLeakedGoroutinesAreBounded(t *testing.T) {
	for _, most := range []int{0, 3, 16, 40} {
		for name, supervise := range map[string]func(context.Context, worker, chanx.RestartPolicy) error{
			"Supervise": chanx.Supervise, "Supervisor": runAlone,
		} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					bound := max(16, most) + 1
					var live, runs atomic.Int32
					gate := make(chan struct{})
					policy := every(time.Second)
					policy.Heartbeat, policy.ReplaceStalled = time.Second, true
					policy.MaxRestarts = most
					ctx, cancel := context.WithCancel(t.Context())
					result := make(chan error, 1)
					go func() {
						result <- supervise(ctx, func(context.Context) error {
							runs.Add(1)
							live.Add(1)
							defer live.Add(-1)
							<-gate
							return nil
						}, policy)
					}()
					pause(time.Hour)
					if most > 0 {
						bound = most + 1
						var limit *chanx.RestartLimitError
						assert.ErrorAs(t, <-result, &limit)
					}
					assert.EqualValues(t, bound, live.Load())
					if most == 0 {
						gate <- struct{}{}
						pause(time.Hour)
						// If an old one ended, the last is stalled as it was.
						assert.LessOrEqual(t, live.Load(), int32(bound))
					}
					cancel()
					close(gate)
					synctest.Wait()
					assert.Zero(t, live.Load())
				})
			})
		}
	}
}

// runAlone is Supervise, by a Supervisor with one worker.
func runAlone(ctx context.Context, w worker, policy chanx.RestartPolicy) error {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	if err := s.Add("worker", w, policy); err != nil {
		return err
	}
	return s.Run(ctx)
}

// Of beats that come at once the latest counts, however they are stored.
func TestBeatsDoNotGoBackwards(t *testing.T) {
	manyProcs(t)
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	require.NoError(t, s.Add("pool", func(ctx context.Context) error {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range rounds(100_000) / 8 {
					chanx.Beat(ctx)
				}
			})
		}
		all.Wait()
		return chanx.ErrStop
	}, chanx.RestartPolicy{}))
	done := make(chan error)
	go func() { done <- s.Run(context.Background()) }()
	var last time.Time
	for {
		select {
		case err := <-done:
			require.NoError(t, err)
			return
		default:
		}
		beat := s.Status()[0].LastBeat
		if beat.Before(last) {
			t.Fatalf("a beat went back by %v", last.Sub(beat))
		}
		last = beat
		runtime.Gosched()
	}
}

// A worker that returns ErrStalled, as the error of something it uses, was not
// replaced, and its run is as healthy as any.
func TestReturningErrStalledIsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := chanx.RestartPolicy{MinBackoff: -1, MaxRestarts: 1}
		runs := 0
		err := chanx.Supervise(t.Context(), func(context.Context) error {
			if runs++; runs == 10 {
				return chanx.ErrStop
			}
			time.Sleep(time.Hour)
			return chanx.ErrStalled
		}, policy)
		assert.NoError(t, err)
		assert.Equal(t, 10, runs)
	})
}

// Once ctx is done a silent worker flushes, and is not abandoned.
func TestSuperviseDoesNotReplaceOnceCtxIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		flushed := false
		policy := stalling(nil)
		err := chanx.Supervise(ctx, func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Minute)
			flushed = true
			return nil
		}, policy)
		assert.Equal(t, context.DeadlineExceeded, err)
		assert.True(t, flushed)
	})
}

// The panic of a run that was replaced crashes as any other.
func TestAReplacedRunCrashes(t *testing.T) {
	policy := stalling(nil)
	policy.CrashOnPanic = true
	work := func() func(context.Context) error {
		var runs atomic.Int32
		return func(ctx context.Context) error {
			if runs.Add(1) == 1 {
				time.Sleep(time.Minute)
				panic(errBoom)
			}
			beatUntil(ctx, ctx.Done())
			return nil
		}
	}
	for name, run := range map[string]func(context.Context){
		"Supervise": func(ctx context.Context) { _ = chanx.Supervise(ctx, work(), policy) },
		"Supervisor": func(ctx context.Context) {
			s := chanx.NewSupervisor(chanx.SupervisorOptions{})
			_ = s.Add("a", work(), policy)
			_ = s.Run(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				began := time.Now()
				crash := func() (v any) {
					defer func() { v = recover() }()
					run(ctx)
					return nil
				}()
				assert.IsType(t, &chanx.PanicError{}, crash)
				assert.LessOrEqual(t, time.Since(began), 61*time.Second)
			})
		})
	}
}

// lateContext delays the next call of Err: the watch asks for it before it
// looks, so that this is a process that was stopped for as long.
type lateContext struct {
	context.Context
	late atomic.Int64
}

func (c *lateContext) Err() error {
	time.Sleep(time.Duration(c.late.Swap(0)))
	return c.Context.Err()
}

// A check that comes late by more than a quarter of the limit gives one more
// limit, and not another one without a beat in between.
func TestLateChecks(t *testing.T) {
	const limit = 8 * time.Second
	for name, tc := range map[string]struct {
		late  []time.Duration // of the first checks
		beats []time.Duration // after the one before
		stall time.Duration   // 0: none
	}{
		"in time":       {nil, nil, limit + 1},
		"a quarter":     {[]time.Duration{limit / 4}, nil, limit + 1 + limit/4},
		"more":          {[]time.Duration{limit/4 + 1}, nil, limit + 1 + limit/4 + 1 + limit + 1},
		"a frozen hour": {[]time.Duration{time.Hour}, nil, limit + 1 + time.Hour + limit + 1},
		"beats again":   {[]time.Duration{time.Hour}, []time.Duration{limit + 1 + time.Hour + limit}, 0},
		"twice": {[]time.Duration{time.Hour, time.Hour}, nil,
			limit + 1 + time.Hour + limit + 1 + time.Hour},
		"twice, and a beat between": {[]time.Duration{time.Hour, time.Hour},
			[]time.Duration{limit + 1 + time.Hour + 1}, 2*(limit+1+time.Hour) + limit + 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inner, cancel := context.WithCancel(t.Context())
				ctx := &lateContext{Context: inner}
				j := newJournal()
				policy := chanx.RestartPolicy{Heartbeat: limit, OnEvent: j.note}
				done := make(chan error, 1)
				go func() {
					done <- chanx.Supervise(ctx, func(run context.Context) error {
						for i, late := range tc.late {
							ctx.late.Store(int64(late))
							if i < len(tc.beats) {
								time.Sleep(tc.beats[i])
								chanx.Beat(run)
							} else {
								for ctx.late.Load() != 0 {
									time.Sleep(time.Second)
								}
							}
						}
						if tc.stall == 0 {
							time.Sleep(limit)
							cancel()
						}
						<-inner.Done()
						return nil
					}, policy)
				}()
				time.Sleep(5 * time.Hour)
				synctest.Wait()
				cancel()
				<-done
				var stalls []time.Duration
				for _, e := range j.all() {
					if e.Kind == chanx.EventStall {
						stalls = append(stalls, e.At.Sub(j.opened))
					}
				}
				if tc.stall == 0 {
					assert.Empty(t, stalls)
				} else if assert.NotEmpty(t, stalls) {
					assert.Equal(t, tc.stall, stalls[0])
				}
			})
		})
	}
}
