package chanx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// waits supervises a worker that fails at once, and returns its first n
// backoffs. The last one is not waited for.
func waits(t *testing.T, n int, policy chanx.RestartPolicy) (got []time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		policy.OnEvent = func(e chanx.Event) {
			if e.Kind != chanx.EventExit || len(got) == n {
				return
			}
			assert.Equal(t, len(got), e.Exit.Restarts)
			if got = append(got, e.Exit.Backoff); len(got) == n {
				cancel()
			}
		}
		var starts []time.Time
		err := chanx.Supervise(ctx, func(context.Context) error {
			starts = append(starts, time.Now())
			return errBoom
		}, policy)
		assert.Equal(t, context.Canceled, err)
		for i := range got[1:] {
			assert.Equal(t, got[i], starts[i+1].Sub(starts[i]))
		}
	})
	require.Len(t, got, n)
	return got
}

// TestBackoffRange checks each wait of a long row against the formula of the
// doc: the n-th between MinBackoff and MinBackoff*2^(n-1), at most MaxBackoff.
func TestBackoffRange(t *testing.T) {
	const never = math.MaxInt64
	for name, tt := range map[string]struct {
		policy   chanx.RestartPolicy
		low, top time.Duration
		n        int
	}{
		"zero":        {chanx.RestartPolicy{}, 100 * time.Millisecond, 30 * time.Second, 100},
		"min only":    {chanx.RestartPolicy{MinBackoff: time.Second}, time.Second, 30 * time.Second, 40},
		"min above":   {chanx.RestartPolicy{MinBackoff: time.Minute}, time.Minute, time.Minute, 10},
		"max only":    {chanx.RestartPolicy{MaxBackoff: time.Second}, 100 * time.Millisecond, time.Second, 40},
		"max below":   {chanx.RestartPolicy{MaxBackoff: 99 * time.Millisecond}, 99 * time.Millisecond, 99 * time.Millisecond, 10},
		"equal":       {every(time.Second), time.Second, time.Second, 10},
		"1 ns":        {every(1), 1, 1, 100},
		"shift to 0":  {chanx.RestartPolicy{MinBackoff: 1, MaxBackoff: time.Hour}, 1, time.Hour, 200},
		"huge max":    {chanx.RestartPolicy{MinBackoff: 1 << 61, MaxBackoff: never}, 1 << 61, never, 3},
		"huge min":    {chanx.RestartPolicy{MinBackoff: never - 1}, never - 1, never - 1, 1},
		"both":        {every(never), never, never, 1},
		"no waiting":  {every(-1), 0, 0, 20},
		"none at all": {chanx.RestartPolicy{MinBackoff: math.MinInt64, MaxBackoff: time.Hour}, 0, 0, 20},
	} {
		t.Run(name, func(t *testing.T) {
			top := tt.low
			for i, wait := range waits(t, tt.n, tt.policy) {
				assert.GreaterOrEqual(t, wait, tt.low, "restart %d", i+1)
				assert.LessOrEqual(t, wait, top, "restart %d", i+1)
				if top <= tt.top/2 {
					top *= 2
				} else {
					top = tt.top
				}
			}
		})
	}
}

// TestBackoffIsFullJitter looks at the waits at the top of the range, 1 s to
// 17 s: the chance that 200 of them miss one of 16 equal parts is below 5e-5,
// and a mean outside 8 s to 10 s is three standard deviations off, so only
// misses of several parts, or of a mean by a quarter, fail.
func TestBackoffIsFullJitter(t *testing.T) {
	policy := chanx.RestartPolicy{
		MinBackoff: time.Second, MaxBackoff: 17 * time.Second,
	}
	got := waits(t, 205, policy)[5:]
	var part [16]int
	var sum time.Duration
	for _, wait := range got {
		part[min(int(wait/time.Second)-1, 15)]++
		sum += wait
	}
	hit := 0
	for _, n := range part {
		if n > 0 {
			hit++
		}
	}
	assert.GreaterOrEqual(t, hit, 13, "%v", part)
	assert.InDelta(t, 9, (sum / time.Duration(len(got))).Seconds(), 2.25)
}

