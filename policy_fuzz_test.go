package chanx_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// FuzzRestartPolicy drives Supervise, in virtual time, with a random policy
// and a random life of a worker, and holds every event and the result against
// an oracle that was written from the documentation alone.
func FuzzRestartPolicy(f *testing.F) {
	const ms = int64(time.Millisecond)
	// mode, min, max, reset, restarts, within, and two bytes for each run: the
	// way out, and how long the run lasts.
	for mode := range uint8(3) {
		for way := range byte(6) {
			f.Add(mode, int64(0), int64(0), int64(0), 0, int64(0), []byte{way, 0, way, 1, way, 200})
			f.Add(mode, 10*ms, 80*ms, 500*ms, 3, int64(0), []byte{way, 0, way, 5, way, 250, way, 1, way, 2, way, 3, way, 4})
			f.Add(mode, 10*ms, 10*ms, int64(0), 3, 400*ms, []byte{way, 9, 1, 10, 2, 11, 3, 12, 0, 0, 0, 0, 0, 0})
		}
	}
	f.Add(uint8(0), int64(-1), int64(0), int64(1), 2, int64(1), []byte{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	f.Add(uint8(1), int64(1), int64(1)<<62, int64(0), 0, int64(0), make([]byte, 90))
	f.Add(uint8(0), int64(-1), int64(0), int64(0), 31, int64(0), make([]byte, 64))
	f.Add(uint8(0), int64(5), int64(3), int64(0), 0, int64(0), []byte{0, 0})
	f.Add(uint8(0), 100*ms, int64(0), int64(0), 10, 1000*ms, []byte{0, 0})
	f.Add(uint8(0), 100*ms, 100*ms, int64(0), 10, 1000*ms+1, make([]byte, 24))
	f.Fuzz(func(t *testing.T, mode uint8, lo, hi, reset int64, most int, within int64, script []byte) {
		policy := chanx.RestartPolicy{
			Restart:    chanx.RestartMode(mode % 3),
			MinBackoff: time.Duration(lo % (1 << 50)),
			MaxBackoff: time.Duration(hi % (1 << 50)),
			ResetAfter: time.Duration(reset % (1 << 50)),
			// Few restarts, since few can be made.
			MaxRestarts: most % 32,
			Within:      time.Duration(within % (1 << 50)),
		}
		life := lifeOf(script)
		synctest.Test(t, func(t *testing.T) { followPolicy(t, policy, life) })
	})
}

// stretch is one run of a worker that is fuzzed.
type stretch struct {
	way   byte
	lasts time.Duration
}

// ways are the ways out; lifeOf leaves ErrStop, the last, to few runs.
var ways = []struct {
	out   func() error
	fails bool
	stops bool
}{
	{out: byError, fails: true},
	{out: byPanic, fails: true},
	{out: byNil},
	{out: byGoexit, fails: true},
	{out: func() error { return context.Canceled }, fails: true},
	{out: func() error { return fmt.Errorf("wrapped: %w", chanx.ErrStop) }, stops: true},
}

// lifeOf reads a life: durations are on a scale that meets every limit, and at
// the default edge of a healthy run.
func lifeOf(script []byte) (life []stretch) {
	for ; len(script) >= 2 && len(life) < 64; script = script[2:] {
		d := time.Duration(script[1]&0x1f) * 4 * time.Millisecond
		switch script[1] >> 5 {
		case 1:
			d = time.Minute + time.Duration(script[1]&0x1f) - 16
		case 2:
			d = time.Duration(script[1]&0x1f) * 10 * time.Second
		case 3:
			d = time.Duration(script[1] & 0x1f)
		}
		life = append(life, stretch{script[0] % byte(len(ways)), d})
	}
	return life
}

// oracle is the policy as its documentation tells it. It remembers every
// restart there ever was, and counts anew each time.
type oracle struct {
	policy chanx.RestartPolicy
	made   []time.Time // restarts, dated at the exit they follow
	reset  int         // how many of them were before the last healthy run
}

// broken reports whether the policy contradicts itself.
func (o *oracle) broken() bool {
	p := &o.policy
	if p.MaxBackoff < 0 || p.ResetAfter < 0 || p.MaxRestarts < 0 || p.Within < 0 {
		return true
	}
	if p.MinBackoff < 0 {
		return false
	}
	if p.MinBackoff > 0 && p.MaxBackoff > 0 && p.MinBackoff > p.MaxBackoff {
		return true
	}
	// If every wait is as long as it is on average: is the first of
	// MaxRestarts restarts still in the window at the exit that gives up?
	span := time.Duration(0)
	for n := range p.MaxRestarts {
		low, top := o.bounds(n)
		span += low + (top-low)/2
	}
	return p.MaxRestarts > 0 && p.Within > 0 && span >= p.Within
}

// bounds are the bounds of the wait that follows n restarts.
func (o *oracle) bounds(n int) (low, top time.Duration) {
	low, top = o.policy.MinBackoff, o.policy.MaxBackoff
	if low < 0 {
		return 0, 0
	}
	if low == 0 {
		low = 100 * time.Millisecond
		if top > 0 && top < low {
			low = top
		}
	}
	if top == 0 {
		top = max(30*time.Second, low)
	}
	wide := low
	for range n {
		if wide += wide; wide >= top {
			return low, top
		}
	}
	return low, wide
}

// expect returns the consequence of an exit: its count, whether a restart
// follows, and if not, whether the policy gave up.
func (o *oracle) expect(way byte, ran time.Duration, at time.Time) (count int, again, gaveUp bool) {
	healthy := o.policy.ResetAfter
	if healthy == 0 {
		healthy = time.Minute
	}
	if ran >= healthy {
		o.reset = len(o.made)
	}
	counted := o.made[o.reset:]
	count = len(counted)
	w := ways[way]
	switch mode := o.policy.Restart; {
	case w.stops, mode == chanx.RestartNever,
		mode == chanx.RestartOnFailure && !w.fails:
		return count, false, false
	}
	recent := 0
	if o.policy.Within == 0 {
		recent = count
	} else { // a window ignores healthy runs
		for _, made := range o.made {
			if at.Before(made.Add(o.policy.Within)) {
				recent++
			}
		}
	}
	if o.policy.MaxRestarts > 0 && recent >= o.policy.MaxRestarts {
		return count, false, true
	}
	o.made = append(o.made, at)
	return count, true, false
}

// followPolicy supervises a worker that lives that life, and then stops.
func followPolicy(t *testing.T, policy chanx.RestartPolicy, life []stretch) {
	o := oracle{policy: policy}
	j := newJournal()
	policy.OnEvent = j.note
	runs := 0
	life = append(life, stretch{byte(len(ways) - 1), 0})
	supervise := func() error {
		return chanx.Supervise(t.Context(), func(context.Context) error {
			s := life[runs]
			runs++
			time.Sleep(s.lasts)
			return ways[s.way].out()
		}, policy)
	}
	if o.broken() {
		assert.Panics(t, func() { _ = supervise() })
		assert.Zero(t, runs)
		return
	}
	err := supervise()
	events := j.all()
	if policy.MinBackoff < 0 { // the hook may miss some
		for i, e := range events {
			if e.Missed > 0 {
				events = events[:i]
				break
			}
		}
	}
	followEvents(t, &o, j.opened, life, events, policy.MinBackoff >= 0, err, runs)
}

// followEvents replays the events on the oracle.
func followEvents(t *testing.T, o *oracle, at time.Time, life []stretch, events []chanx.Event, all bool, err error, runs int) {
	for i, s := range life {
		if len(events) == 0 && !all {
			return
		}
		require.NotEmpty(t, events, "no exit of run %d", i+1)
		exit := events[0].Exit
		ended := at.Add(s.lasts)
		count, again, gaveUp := o.expect(s.way, s.lasts, ended)
		require.Equal(t, chanx.EventExit, events[0].Kind)
		require.True(t, ended.Equal(events[0].At))
		require.True(t, at.Equal(exit.Started), "run %d", i+1)
		require.Equal(t, s.lasts, exit.Ran, "run %d", i+1)
		require.Equal(t, count, exit.Restarts, "run %d", i+1)
		require.Equal(t, !again, exit.Final, "run %d", i+1)
		events = events[1:]
		if !again {
			followEnd(t, o, s.way, gaveUp, exit, events, err)
			require.Equal(t, i+1, runs)
			return
		}
		low, top := o.bounds(count)
		require.GreaterOrEqual(t, exit.Backoff, low, "after %d", count)
		require.LessOrEqual(t, exit.Backoff, top, "after %d", count)
		at = ended.Add(exit.Backoff)
		if len(events) == 0 && !all {
			return
		}
		require.NotEmpty(t, events, "no restart after run %d", i+1)
		require.Equal(t, chanx.EventRestart, events[0].Kind)
		require.True(t, at.Equal(events[0].At), "run %d", i+2)
		require.Equal(t, exit, events[0].Exit)
		events = events[1:]
	}
	t.Fatal("it outlived its ErrStop")
}

// followEnd checks the events after the last exit.
func followEnd(t *testing.T, o *oracle, way byte, gaveUp bool, exit chanx.Exit, events []chanx.Event, err error) {
	require.Zero(t, exit.Backoff)
	if gaveUp {
		require.Len(t, events, 1)
		require.Equal(t, chanx.EventGiveUp, events[0].Kind)
		require.Equal(t, exit, events[0].Exit)
		require.Equal(t, &chanx.RestartLimitError{
			Restarts: o.policy.MaxRestarts,
			Within:   o.policy.Within,
			Last:     exit.Err,
		}, err)
		return
	}
	require.Empty(t, events)
	if !ways[way].fails {
		require.NoError(t, err)
		return
	}
	require.Equal(t, chanx.RestartNever, o.policy.Restart)
	require.Equal(t, exit.Err, err)
	require.True(t, way == 3 || errors.Is(err, errBoom) || way == 4)
}
