package rows

import (
	"bytes"
	"context"
	"io"
	stdlog "log"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/phuslu/log"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) {
	if Child() {
		return
	}
	stdlog.SetOutput(io.Discard) // diodes report collisions there
	leakgate.Main(m)
}

// TestContests runs every contest once, in quick. Each figure must be one of
// some contestant, but for those that a machine may not have.
func TestContests(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range append(Contests(Effort{Quick: true}), Cores(Effort{Quick: true})...) {
		assert.False(t, seen[c.Group+"/"+c.Name], "%s twice", c.Name)
		seen[c.Group+"/"+c.Name] = true
		if c.Group == "flood" || c.Group == "one operation" {
			continue // built from source: see below
		}
		r, err := c.Run()
		require.NoError(t, err)
		require.Len(t, r.Rows, len(c.Names))
		for _, row := range r.Rows {
			require.Len(t, row.Rounds, len(c.Figures), row.Name)
			for _, rounds := range row.Rounds {
				require.True(t, rounds == nil || len(rounds) == c.Rounds)
			}
		}
	}
}

// TestBuilt runs one measurement of the library's benchmarks, and one of the
// program with counters in its lock.
func TestBuilt(t *testing.T) {
	defer Clean()
	c := benchmarks(Effort{Quick: true})[0]
	figures, err := c.Measure(len(c.Names) - 1)
	require.NoError(t, err)
	assert.Positive(t, figures[0])
	assert.Zero(t, figures[1])
	o, err := wovenFlood(load{Way: ring.name, Senders: 2, For: 5 * time.Millisecond})
	require.NoError(t, err)
	assert.Positive(t, o.Calls)
	_, err = countedFlood(load{Way: ring.name, Senders: 1, For: time.Millisecond})
	assert.ErrorContains(t, err, "no counters")
}

func TestWeaveRefusesSourceThatHasChanged(t *testing.T) {
	_, err := weave("package chanx")
	assert.ErrorContains(t, err, "lock.go has not one")
}

// Each contestant is the first, and no one always follows the same one.
func TestOrderRotates(t *testing.T) {
	first, before := map[int]bool{}, map[[2]int]bool{}
	for round := range 6 {
		turns := order(round, 3)
		assert.ElementsMatch(t, []int{0, 1, 2}, turns)
		first[turns[0]] = true
		before[[2]int{turns[0], turns[1]}] = true
	}
	assert.Len(t, first, 3)
	assert.Len(t, before, 6)
}

func TestRunKeepsRoundsAndDropsWhatIsNotANumber(t *testing.T) {
	n := 0.0
	c := Contest{Names: []string{"a", "b"}, Rounds: 3,
		Figures: []Figure{{"time", Time}, {"lost", Percent}},
		Measure: func(i int) ([]float64, error) {
			n++
			if i == 1 {
				return []float64{n, math.NaN()}, nil
			}
			return []float64{1.23456, 0}, nil
		}}
	r, err := c.Run()
	require.NoError(t, err)
	assert.Equal(t, []float64{1.235, 1.235, 1.235}, r.Row("a", "time"))
	assert.Equal(t, []float64{0, 0, 0}, r.Row("a", "lost"))
	assert.Len(t, r.Row("b", "time"), 3)
	assert.Nil(t, r.Row("b", "lost"))
	assert.Nil(t, r.Row("c", "time"))
	assert.Nil(t, r.Row("a", "x"))
}

func TestSaveLoadReplace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.jsonl")
	all, err := Load(file)
	require.NoError(t, err)
	assert.Empty(t, all)
	result := func(name string, v float64) Result {
		return Result{Group: "g", Name: name, Figures: []Figure{{"time", Time}},
			Rows: []Row{{"a", [][]float64{{v}}}, {"b", [][]float64{nil}}}}
	}
	old := []Result{result("gone", 1), result("1", 2), result("2", 3)}
	require.NoError(t, Save(file, old))
	all, err = Load(file)
	require.NoError(t, err)
	assert.Equal(t, old, all)
	contests := []Contest{{Group: "g", Name: "2"}, {Group: "g", Name: "1"},
		{Group: "g", Name: "never"}}
	assert.Equal(t, []Result{result("2", 3), result("1", 9)},
		Replace(all, []Result{result("1", 9)}, contests))
}

func TestIntervals(t *testing.T) {
	assert.Equal(t, Interval{2, 1, 3}, Over([]float64{3, 1, 2}))
	ten := []float64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}
	assert.Equal(t, Interval{5.5, 2, 9}, Over(ten))
	assert.Equal(t, Interval{2, 1, 3}, Ratio([]float64{2, 8, 3}, []float64{1, 8, 1}))
}

func TestUnits(t *testing.T) {
	for want, got := range map[string]string{
		"0 ns": Time.Format(0), "7.25 ns": Time.Format(7.25), "45.3 ns": Time.Format(45.26),
		"1 µs": Time.Format(1000), "1.00 µs": Time.Format(999.7), "3600 s": Time.Format(3600e9),
		"200 MB": Bytes.Format(200e6), "9.70 M/s": Rate.Format(9.7e6),
		"0.26 %": Percent.Format(0.2599), "0.003 %": Percent.Format(0.003),
		"1.00": Ratios.Format(1), "3": Plain.Format(3),
		"2 ns (1–3)":          Time.Span(Interval{2, 1, 3}),
		"500 ns (1 ns–2 µs)":  Time.Span(Interval{500, 1, 2000}),
		"1.04 (1.00–1.10)":    Ratios.Span(Interval{1.04, 1, 1.1}),
		"5.00 µs (1.50–7.50)": Time.Span(Interval{5001, 1500, 7500}),
		"0":                   Plain.Span(Interval{}),
	} {
		assert.Equal(t, want, got)
	}
}