// TestBackoffGrows: over 60 rows of waits, the n-th is once in the upper half
// of its range, and once in the lower. Each half is missed with a chance of
// 2^-60.
func TestBackoffGrows(t *testing.T) {
	var lows, tops [8]time.Duration
	for range 60 {
		row := waits(t, len(tops), chanx.RestartPolicy{
			MinBackoff: time.Second, MaxBackoff: time.Hour,
		})
		for i, wait := range row {
			tops[i] = max(tops[i], wait)
			if lows[i] == 0 || wait < lows[i] {
				lows[i] = wait
			}
		}
	}
	assert.Equal(t, time.Second, tops[0])
	for i := 1; i < len(tops); i++ {
		middle := (time.Second + time.Second<<i) / 2
		assert.Greater(t, tops[i], middle, "restart %d", i+1)
		assert.Less(t, lows[i], middle, "restart %d", i+1)
	}
}

// timeline is a worker whose n-th run lasts as long as the n-th entry says
// and then fails; after the last it returns ErrStop.
func timeline(runs *int, lasts ...time.Duration) func(context.Context) error {
	return func(context.Context) error {
		if *runs++; *runs > len(lasts) {
			return chanx.ErrStop
		}
		time.Sleep(lasts[*runs-1])
		return errBoom
	}
}

// TestReset: a run of ResetAfter is healthy, one a nanosecond shorter is not.
func TestReset(t *testing.T) {
	for _, reset := range []time.Duration{0, 5 * time.Second} {
		least := reset
		if least == 0 {
			least = time.Minute
		}
		synctest.Test(t, func(t *testing.T) {
			j, runs := newJournal(), 0
			err := chanx.Supervise(t.Context(),
				timeline(&runs, 0, 0, 0, least-1, least, 0, least+1, 0),
				chanx.RestartPolicy{
					MinBackoff: time.Second,
					MaxBackoff: time.Hour,
					ResetAfter: reset,
					OnEvent:    j.note,
				})
			require.NoError(t, err)
			var counts []int
			for _, e := range j.all() {
				if e.Kind != chanx.EventExit {
					continue
				}
				counts = append(counts, e.Exit.Restarts)
				if e.Exit.Restarts == 0 && !e.Exit.Final {
					assert.Equal(t, time.Second, e.Exit.Backoff)
				}
			}
			assert.Equal(t, []int{0, 1, 2, 3, 0, 1, 0, 1, 2}, counts)
		})
	}
}

// TestMaxRestarts without Within: all restarts since the last healthy run
// count, however far apart.
func TestMaxRestarts(t *testing.T) {
	for _, most := range []int{1, 2, 5} {
		synctest.Test(t, func(t *testing.T) {
			j, runs := newJournal(), 0
			policy := every(24 * time.Hour)
			policy.MaxRestarts, policy.OnEvent = most, j.note
			err := chanx.Supervise(t.Context(), func(context.Context) error {
				runs++
				return errBoom
			}, policy)
			assert.Equal(t, &chanx.RestartLimitError{
				Restarts: most, Last: errBoom,
			}, err)
			assert.Equal(t, 1+most, runs)
			assert.Equal(t, map[chanx.EventKind]int{
				chanx.EventExit:    most + 1,
				chanx.EventRestart: most,
				chanx.EventGiveUp:  1,
			}, j.kinds())
			last := j.all()[2*most+1]
			assert.Equal(t, chanx.EventGiveUp, last.Kind)
			assert.Equal(t, j.all()[2*most].Exit, last.Exit)
			assert.True(t, last.Exit.Final)
			assert.Zero(t, last.Exit.Backoff)
		})
	}
}

// TestMaxRestartsStartsAnew after a healthy run, without a window. A window
// counts all restarts in it, or three restarts in an hour would never give up a
// worker that fails every two minutes.
func TestMaxRestartsStartsAnew(t *testing.T) {
	for _, within := range []time.Duration{0, time.Hour} {
		for _, tt := range []struct {
			healthy time.Duration
			runs    int
		}{
			{time.Minute - 1, 3}, {time.Minute, 5},
		} {
			if within > 0 {
				tt.runs = 3
			}
			synctest.Test(t, func(t *testing.T) {
				policy := every(time.Second)
				policy.MaxRestarts, policy.Within = 2, within
				runs := 0
				err := chanx.Supervise(t.Context(), timeline(&runs,
					0, 0, tt.healthy, 0, 0, 0, 0, 0), policy)
				assert.ErrorIs(t, err, errBoom)
				assert.Equal(t, tt.runs, runs)
			})
		}
	}
}

