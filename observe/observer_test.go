package observe

import (
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
	"example.com/chanx/asynclog"
	"example.com/chanx/doctor"
)

var (
	_ http.Handler = New()
	_ expvar.Var   = New()
)

// run runs s until the end of the test.
func run(t *testing.T, s *chanx.Supervisor) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

func idle(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// ringStats and broadcastStats are rings that are not ours.
type ringStats func() chanx.RingStats

func (f ringStats) Stats() chanx.RingStats { return f() }

type broadcastStats func() chanx.BroadcastStats

func (f broadcastStats) Stats() chanx.BroadcastStats { return f() }

func TestSnapshotOfEachKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New()
		ring := chanx.NewRing[string](2)
		o.Ring("r", ring)
		b := chanx.NewBroadcast[int](8)
		o.Broadcast("b", b)
		w := asynclog.New(io.Discard, asynclog.Options{})
		o.Log("l", w)
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		require.NoError(t, s.Add("w", idle, chanx.RestartPolicy{}))
		o.Supervisor("s", s)
		run(t, s)
		for range 5 {
			ring.Send("x")
		}
		ring.TryRecv()
		b.Send(1)
		defer b.Subscribe(0).Close()
		fmt.Fprint(w, "line\n")
		require.NoError(t, w.Close())
		synctest.Wait()

		snap := o.Snapshot()
		assert.Equal(t, []Ring{{Name: "r", Sent: 5, Received: 1, Dropped: 3,
			Len: 1, Cap: 2, HighWater: 2}}, snap.Rings)
		assert.Equal(t, []Broadcast{{Name: "b", Sent: 1, Len: 1, Cap: 8,
			Subscribers: 1}}, snap.Broadcasts)
		assert.Equal(t, Count{1, 5}, snap.Logs[0].Accepted)
		assert.Equal(t, Count{1, 5}, snap.Logs[0].Written)
		assert.Equal(t, "w", snap.Supervisors[0].Workers[0].Name)
		assert.Equal(t, chanx.StateRunning, snap.Supervisors[0].Workers[0].State)
		assert.Equal(t, map[chanx.WorkerState]int{chanx.StateRunning: 1},
			snap.Supervisors[0].States)
		assert.Empty(t, snap.Problems)
	})
}

func TestBadNamesAndValuesPanic(t *testing.T) {
	o := New()
	ring := chanx.NewRing[int](1)
	o.Ring("taken", ring)
	for want, add := range map[string]func(){
		"observe: empty name": func() { o.Ring("", ring) },
		"observe: name taken: taken": func() {
			o.Broadcast("taken", chanx.NewBroadcast[int](1))
		},
		"observe: nil value for a": func() { o.Ring("a", nil) },
		"observe: nil value for b": func() { o.Ring("b", (*chanx.Ring[int])(nil)) },
		"observe: nil value for c": func() { o.Broadcast("c", nil) },
		"observe: nil value for d": func() { o.Log("d", nil) },
		"observe: nil value for e": func() { o.Supervisor("e", nil) },
		"observe: nil value for f": func() { o.Ring("f", ringStats(nil)) },
	} {
		assert.PanicsWithValue(t, want, add)
	}
	o.Ring("after", ring) // nothing stays locked
	assert.PanicsWithValue(t, "observe: an Observer must be made by New",
		func() { new(Observer).Ring("r", ring) })
	assert.Len(t, o.Snapshot().Rings, 2)
	assert.Equal(t, "after", o.Snapshot().Rings[1].Name)
}

func TestRemove(t *testing.T) {
	o := New()
	first, second := chanx.NewRing[int](1), chanx.NewRing[int](2)
	o.Ring("x", first)
	o.Ring("y", first)
	o.Remove("x")
	o.Remove("x")
	o.Remove("never was")
	assert.Equal(t, "y", o.Snapshot().Rings[0].Name)
	o.Ring("x", second)
	assert.Equal(t, 2, o.Snapshot().Rings[1].Cap)
}

func TestString(t *testing.T) {
	o := New()
	o.Ring("x", chanx.NewRing[int](1))
	var got Snapshot
	require.NoError(t, json.Unmarshal([]byte(o.String()), &got))
	assert.Equal(t, "x", got.Rings[0].Name)
	assert.Contains(t, New().String(), `"problems":[],"supervisors":[],"logs":[],`+
		`"rings":[],"broadcasts":[]}`, "no list is null")
}

