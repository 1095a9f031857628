package periodic

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	runs := 0
	err := Schedule{Every: time.Millisecond}.Run(ctx,
		func(context.Context) error {
			if runs++; runs == 3 {
				cancel()
			}
			return nil
		})
	fmt.Println(runs, err)
	// Output: 3 context canceled
}

const s = time.Second

// begins returns when the runs of the job begin. Run i takes took[i], and the
// schedule ends with the last of them.
func begins(t *testing.T, sched Schedule, took ...time.Duration) (at []time.Duration) {
	t.Helper()
	start := time.Now()
	errEnd := errors.New("end")
	err := sched.Run(t.Context(), func(context.Context) error {
		at = append(at, time.Since(start))
		time.Sleep(took[len(at)-1])
		if len(at) == len(took) {
			return errEnd
		}
		return nil
	})
	if err != errEnd {
		t.Error(err)
	}
	return at
}

func expect(t *testing.T, got []time.Duration, want ...time.Duration) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("runs at %v, want %v", got, want)
	}
}

func TestFirstRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expect(t, begins(t, Schedule{Every: time.Hour}, 0), 0)
	})
}

func TestRegular(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expect(t, begins(t, Schedule{Every: 10 * s}, 0, 3*s, 10*s-1, 0, 0),
			0, 10*s, 20*s, 30*s, 40*s)
	})
}

func TestNoOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1000*s)
		defer cancel()
		running := false // the detector would see two runs at once
		Schedule{Every: s}.Run(ctx, func(context.Context) error {
			if running {
				t.Error("two at once")
			}
			running = true
			time.Sleep(5*s/2 + 1)
			running = false
			return nil
		})
	})
}

func TestMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expect(t, begins(t, Schedule{Every: 10 * s}, 35*s, 1*s, 20*s+1, 0, 0),
			0, 40*s, 50*s, 80*s, 90*s)
	})
}

func TestJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := begins(t, Schedule{Every: 10 * s, Jitter: 4 * s},
			make([]time.Duration, 1000)...)
		if at[0] != 0 {
			t.Error("the first at", at[0])
		}
		shortest, longest := time.Hour, time.Duration(0)
		for i, d := range at[1:] {
			late := d - time.Duration(i+1)*10*s
			shortest, longest = min(shortest, late), max(longest, late)
		}
		if shortest < 0 || shortest > s || longest >= 4*s || longest < 3*s {
			t.Error("late by", shortest, "to", longest)
		}
	})
}

func TestBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string
		type key struct{}
		ctx := context.WithValue(t.Context(), key{}, "ctx")
		errEnd := errors.New("end")
		Schedule{Every: s, Beat: func(ctx context.Context) {
			log = append(log, fmt.Sprint("beat ", ctx.Value(key{})))
		}}.Run(ctx, func(context.Context) error {
			if log = append(log, "run"); len(log) == 3 {
				return errEnd
			}
			return nil
		})
		if !slices.Equal(log, []string{"run", "beat ctx", "run"}) {
			t.Error(log)
		}
	})
}

func TestContextDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 25*s)
		defer cancel()
		start, runs := time.Now(), 0
		err := Schedule{Every: 10 * s}.Run(ctx, func(runCtx context.Context) error {
			if runCtx != ctx {
				t.Error("another context")
			}
			runs++
			return nil
		})
		if d := time.Since(start); err != context.DeadlineExceeded ||
			d != 25*s || runs != 3 {
			t.Error(err, d, runs)
		}
	})
}

func TestContextDoneBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := Schedule{Every: 1}.Run(ctx, func(context.Context) error {
		t.Error("runs")
		return nil
	})
	if err != context.Canceled {
		t.Error(err)
	}
}

func TestError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errBad := errors.New("bad")
		start := time.Now()
		err := Schedule{Every: time.Hour}.Run(t.Context(),
			func(context.Context) error { return errBad })
		if err != errBad || time.Since(start) != 0 {
			t.Error(err, time.Since(start))
		}
	})
}

func TestPanic(t *testing.T) {
	defer func() {
		if v := recover(); v != "boom" {
			t.Error(v)
		}
	}()
	Schedule{Every: time.Hour}.Run(t.Context(),
		func(context.Context) error { panic("boom") })
}

func TestBadArguments(t *testing.T) {
	for _, sched := range []Schedule{
		{}, {Every: -1}, {Every: 1, Jitter: -1}, {Every: 1, Jitter: 1},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic:", sched)
				}
			}()
			sched.Run(t.Context(), func(context.Context) error {
				return errors.New("end")
			})
		}()
	}
}

// A thousand schedules of one context end at once.
func TestContextDoneForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				Schedule{Every: s, Jitter: s / 2}.Run(ctx,
					func(context.Context) error { return nil })
			})
		}
		time.Sleep(10 * s)
		start := time.Now()
		cancel()
		all.Wait()
		if d := time.Since(start); d != 0 {
			t.Error("took", d)
		}
	})
}