// TestWithin moves the exit that would give up over the edge of the window:
// a restart has left it when exactly Within has passed since the exit before.
func TestWithin(t *testing.T) {
	for _, tt := range []struct {
		third time.Duration // when the third exit is
		runs  int
	}{
		{10*time.Second - 1, 3}, {10 * time.Second, 4}, {10*time.Second + 1, 4},
	} {
		synctest.Test(t, func(t *testing.T) {
			policy := every(time.Second)
			policy.MaxRestarts, policy.Within = 2, 10*time.Second
			runs := 0
			// Exits at 1 s, 4 s, 1 s + third, and 1 s later.
			err := chanx.Supervise(t.Context(), timeline(&runs,
				time.Second, 2*time.Second, tt.third-4*time.Second, 0, 0, 0), policy)
			assert.Equal(t, &chanx.RestartLimitError{
				Restarts: 2, Within: 10 * time.Second, Last: errBoom,
			}, err)
			assert.Equal(t, tt.runs, runs)
		})
	}
}

// TestWithinSlides: a worker that fails just seldom enough is never given up.
func TestWithinSlides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := every(time.Second)
		policy.MaxRestarts, policy.Within = 5, 50*time.Second
		policy.ResetAfter = time.Hour
		runs := 0
		err := chanx.Supervise(t.Context(), func(context.Context) error {
			time.Sleep(9 * time.Second)
			if runs++; runs == 1000 {
				return chanx.ErrStop
			}
			return errBoom
		}, policy)
		assert.NoError(t, err)
	})
}

// TestNilReturnGivesUp: the error says that there was none.
func TestNilReturnGivesUp(t *testing.T) {
	policy := every(-1)
	policy.MaxRestarts = 3
	err := chanx.Supervise(t.Context(), nothing, policy)
	assert.Equal(t, &chanx.RestartLimitError{Restarts: 3}, err)
	assert.EqualError(t, err, "chanx: gave up after 3 restarts "+
		"since the last healthy run: the worker returned nil")
	assert.NoError(t, errors.Unwrap(err))
}

func TestRestartLimitErrorText(t *testing.T) {
	err := &chanx.RestartLimitError{Restarts: 2, Within: time.Minute, Last: errBoom}
	assert.EqualError(t, err, "chanx: gave up after 2 restarts within 1m0s: boom")
	assert.ErrorIs(t, err, errBoom)
}

// TestContradictions panic before anything starts.
func TestContradictions(t *testing.T) {
	type p = chanx.RestartPolicy
	for message, policy := range map[string]p{
		"unknown RestartMode(3)":  {Restart: 3},
		"unknown RestartMode(-1)": {Restart: -1},
		"MaxBackoff < 0":          {MaxBackoff: -1},
		"ResetAfter < 0":          {ResetAfter: -1},
		"MaxRestarts < 0":         {MaxRestarts: -1},
		"Within < 0":              {Within: -1},
		"Heartbeat < 0":           {Heartbeat: -1},
		"MinBackoff > MaxBackoff": {MinBackoff: 2, MaxBackoff: 1},
		"ReplaceStalled without Heartbeat: nothing would ever stall": {ReplaceStalled: true},
		"ReplaceStalled with RestartNever: a replacement is a restart": {
			ReplaceStalled: true, Heartbeat: 1, Restart: chanx.RestartNever,
		},
		"3 restarts, 2s or more apart, never come within 6s: " +
			"it would never give up": {
			MaxRestarts: 3, Within: 6 * time.Second, MinBackoff: 2 * time.Second,
		},
		"10 restarts, 100ms or more apart, never come within 1s: " +
			"it would never give up": {MaxRestarts: 10, Within: time.Second},
		"60 restarts, 1m0s or more apart, never come within 10m0s: " +
			"it would never give up": {
			MaxRestarts: 60, Within: 10 * time.Minute, MinBackoff: time.Minute,
		},
		"with waits of 100ms to 30s, 11 restarts come within 1m0s on average, " +
			"not 20: it would hardly ever give up": {
			MaxRestarts: 20, Within: time.Minute,
		},
		"with waits of 1s to 3s, 3 restarts come within 6.5s on average, " +
			"not 5: it would hardly ever give up": {
			MaxRestarts: 5, Within: 6500 * time.Millisecond,
			MinBackoff: time.Second, MaxBackoff: 3 * time.Second,
		},
	} {
		t.Run(message, func(t *testing.T) {
			assert.EqualError(t, policy.Validate(), "chanx: restart policy: "+message)
			policy.OnEvent = func(chanx.Event) { t.Error("an event") }
			before := runtime.NumGoroutine()
			// A context that is done comes second: the policy is wrong anyway.
			for _, ctx := range []context.Context{t.Context(), done()} {
				assert.PanicsWithValue(t, "chanx: restart policy: "+message, func() {
					_ = chanx.Supervise(ctx, func(context.Context) error {
						t.Error("the worker was started")
						return chanx.ErrStop
					}, policy)
				})
			}
			assert.LessOrEqual(t, runtime.NumGoroutine(), before)
		})
	}
}

