// Package asynclog measures the asynchronous log writers against each other,
// as ratios within one run: every round measures every writer once, in turn,
// and what counts is the median over the rounds.
//
//	go test ./asynclog -v -run Table -rounds 9 -for 300ms
package asynclog

import (
	"bufio"
	"bytes"
	"flag"
	"io"
	"log"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog/diode"
	"go.uber.org/zap/zapcore"

	"example.com/chanx/asynclog"
)

var (
	rounds  = flag.Int("rounds", 1, "rounds")
	forTime = flag.Duration("for", 30*time.Millisecond, "length of one flood")
	dir     = flag.String("dir", "/dev/shm", "where the file is; best in memory")
)

const lineLen = 190

// file is a sink that counts, and starts over at the front of its file before
// that grows large.
type file struct {
	*os.File
	written int64
	at      int64
}

func (f *file) Write(p []byte) (int, error) {
	if f.at += int64(len(p)); f.at > 256<<20 {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
		f.at = 0
	}
	n, err := f.File.Write(p)
	f.written += int64(n)
	return n, err
}

// writer is one of the opponents.
type writer struct {
	name string
	open func(io.Writer) (w io.Writer, close func())
}

// guarded is the plain solution: a buffer and a mutex.
type guarded struct {
	mu sync.Mutex
	b  *bufio.Writer
}

func (g *guarded) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.Write(p)
}

func ours(opts asynclog.Options) func(io.Writer) (io.Writer, func()) {
	return func(f io.Writer) (io.Writer, func()) {
		w := asynclog.New(f, opts)
		return w, func() {
			if err := w.Close(); err != nil {
				panic(err)
			}
			s := w.Stats()
			if s.Accepted.Records != s.Written.Records+s.Dropped.Records {
				panic("the law does not hold")
			}
		}
	}
}

// The mutex-guarded buffer and zap's have the size that zap has by default; a
// larger one does not help them.
var writers = []writer{
	{"asynclog", ours(asynclog.Options{})},
	{"asynclog, DropNewest", ours(asynclog.Options{Full: asynclog.DropNewest})},
	{"asynclog, Wait", ours(asynclog.Options{Full: asynclog.Wait, MaxWait: time.Minute})},
	{"zerolog diode", func(f io.Writer) (io.Writer, func()) {
		w := diode.NewWriter(f, 10_000, 10*time.Millisecond, nil)
		return w, func() { w.Close() }
	}},
	{"zap buffered", func(f io.Writer) (io.Writer, func()) {
		w := &zapcore.BufferedWriteSyncer{WS: zapcore.AddSync(f)}
		return w, func() { _ = w.Stop() }
	}},
	{"mutex and buffer", func(f io.Writer) (io.Writer, func()) {
		w := &guarded{b: bufio.NewWriterSize(f, 256<<10)}
		return w, func() { w.b.Flush() }
	}},
}

// result is what one flood showed: the cost of a line is the time of the flood
// by the lines of all producers, as testing.B.RunParallel has it.
type result struct{ perLine, perSecond float64 }

func flood(t testing.TB, o writer, producers int) result {
	f, err := os.CreateTemp(*dir, "flood")
	if err != nil {
		t.Skipf("no place for the file: %v", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	sink := &file{File: f}
	w, closeWriter := o.open(sink)
	line := append(bytes.Repeat([]byte("x"), lineLen-1), '\n')
	counts := make([]int, producers)
	var wg sync.WaitGroup
	start := time.Now()
	for p := range producers {
		wg.Go(func() {
			n := 0
			for ; n == 0 || time.Since(start) < *forTime; n += 256 {
				for range 256 {
					_, _ = w.Write(line)
				}
			}
			counts[p] = n
		})
	}
	wg.Wait()
	took := time.Since(start)
	closeWriter() // what was buffered counts as written, as it does in the end
	lines := 0
	for _, n := range counts {
		lines += n
	}
	return result{
		perLine:   float64(took.Nanoseconds()) / float64(lines),
		perSecond: float64(sink.written) / lineLen / time.Since(start).Seconds(),
	}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

func TestTable(t *testing.T) {
	log.SetOutput(io.Discard) // the diode's collisions
	defer log.SetOutput(os.Stderr)
	for _, producers := range []int{2, 64} {
		cost, rate := map[string][]float64{}, map[string][]float64{}
		for range *rounds {
			for _, o := range writers {
				r := flood(t, o, producers)
				cost[o.name] = append(cost[o.name], r.perLine)
				rate[o.name] = append(rate[o.name], r.perSecond)
			}
		}
		t.Logf("%d producers", producers)
		for _, o := range writers {
			t.Logf("  %-22s %7.1f ns a line   %6.2f M lines/s written", o.name,
				median(cost[o.name]), median(rate[o.name])/1e6)
		}
		us := writers[0].name
		diode, zap, plain := writers[3].name, writers[4].name, writers[5].name
		t.Logf("  cost against the diode      1/%.1f", median(cost[diode])/median(cost[us]))
		t.Logf("  lines against the diode     %.1fx", median(rate[us])/median(rate[diode]))
		t.Logf("  lines against zap           %.2fx", median(rate[us])/median(rate[zap]))
		t.Logf("  lines against mutex+buffer  %.2fx", median(rate[us])/median(rate[plain]))
		t.Logf("  Wait against zap            %.2fx", median(rate[writers[2].name])/median(rate[zap]))
	}
}

// hanging is a sink that takes nothing.
type hanging chan struct{}

func (h hanging) Write(p []byte) (int, error) {
	<-h
	return len(p), nil
}

// tail returns the callers' 99.9th percentile under a flood.
func tail(w *asynclog.Writer, producers int) float64 {
	line := append(bytes.Repeat([]byte("x"), lineLen-1), '\n')
	all := make([][]float64, producers)
	var wg sync.WaitGroup
	start := time.Now()
	for p := range producers {
		wg.Go(func() {
			for t := start; t.Sub(start) < *forTime; {
				_, _ = w.Write(line)
				end := time.Now()
				all[p] = append(all[p], float64(end.Sub(t)))
				t = end
			}
		})
	}
	wg.Wait()
	v := slices.Concat(all...)
	slices.Sort(v)
	return v[len(v)*999/1000]
}

func TestTable_tail(t *testing.T) {
	for _, producers := range []int{2, 64} {
		var well, stalled []float64
		for range *rounds {
			f, err := os.CreateTemp(*dir, "flood")
			if err != nil {
				t.Skipf("no place for the file: %v", err)
			}
			w := asynclog.New(&file{File: f}, asynclog.Options{})
			well = append(well, tail(w, producers))
			_ = w.Close()
			f.Close()
			os.Remove(f.Name())

			h := make(hanging)
			w = asynclog.New(h, asynclog.Options{})
			stalled = append(stalled, tail(w, producers))
			close(h)
			_ = w.Close()
		}
		t.Logf("%d producers: p99.9 well %.0f ns, stalled %.0f ns: %.2fx", producers,
			median(well), median(stalled), median(stalled)/median(well))
	}
}
