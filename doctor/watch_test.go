package doctor

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/printable"
)

// stuckAt is a snapshot with n goroutines blocked sending at a line.
func stuckAt(lines map[int]int) *Snapshot {
	p := &Snapshot{Target: "fake"}
	for line, n := range lines {
		p.Add(&Stack{State: "chan send", Count: n, Frames: []Frame{
			{Func: "app.(*Log).Write", File: "/log.go", Line: line},
			{Func: "net/http.HandlerFunc.ServeHTTP", File: "/server.go", Line: 1},
		}})
	}
	p.Add(&Stack{State: "IO wait", Count: 1,
		Frames: []Frame{{Func: "net.(*netFD).accept"}}})
	return p
}

// watchFor runs Watch in virtual time over the samples and returns the
// alerts, each with the sample it came at.
func watchFor(t *testing.T, opts Options, samples []*Snapshot) []string {
	var got []string
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		i := -1
		opts.Take = func() *Snapshot {
			if i++; i == len(samples) {
				cancel()
				i--
			}
			return samples[i]
		}
		hook := opts.OnAlert
		opts.OnAlert = func(a Alert) {
			got = append(got, fmt.Sprintf("%d: %d at %d gone=%v suppressed=%d", i,
				a.Finding.Count, a.Finding.Line, a.Gone, a.Suppressed))
			if hook != nil {
				hook(a)
			}
		}
		assert.ErrorIs(t, Watch(ctx, opts), context.Canceled)
	})
	return got
}

func repeat(n int, p *Snapshot) []*Snapshot {
	all := make([]*Snapshot, n)
	for i := range all {
		q := *p
		all[i] = &q
	}
	return all
}

