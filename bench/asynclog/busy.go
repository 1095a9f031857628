package asynclog

import (
	"io"
	"math/bits"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/round"
)

// workPerLine is what a goroutine of the busy service does for each line.
const workPerLine = 15 * time.Microsecond

// The figures of a busy service, and of a flood whose calls are all timed.
const (
	busyMean = iota // of a call
	busyP50
	busyP99
	busyP999
	busyMax
	busyLines     // of all goroutines, a second
	busyDelivered // lines in the file, a second
	busyLost      // share of the lines
)

// busyKinds are the loads that the same peers are measured with.
var busyKinds = []struct {
	title string
	work  time.Duration
	hangs bool
}{
	{"A busy service, ", workPerLine, false},
	{"A busy service whose sink hangs, ", workPerLine, true},
	{"A flood, every call timed, ", 0, false},
	{"A flood whose sink hangs, every call timed, ", 0, true},
}

var busyColumns = []column{
	{name: "mean", figure: busyMean, show: figure.Time, less: true},
	{name: "p50", figure: busyP50, show: figure.Time, less: true},
	{name: "p99", figure: busyP99, show: figure.Time, less: true},
	{name: "p99.9", figure: busyP999, show: figure.Time, less: true},
	{name: "± %", figure: spread},
	{name: "max", figure: busyMax, show: figure.Time},
	{name: "lines of all", figure: busyLines, show: figure.Rate, more: true},
	{name: "delivered", figure: busyDelivered, show: figure.Rate, more: true},
	{name: "dropped", figure: busyLost, show: figure.Percent},
}

// busyTables measures the peers under each kind of load. The peer "no log" is
// the service itself.
func busyTables(o plan.Options, goroutines int, all []peer) ([]plan.Table, error) {
	dir, err := inMemory()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	all = append([]peer{noLog}, all...)
	var tables []plan.Table
	for _, k := range busyKinds {
		title := k.title + count(goroutines, "goroutine")
		found, err := round.Turns(o, title, names(all),
			func(i int) ([]float64, error) {
				return busy(dir, all[i], goroutines, k.work, o.For, k.hangs)
			})
		if err != nil {
			return nil, err
		}
		tables = append(tables, compared(title, all, found, busyColumns))
	}
	return tables, nil
}

// noLog is a service that writes nothing.
var noLog = peer{
	name: "no log", full: "-",
	open: func(sink) (io.Writer, func() float64) { return nil, nothing },
}

// busy runs a service whose goroutines keep all processors busy and write a
// line every so often: a flood is not what people run. Without work it is a
// flood. A sink that hangs is let go at the end. Every call is timed, so the
// slowest in a thousand is that of all calls and not of those that follow a
// pause: reading the clock is part of the load, and the same for all peers.
func busy(dir string, p peer, goroutines int, work, d time.Duration,
	hangs bool) ([]float64, error) {
	s, f, err := openFile(dir)
	if err != nil {
		return nil, err
	}
	defer os.Remove(s.path)
	defer f.Close()
	h := &hanging{gate: make(chan struct{})}
	if hangs {
		s = sink{Writer: h}
	}
	w, finish := p.open(s)
	start := time.Now()
	time.AfterFunc(d, func() { close(h.gate) })
	seen := serve(w, goroutines, work, d)
	took := time.Since(start)
	<-h.gate
	finish()
	delivered := float64(f.written) / lineLen
	if hangs {
		delivered = float64(h.lines)
	}
	lines := float64(max(seen.calls, 1))
	return []float64{
		seen.mean(), seen.at(0.5), seen.at(0.99), seen.at(0.999), seen.at(1),
		lines / took.Seconds(), delivered / took.Seconds(),
		lostShare(w, lines, delivered),
	}, nil
}

// lostShare is the share of the lines that were not delivered, if there were
// any: a nil w has none to lose.
func lostShare(w io.Writer, lines, delivered float64) float64 {
	if w == nil {
		return 0
	}
	return max(lines-delivered, 0) / lines
}

// serve has goroutines work and write until d is over, and returns what all
// the calls took. A nil w measures the service without its log.
func serve(w io.Writer, goroutines int, work, d time.Duration) *durations {
	turns := turnsFor(work)
	all := make([]durations, goroutines)
	text := line()
	var over atomic.Bool
	time.AfterFunc(d, func() { over.Store(true) })
	var running sync.WaitGroup
	for i := range all {
		running.Go(func() {
			seen, x := &all[i], uint64(i)
			for t := time.Now(); !over.Load(); {
				if work > 0 {
					x = churn(x, turns)
					t = time.Now()
				}
				if w != nil {
					_, _ = w.Write(text)
				}
				end := time.Now()
				seen.add(end.Sub(t))
				t = end
			}
			churned.Store(x)
		})
	}
	running.Wait()
	for i := range all[1:] {
		all[0].merge(&all[i+1])
	}
	return &all[0]
}

var churned atomic.Uint64 // keeps the compiler from leaving the work out

// churn works for so many turns. It is a count and not a time, so that a
// goroutine whose processor is taken away has not worked meanwhile.
func churn(x uint64, turns int) uint64 {
	for range turns {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

// turnsFor returns the turns of churn in d.
func turnsFor(d time.Duration) int { return int(float64(d) * perNanosecond()) }

var perNanosecond = sync.OnceValue(func() float64 {
	const turns = 1 << 20
	best := time.Hour
	for range 9 {
		start := time.Now()
		churned.Store(churn(1, turns))
		best = min(best, time.Since(start))
	}
	return turns / float64(best)
})

// durations counts calls by what they took, in steps of a sixteenth: 4 kB for a
// goroutine, where a histogram of the usual kind takes 30 and with 1,024 of
// them keeps the garbage collector from running.
type durations struct {
	calls, sum uint64
	max        time.Duration
	steps      [960]uint32
}

func (s *durations) add(d time.Duration) {
	s.calls++
	s.sum += uint64(d)
	s.max = max(s.max, d)
	s.steps[stepOf(uint64(d))]++
}

func stepOf(ns uint64) int {
	if ns < 16 {
		return int(ns)
	}
	shift := bits.Len64(ns) - 5
	return min(16*shift+int(ns>>shift), 959)
}

// floorOf is the least that is in a step.
func floorOf(step int) float64 {
	if step < 16 {
		return float64(step)
	}
	shift := step/16 - 1
	return float64(uint64(step%16+16) << shift)
}

func (s *durations) merge(o *durations) {
	s.calls += o.calls
	s.sum += o.sum
	s.max = max(s.max, o.max)
	for i, n := range o.steps {
		s.steps[i] += n
	}
}

func (s *durations) mean() float64 { return float64(s.sum) / float64(max(s.calls, 1)) }

// at returns what the share q of the calls took at most, to a sixteenth.
func (s *durations) at(q float64) float64 {
	if q == 1 {
		return float64(s.max)
	}
	rank := uint64(q * float64(s.calls))
	for i, n := range s.steps {
		if rank < uint64(n) {
			return floorOf(i)
		}
		rank -= uint64(n)
	}
	return float64(s.max)
}