func done() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// TestNoContradiction: policies at the edge are allowed, and the limit is
// reached as the panic's reasoning says.
func TestNoContradiction(t *testing.T) {
	for _, policy := range []chanx.RestartPolicy{
		{MaxRestarts: 3, Within: 6*time.Second + 1, MinBackoff: 2 * time.Second, MaxBackoff: 2 * time.Second},
		{MaxRestarts: 3, Within: 4, MinBackoff: 1, MaxBackoff: 1},
		{MaxRestarts: 1000, Within: 1, MinBackoff: -1},
	} {
		synctest.Test(t, func(t *testing.T) {
			runs := 0
			err := chanx.Supervise(t.Context(), func(context.Context) error {
				runs++
				return errBoom
			}, policy)
			assert.ErrorIs(t, err, errBoom)
			assert.Equal(t, 1+policy.MaxRestarts, runs)
		})
	}
	for _, policy := range []chanx.RestartPolicy{
		{MaxRestarts: math.MaxInt, Within: math.MaxInt64, MinBackoff: 1, MaxBackoff: 1},
		{Within: time.Nanosecond},                        // no limit, no contradiction
		{MinBackoff: -1, MaxBackoff: time.Second},        // no waiting
		{MaxRestarts: 10, Restart: chanx.RestartNever},   // none will be made
		{Heartbeat: math.MaxInt64, ReplaceStalled: true}, // never stalls
	} {
		if policy.MaxRestarts == math.MaxInt && math.MaxInt == math.MaxInt64 {
			policy.MaxRestarts--
		}
		assert.NoError(t, policy.Validate())
		assert.NoError(t, chanx.Supervise(t.Context(), func(context.Context) error {
			return chanx.ErrStop
		}, policy))
	}
}

// TestWithinTheAverageWaits: the most that is valid is given up now and then,
// and the number that the doc calls certain always is.
func TestWithinTheAverageWaits(t *testing.T) {
	const most, certain, tries = 11, 9, 40
	policy := chanx.RestartPolicy{MaxRestarts: most + 1, Within: time.Minute}
	assert.Error(t, policy.Validate())
	givenUp := func(restarts int) bool {
		policy.MaxRestarts = restarts
		require.NoError(t, policy.Validate())
		var gaveUp bool
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			err := chanx.Supervise(ctx, func(context.Context) error {
				return errBoom
			}, policy)
			var limit *chanx.RestartLimitError
			gaveUp = errors.As(err, &limit)
		})
		return gaveUp
	}
	sometimes := 0
	for range tries {
		assert.True(t, givenUp(certain))
		if givenUp(most) {
			sometimes++
		}
	}
	// Half of the time: less than one in ten thousand below a fifth.
	assert.Greater(t, sometimes, tries/5)
}

func TestRestartModeString(t *testing.T) {
	for mode, want := range map[chanx.RestartMode]string{
		chanx.RestartAlways:    "always",
		chanx.RestartOnFailure: "on failure",
		chanx.RestartNever:     "never",
		3:                      "RestartMode(3)",
		-1:                     "RestartMode(-1)",
	} {
		assert.Equal(t, want, mode.String())
		text, err := mode.MarshalText()
		got := chanx.RestartMode(9)
		if mode < 0 || mode > 2 {
			assert.EqualError(t, err, "chanx: unknown "+want)
			assert.Error(t, got.UnmarshalText([]byte(want)))
			assert.EqualValues(t, 9, got)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, want, string(text))
		require.NoError(t, got.UnmarshalText(text))
		assert.Equal(t, mode, got)
	}
}