func join(lists ...[]*Snapshot) []*Snapshot {
	var all []*Snapshot
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

var well = stuckAt(nil)

// Once when confirmed, not again while it lasts, once when it is over, and
// again only after that.
func TestWatchReportsOnce(t *testing.T) {
	bad := stuckAt(map[int]int{212: 20})
	got := watchFor(t, Options{}, join(repeat(3, well), repeat(50, bad),
		repeat(5, well), repeat(3, bad)))
	assert.Equal(t, []string{
		"4: 20 at 212 gone=false suppressed=0",
		"55: 20 at 212 gone=true suppressed=0",
		"59: 20 at 212 gone=false suppressed=0",
	}, got)
}

// A finding that comes and goes with every sample is neither confirmed nor
// cleared.
func TestWatchHysteresis(t *testing.T) {
	bad := stuckAt(map[int]int{212: 20})
	var flicker []*Snapshot
	for range 20 {
		flicker = join(flicker, repeat(1, bad), repeat(1, well))
	}
	assert.Empty(t, watchFor(t, Options{}, flicker))
	got := watchFor(t, Options{}, join(repeat(2, bad), flicker))
	assert.Equal(t, []string{"1: 20 at 212 gone=false suppressed=0"}, got)
	assert.NotEmpty(t, watchFor(t, Options{Confirm: 1}, flicker))
}

// Getting worse is worth another alert.
func TestWatchEscalates(t *testing.T) {
	got := watchFor(t, Options{}, join(repeat(3, stuckAt(map[int]int{212: 3})),
		repeat(3, stuckAt(map[int]int{212: 300})), repeat(3,
			stuckAt(map[int]int{212: 301}))))
	assert.Equal(t, []string{
		"1: 3 at 212 gone=false suppressed=0",
		"3: 300 at 212 gone=false suppressed=0",
	}, got)
}

// Worse for one sample after it was gone for one is not worse yet.
func TestWatchEscalatesWhenConfirmed(t *testing.T) {
	warning, critical := stuckAt(map[int]int{212: 3}), stuckAt(map[int]int{212: 300})
	before := join(repeat(2, warning), repeat(1, well))
	assert.Len(t, watchFor(t, Options{}, join(before, repeat(1, critical),
		repeat(1, warning), repeat(1, well))), 1)
	assert.Len(t, watchFor(t, Options{}, join(before, repeat(2, critical),
		repeat(1, well))), 2)
}

// The first snapshot is compared with the last few, however many there were,
// and all are of one process.
func TestWatchSeries(t *testing.T) {
	w := newWatcher(Options{})
	var all []*Snapshot
	for i, want := range [][]int{{0}, {0, 1}, {0, 1, 2}, {0, 1, 2, 3},
		{0, 2, 3, 4}, {0, 3, 4, 5}} {
		all = append(all, &Snapshot{Instance: printable.Number(i)})
		series := w.series(all[i])
		require.Len(t, series, len(want))
		for j, at := range want {
			assert.Same(t, all[at], series[j], "sample %d", i)
			assert.Empty(t, series[j].Instance)
		}
	}
}

// Forty findings at once are ten alerts and a number; an hour later the rest
// may speak.
func TestWatchBudget(t *testing.T) {
	lines := make(map[int]int)
	for line := range 40 {
		lines[line+1] = 20
	}
	bad := stuckAt(lines)
	got := watchFor(t, Options{Every: time.Minute}, repeat(50, bad))
	assert.Len(t, got, 10)
	got = watchFor(t, Options{Every: time.Minute}, repeat(70, bad))
	assert.Len(t, got, 20)
	assert.Contains(t, got[10], "61: ")
	assert.Contains(t, got[10], "suppressed=30", "each once, at the first of "+
		"the sixty samples that hold it back")
	for _, a := range got[11:] {
		assert.Contains(t, a, "suppressed=0")
	}
	assert.Len(t, watchFor(t, Options{Budget: 3}, repeat(5, bad)), 3)
}

// Info is for those who ask.
func TestWatchInfo(t *testing.T) {
	one := &Snapshot{}
	one.Add(&Stack{State: "chan send", Count: 1, Frames: []Frame{
		{Func: "app.gen.func1", File: "/a.go", Line: 1}}})
	assert.Empty(t, watchFor(t, Options{}, repeat(5, one)))
	assert.Len(t, watchFor(t, Options{Info: true}, repeat(5, one)), 1)
}

// A worker that the first sample had and that is gone is named.
func TestWatchRemembersWorkers(t *testing.T) {
	with := stuckAt(nil)
	with.Add(&Stack{State: "select", Count: 1, Frames: []Frame{
		{Func: "app.NewLog.func1", File: "/log.go", Line: 30}}})
	var sentence string
	watchFor(t, Options{OnAlert: func(a Alert) { sentence = a.Finding.Sentence }},
		join(repeat(1, with), repeat(30, well),
			repeat(3, stuckAt(map[int]int{212: 20}))))
	assert.Contains(t, sentence, "app.NewLog.func1: 1 then, 0 now")
}

func TestWatchInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var at []time.Duration
		start := time.Now()
		err := Watch(ctx, Options{Every: time.Minute, Take: func() *Snapshot {
			at = append(at, time.Since(start))
			if len(at) == 3 {
				time.Sleep(2 * time.Second) // a sample that is dear
			}
			return well
		}})
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		require.GreaterOrEqual(t, len(at), 4)
		assert.Equal(t, []time.Duration{0, time.Minute, 2 * time.Minute,
			2*time.Minute + 2*time.Second + 200*time.Second}, at[:4])
	})
}

// The time in the hook is not the cost of a sample.
func TestWatchSlowHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var at []time.Duration
		start := time.Now()
		Watch(ctx, Options{Every: time.Minute, Confirm: 1,
			OnAlert: func(Alert) { time.Sleep(10 * time.Second) },
			Take: func() *Snapshot {
				at = append(at, time.Since(start))
				return stuckAt(map[int]int{212: 20})
			}})
		require.GreaterOrEqual(t, len(at), 3)
		assert.Equal(t, []time.Duration{0, 70 * time.Second, 130 * time.Second},
			at[:3])
	})
}

// Every alert that comes due is delivered at once or counted, whichever
// direction it goes and however often its finding comes back.
func TestWatchCountsAlerts(t *testing.T) {
	bad, worse := stuckAt(map[int]int{212: 3}), stuckAt(map[int]int{212: 300})
	samples := join(
		repeat(1, stuckAt(map[int]int{1: 20})), // spends the budget
		repeat(5, bad),                         // due once
		repeat(5, worse),                       // the same alert, worse
		repeat(5, well),                        // over before it was given
		repeat(5, bad),                         // due again
		repeat(60, well))                       // an hour later: 1 is gone
	got := watchFor(t, Options{Every: time.Minute, Confirm: 1, Clear: 1,
		Budget: 1}, samples)
	assert.Equal(t, []string{
		"0: 20 at 1 gone=false suppressed=0",
		// Held back since sample 1, and counted with the two of line 212.
		"60: 20 at 1 gone=true suppressed=3",
	}, got)
}