func TestLatencies(t *testing.T) {
	var l latencies
	assert.Equal(t, []float64{0, 0}, l.at(0.5, 1))
	for i := range 1000 {
		l = append(l, time.Duration((i*7)%1000))
	}
	assert.Equal(t, []float64{500, 999, 999}, l.at(0.5, 0.999, 1))
}

// Received and dropped values are those that were sent, for each way that
// counts its drops, with a receiver and without.
func TestFloodsAccount(t *testing.T) {
	for _, w := range append(receiving, dropping) {
		for _, l := range []load{{w.name, 1, true, time.Millisecond},
			{w.name, 8, true, time.Millisecond}} {
			o := flood(l)
			assert.GreaterOrEqual(t, o.Calls, l.Senders, w.name)
			assert.LessOrEqual(t, o.During, o.Received, w.name)
			if _, foreign := map[string]bool{diodeWaiter.name: true,
				diodePoller.name: true, eapache.name: true}[w.name]; !foreign {
				assert.Equal(t, o.Calls, o.Received+o.Told, w.name)
			}
		}
		if w.name != blocking.name {
			o := flood(load{w.name, 2, false, time.Millisecond})
			assert.Zero(t, o.During, w.name)
			assert.LessOrEqual(t, o.Received, 1025, w.name)
		}
	}
	f, err := floodFigures(dropping, load{dropping.name, 2, false, time.Millisecond})
	require.NoError(t, err)
	assert.True(t, math.IsNaN(f[3]), "CPU for no value")
	assert.InDelta(t, 100, f[5], 1e-9)
}

// A service whose sends wait loses nothing, also while its consumer hangs. A
// latency begins when the request is due, and not when a worker takes it.
func TestService(t *testing.T) {
	_, err := served{Service: "none"}.run()
	assert.ErrorContains(t, err, "no service")
	r, err := served{Service: "channel", Rate: 5000, For: 100 * time.Millisecond,
		Hangs: true, Sleeps: true}.run()
	require.NoError(t, err)
	assert.Zero(t, r.Lost)
	assert.Len(t, r.Tail, len(tail))
	due := make(chan time.Time, 1)
	due <- time.Now().Add(-time.Hour)
	close(due)
	assert.GreaterOrEqual(t, serveDue(due, feed{send: func(event) {}})[0], time.Hour)
}

// All lines of an outage are offered, whether their producer waits or not.
func TestOutageOffersAllLines(t *testing.T) {
	h := &hanging{gate: make(chan struct{})}
	close(h.gate)
	all := offer(&locked{w: h}, time.Now(), 20*time.Millisecond)
	assert.Len(t, all, 20*perMillisecond)
	assert.EqualValues(t, 20*perMillisecond, h.lines.Load())
	for _, p := range logWriters {
		if !p.needsPath && p.name != "asynclog" && p.name != "zerolog diode" {
			v := outage(p, 8*time.Millisecond)
			assert.Zero(t, v[len(tail)], p.name)
		}
	}
}

func TestMessengerWritesLinesOfTheSameLength(t *testing.T) {
	var b bytes.Buffer
	w, finish := phuslu(log.IOWriter{Writer: &b})
	_, _ = w.Write(line())
	finish()
	assert.Len(t, b.String(), lineLen)
}

// Each publisher delivers all to subscribers that keep up, in order.
func TestPublishersDeliver(t *testing.T) {
	for _, p := range publishings {
		of := p.open(64)
		recv := of.subscribe()
		for i := range 10 {
			of.send(i)
		}
		for i := range 10 {
			v, ok := recv()
			assert.True(t, ok, p.name)
			assert.Equal(t, i, v, p.name)
		}
		of.close()
		_, ok := recv()
		assert.False(t, ok, p.name)
	}
}

func TestKeepersRestart(t *testing.T) {
	for _, k := range keepers {
		runs := 0
		require.NoError(t, k.keep(worker(func(context.Context) error {
			if runs++; runs > 25 {
				return errDone
			}
			return errBoom
		})), k.name)
		assert.Equal(t, 26, runs, k.name)
	}
}

// The model: one core takes its think time, eight share a lock within one L3
// without much loss at 10 µs, a lock saturates, and rings of a group of cores
// add up.
func TestModel(t *testing.T) {
	const end = 1e7
	one := simulate(disciplines[0], 1, 10_000, end)
	assert.InDelta(t, 1e5, one, 5000)
	assert.InDelta(t, 8, simulate(disciplines[0], 8, 10_000, end)/one, 0.4)
	for _, d := range disciplines[:3] {
		many := simulate(d, 128, 1000, end)
		assert.Less(t, many, 128*1e6*0.1, d.name)
		assert.Greater(t, many, 1e5, d.name)
	}
	eight := simulate(disciplines[3], 8, 1000, end)
	assert.InDelta(t, 4, simulate(disciplines[3], 32, 1000, end)/eight, 0.2)
	assert.Equal(t, 12, saturation(1000))
	assert.Equal(t, simulate(disciplines[1], 32, 1000, end),
		simulate(disciplines[1], 32, 1000, end), "the same each time")
}