// TestPolicyFromAFile: as JSON, and back.
func TestPolicyFromAFile(t *testing.T) {
	var policy chanx.RestartPolicy
	const file = `{"Restart": "on failure", "MaxRestarts": 20, "Within": 60000000000}`
	require.NoError(t, json.Unmarshal([]byte(file), &policy))
	assert.Equal(t, chanx.RestartPolicy{
		Restart: chanx.RestartOnFailure, MaxRestarts: 20, Within: time.Minute,
	}, policy)
	assert.ErrorContains(t, policy.Validate(), "it would hardly ever give up")
	policy.OnEvent = func(chanx.Event) {}
	_, err := json.Marshal(policy)
	assert.NoError(t, err)
	err = json.Unmarshal([]byte(`{"Restart": "On Failure"}`), &policy)
	assert.ErrorContains(t, err, `unknown RestartMode "On Failure", `+
		`want one of ["always" "on failure" "never"]`)
}

// TestRestartLimitErrorShowsTheStack of a panic in Last, once, wherever the
// whole error is printed, and through a tree.
func TestRestartLimitErrorShowsTheStack(t *testing.T) {
	giveUp := atOnce
	giveUp.MaxRestarts = 1
	inner := func(ctx context.Context) error {
		return chanx.Supervise(ctx, func(context.Context) error {
			explode("boom")
			return nil
		}, giveUp)
	}
	for name, run := range map[string]func(context.Context) error{
		"supervise": inner,
		"supervisor": func(ctx context.Context) error {
			return runAlone(ctx, func(context.Context) error {
				explode("boom")
				return nil
			}, giveUp)
		},
		"tree": func(ctx context.Context) error {
			return runAlone(ctx, inner, giveUp)
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context())
			assert.NotContains(t, err.Error(), "\n")
			text, jsonErr := json.Marshal(map[string]error{"err": err})
			require.NoError(t, jsonErr)
			for _, said := range []string{
				fmt.Sprintf("%+v", err), string(text), logged("err", err),
			} {
				assert.Contains(t, said, "gave up after 1 restarts")
				assert.Equal(t, 1, strings.Count(said, "chanx_test.explode("), said)
			}
		})
	}
	plain := &chanx.RestartLimitError{Restarts: 2, Last: errBoom}
	assert.Equal(t, plain.Error(), fmt.Sprintf("%+v", plain))
	assert.Contains(t, logged("err", plain), `"err":"chanx: gave up`)
	text, err := json.Marshal(plain)
	require.NoError(t, err)
	assert.JSONEq(t, `{"error":"`+plain.Error()+`"}`, string(text))
	var none *chanx.RestartLimitError
	assert.Equal(t, "<nil>", fmt.Sprintf("%+v", none))
	assert.Contains(t, logged("err", none), `"err":"<nil>"`)
}

// TestBackoffOfASibling takes a worker along that was to wait for an hour.
func TestBackoffOfASibling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{Strategy: chanx.RestForOne})
		a := h.workers(everyOne(time.Second), "a")[0]
		b := h.workers(everyOne(time.Hour), "b")[0]
		h.start()
		b.exit(errSet)
		assert.Equal(t, time.Hour, h.status("b").Exits[0].Backoff)
		a.exit(errSet)
		pause(time.Second)
		assert.Equal(t, "a running, b running", h.states())
		h.end()
	})
}

// The second restart waits at most twice MinBackoff, also where MaxBackoff is
// only a nanosecond more. One in three waits would tell otherwise.
func TestBackoffBoundJustBelowTheMost(t *testing.T) {
	for range 64 {
		second := secondBackoff(t, chanx.RestartPolicy{
			MinBackoff: 1, MaxBackoff: 3, MaxRestarts: 2,
		})
		assert.LessOrEqual(t, int(second.Backoff), 2)
	}
}

func secondBackoff(t *testing.T, policy chanx.RestartPolicy) chanx.Exit {
	t.Helper()
	var exits []chanx.Exit
	policy.OnEvent = func(e chanx.Event) {
		if e.Kind == chanx.EventExit {
			exits = append(exits, e.Exit)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		fails := func(ctx context.Context) error { return errors.New("x") }
		require.Error(t, chanx.Supervise(t.Context(), fails, policy))
	})
	require.Len(t, exits, 3)
	return exits[1]
}

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

// A limit that backoff keeps out of reach would look like one, and be none.
func ExampleRestartPolicy_Validate() {
	policy := chanx.RestartPolicy{MaxRestarts: 20, Within: time.Minute}
	fmt.Println(policy.Validate())
	policy.Within = 0 // all restarts since the last healthy run
	fmt.Println(policy.Validate())
	// Output:
	// chanx: restart policy: with waits of 100ms to 30s, 11 restarts come within 1m0s on average, not 20: it would hardly ever give up
	// <nil>
}