// A logger that blocks forever stops neither the samples nor the hook, and
// what it misses is counted.
func TestWatchLoggerBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		n := 0
		alerts, missed := 0, 0
		Watch(ctx, Options{
			Confirm: 1, Clear: 1, Budget: 1000,
			Logger: slog.New(slog.NewTextHandler(blockingWriter(release), nil)),
			OnAlert: func(a Alert) {
				alerts++
				missed += a.Suppressed
			},
			Take: func() *Snapshot {
				if n++; n == 100 {
					cancel()
				}
				if n%2 == 0 {
					return stuckAt(map[int]int{1: 20})
				}
				return well
			},
		})
		assert.Equal(t, 99, alerts)
		// One is in the logger's hands and 16 wait; the last is told of by none.
		assert.Equal(t, 99-1-16-1, missed)
		close(release)
		synctest.Wait()
	})
}

type blockingWriter chan struct{}

func (w blockingWriter) Write(p []byte) (int, error) {
	<-w
	return len(p), nil
}

func TestWatchLogs(t *testing.T) {
	var mu sync.Mutex
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(lockedWriter{&mu, &b}, nil))
	watchFor(t, Options{Logger: log}, join(repeat(3,
		stuckAt(map[int]int{212: 20})),
		repeat(4, well)))
	mu.Lock()
	defer mu.Unlock()
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	require.Len(t, lines, 2)
	assert.Contains(t, lines[0], "level=ERROR")
	assert.Contains(t, lines[0], "20 goroutines are blocked sending in "+
		"app.(*Log).Write (log.go:212)")
	assert.Contains(t, lines[0], "count=20")
	assert.Contains(t, lines[1], "level=INFO")
	assert.Contains(t, lines[1], "gone=true")
}

// A finding is logged as badly as it is.
func TestWatchLogLevels(t *testing.T) {
	for n, level := range map[int]string{1: "INFO", 2: "WARN", 1000: "ERROR"} {
		var b bytes.Buffer
		alerts := make(chan Alert, 1)
		f := Diagnose(Rules{}, process(standing(n, "chan send", "app.f"))).Findings[0]
		alerts <- Alert{Finding: f}
		close(alerts)
		logAlerts(slog.New(slog.NewTextHandler(&b, nil)), alerts)
		assert.Contains(t, b.String(), "level="+level)
		assert.Contains(t, b.String(), "severity="+f.Severity.String())
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func TestWatchPanicsAtTheDoor(t *testing.T) {
	for _, opts := range []Options{
		{Every: -1}, {Confirm: -1}, {Clear: -1}, {Budget: -1},
		{Rules: Rules{Many: -1}}, {Rules: Rules{Minutes: -1}},
	} {
		opts.Take = func() *Snapshot { t.Error("a sample"); return well }
		assert.PanicsWithValue(t, panicOf(opts), func() { Watch(t.Context(), opts) })
	}
}

func panicOf(o Options) string {
	if o.Rules.Many < 0 || o.Rules.Minutes < 0 {
		return "doctor: Rules with a negative threshold"
	}
	return "doctor: Watch with a negative number in its Options"
}

// The real thing: this process, with senders that nobody receives from.
func TestTake(t *testing.T) {
	const n = 25
	c := make(chan int)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { c <- 1 })
	}
	for name, take := range map[string]func() *Snapshot{
		"Take": Take, "TakeStacks": TakeStacks,
	} {
		var found Finding
		assert.Eventually(t, func() bool {
			p := take()
			for _, f := range Diagnose(Rules{}, p).Findings {
				// While this test's goroutine runs, it may yet receive, and
				// the doctor says so: wait for a moment at which it is parked.
				if strings.Contains(f.Function, "doctor.TestTake") &&
					f.Count == n && f.Severity == Warning {
					found = f
					return p.Unreadable == 0
				}
			}
			return false
		}, 10*time.Second, time.Millisecond, name)
		assert.EqualValues(t, "chan send", found.Operation, name)
		assert.Equal(t, Warning, found.Severity, name)
	}
	for range n {
		<-c
	}
	wg.Wait()
}