// A ring whose Stats hangs, panics or ends its goroutine is named, and the
// others are shown all the same.
func TestForeignStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New()
		release := make(chan struct{})
		var hang atomic.Bool
		var calls atomic.Int64
		o.Ring("hangs", ringStats(func() chanx.RingStats {
			if calls.Add(1); hang.Load() {
				<-release
			}
			return chanx.RingStats{Len: int(calls.Load())}
		}))
		o.Ring("panics", ringStats(func() chanx.RingStats { panic("at\x1bme") }))
		o.Broadcast("exits", broadcastStats(func() chanx.BroadcastStats {
			runtime.Goexit()
			panic("unreachable")
		}))
		o.Ring("ours", chanx.NewRing[int](3))
		hang.Store(true)
		start := time.Now()
		s := o.Snapshot()
		assert.Equal(t, time.Second, time.Since(start))
		assert.Equal(t, "has not returned for 1s", s.Rings[0].Error)
		assert.Equal(t, "panicked: at\uFFFDme", s.Rings[1].Error)
		assert.Equal(t, "ended its goroutine", s.Broadcasts[0].Error)
		assert.Equal(t, Ring{Name: "ours", Cap: 3}, s.Rings[2])
		var sentences []string
		for _, p := range s.Problems {
			sentences = append(sentences, p.Sentence)
		}
		assert.Equal(t, []string{
			`ring "hangs" cannot be read: its Stats has not returned for 1s`,
			"ring \"panics\" cannot be read: its Stats panicked: at\uFFFDme",
			`broadcast "exits" cannot be read: its Stats ended its goroutine`,
		}, sentences)

		for range 10 { // the call is neither repeated nor waited for
			time.Sleep(time.Minute)
			start := time.Now()
			s = o.Snapshot()
			assert.Zero(t, time.Since(start))
		}
		assert.EqualValues(t, 2, calls.Load())
		assert.Equal(t, "has not returned for 10m1s", s.Rings[0].Error)
		assert.Equal(t, "ours", s.Rings[2].Name)
		hang.Store(false)
		close(release)
		synctest.Wait()
		s = o.Snapshot()
		assert.Empty(t, s.Rings[0].Error)
		assert.Equal(t, 3, s.Rings[0].Len, "not the answer to an old call")
	})
}

// errorFunc is an error whose text is foreign code.
type errorFunc func() string

func (f errorFunc) Error() string { return f() }

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// The texts of errors hang; the page has its numbers.
func TestForeignErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New()
		release := make(chan struct{})
		hang := errorFunc(func() string { <-release; return "late" })
		w := asynclog.New(writerFunc(func(p []byte) (int, error) {
			return 0, hang
		}), asynclog.Options{})
		o.Log("l", w)
		fmt.Fprint(w, "line\n")
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		require.NoError(t, s.Add("w", func(context.Context) error { return hang },
			chanx.RestartPolicy{}))
		o.Supervisor("s", s)
		ctx, cancel := context.WithCancel(t.Context())
		go s.Run(ctx)
		time.Sleep(20 * time.Second)
		snap := o.Snapshot()
		assert.NotZero(t, snap.Logs[0].SinkErrors)
		assert.Equal(t, "its text is not known: Error has not returned for 1s",
			snap.Logs[0].LastError)
		assert.Len(t, snap.Supervisors[0].Workers, 1)
		cancel()
		close(release)
		time.Sleep(2 * time.Second)
		assert.Equal(t, "late", o.Snapshot().Logs[0].LastError)
		_ = w.Close()
		time.Sleep(time.Minute)
	})
}

// Everything at once, under the race detector.
func TestConcurrentUse(t *testing.T) {
	const each = 300
	o := New()
	ring := chanx.NewRing[int](4)
	b := chanx.NewBroadcast[int](4)
	w := asynclog.New(io.Discard, asynclog.Options{})
	defer w.Close()
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range each {
				name := fmt.Sprint(g, " ", i%7)
				switch i % 4 {
				case 0:
					o.Ring(name, ring)
				case 1:
					o.Broadcast(name, b)
				case 2:
					o.Log(name, w)
				case 3:
					o.Supervisor(name, s)
				}
				ring.Send(i)
				b.Send(i)
				fmt.Fprintln(w, i)
				o.Remove(name)
			}
		})
		wg.Go(func() {
			for range each {
				snap := o.look(g%2 == 0)
				for _, r := range snap.Rings {
					assert.Equal(t, r.Sent, r.Received+r.Dropped+uint64(r.Len))
				}
				for _, l := range snap.Logs {
					assert.Equal(t, l.Accepted.Records, l.Written.Records+
						l.Dropped.Records+l.Buffered.Records)
				}
				assert.True(t, json.Valid([]byte(o.String())))
			}
		})
	}
	wg.Wait()
	assert.Empty(t, o.Snapshot().Rings)
}

// Two names that look alike are told apart.
func TestNamesDiffer(t *testing.T) {
	o := New()
	ring := chanx.NewRing[int](1)
	for _, name := range []string{"a\x00", "a\x01", "a\uFFFD (2)", "a\xff",
		strings.Repeat("é", 200), strings.Repeat("é", 201)} {
		o.Ring(name, ring)
	}
	seen := make(map[string]bool)
	for _, r := range o.Snapshot().Rings {
		assert.False(t, seen[r.Name], r.Name)
		assert.LessOrEqual(t, len(r.Name), maxName+len(" (2)"))
		seen[r.Name] = true
	}
	assert.Contains(t, seen, "a\uFFFD (2)")
}

var errTest = errors.New("no space left on device")

// A look goes on with the things there were when it began.
func TestSourcesAreNotChangedInPlace(t *testing.T) {
	o := New()
	names := func(all []source) (names string) {
		for _, s := range all {
			names += s.id()
		}
		return names
	}
	for _, name := range []string{"a", "b", "c"} {
		o.Ring(name, chanx.NewRing[int](1))
	}
	before := o.sources
	o.Remove("a")
	removed := o.sources
	o.Ring("d", chanx.NewRing[int](1))
	added := o.sources
	o.sources = removed
	o.Ring("e", chanx.NewRing[int](1))
	assert.Equal(t, "abc", names(before))
	assert.Equal(t, "bc", names(removed))
	assert.Equal(t, "bcd", names(added))
	assert.Equal(t, "bce", names(o.sources))
}

// The worst is first, whatever was added first, and a log before a worker.
func TestProblemsAreSorted(t *testing.T) {
	var all []string
	s := Snapshot{}
	for _, p := range []Problem{{doctor.Warning, "broadcast", "", "6"},
		{doctor.Warning, "ring", "", "5"}, {doctor.Info, "log", "", "7"},
		{doctor.Critical, "goroutines", "", "2"}, {doctor.Warning, "worker", "", "4"},
		{doctor.Warning, "log", "", "3"}, {doctor.Critical, "log", "", "1"}, {}} {
		s.add(p)
	}
	sortProblems(s.Problems)
	for _, p := range s.Problems {
		all = append(all, p.Sentence)
	}
	assert.Equal(t, []string{"1", "2", "3", "4", "5", "6", "7"}, all)

	synctest.Test(t, func(t *testing.T) {
		o := New()
		o.Ring("panics", ringStats(func() chanx.RingStats { panic("x") }))
		sick(t, o)
		assert.Equal(t, "log", o.Snapshot().Problems[0].Kind)
	})
}

// However many sources hang, a look takes little more than a second, and each
// of the others is read.
func TestManyForeignStatsHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New()
		release := make(chan struct{})
		var hang atomic.Bool
		for i := range 20 {
			o.Ring(fmt.Sprint("hangs ", i), ringStats(func() chanx.RingStats {
				if hang.Load() {
					<-release
				}
				return chanx.RingStats{}
			}))
			o.Ring(fmt.Sprint("well ", i), ringStats(func() chanx.RingStats {
				time.Sleep(time.Millisecond)
				return chanx.RingStats{Len: 1}
			}))
		}
		hang.Store(true)
		for _, most := range []time.Duration{1300 * time.Millisecond,
			100 * time.Millisecond} {
			start := time.Now()
			for i, r := range o.Snapshot().Rings {
				assert.Equal(t, i%2 == 0, r.Error != "", r.Name)
				assert.Equal(t, i%2, r.Len, r.Name)
			}
			assert.Less(t, time.Since(start), most)
		}
		close(release)
		synctest.Wait()
	})
}
