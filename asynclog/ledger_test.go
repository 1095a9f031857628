package asynclog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A ledger numbers records when they are written and checks them when they are
// read back from wherever the sink put them. Each line says who wrote it and
// its number, and the rest of it follows from these: a torn, mixed or damaged
// line cannot go unnoticed. Lines of different lengths are needed for that.
type ledger struct {
	producers []producer
	tolerant  bool // a line at the end of the stream may be incomplete
}

type producer struct {
	attempts atomic.Uint64 // Writes called
	accepted atomic.Uint64 // Writes that returned nil
	latency  []time.Duration
}

func newLedger(producers int) *ledger {
	return &ledger{producers: make([]producer, producers)}
}

const filler = "The quick brown fox jumps over the lazy dog, again and again, " +
	"as long as the log is long. Pack my box with five dozen liquor jugs. "

func numbered(p, n int) []byte {
	b := fmt.Appendf(nil, "p%d n%d ", p, n)
	b = append(b, filler[:(p*31+n*17)%len(filler)]...)
	return append(b, '\n')
}

// write writes the next record of producer p.
func (l *ledger) write(w *Writer, p int) error {
	pr := &l.producers[p]
	line := numbered(p, int(pr.attempts.Add(1)-1))
	start := time.Now()
	n, err := w.Write(line)
	pr.latency = append(pr.latency, time.Since(start))
	if err == nil && n != len(line) {
		return fmt.Errorf("Write returned %d of %d", n, len(line))
	}
	if err == nil {
		pr.accepted.Add(1)
	}
	return err
}

// flood has every producer write n records, as fast as it can unless pace.
func (l *ledger) flood(t testing.TB, w *Writer, n int, pace time.Duration) {
	var wg sync.WaitGroup
	for p := range l.producers {
		wg.Go(func() {
			for range n {
				if err := l.write(w, p); err != nil {
					t.Errorf("producer %d: %v", p, err)
					return
				}
				if pace > 0 {
					time.Sleep(pace)
				}
			}
		})
	}
	wg.Wait()
}

// times logs what the callers had to wait. It is never a reason to fail.
func (l *ledger) times(t testing.TB) {
	var all []time.Duration
	for i := range l.producers {
		all = append(all, l.producers[i].latency...)
	}
	slices.Sort(all)
	if n := len(all); n > 0 {
		t.Logf("%d writes by %d callers: p50 %v, p99 %v, max %v", n,
			len(l.producers), all[n/2], all[n*99/100], all[n-1])
	}
}

// reading is what a stream turned out to hold.
type reading struct {
	records  Count
	reported Count
	reports  int
	order    []string // "report" or "p0 n1", in order
	torn     []byte   // a line without an end, at the end
}

// read takes a stream apart and fails on anything that is not a whole record,
// in order and for the first time, or a report.
func (l *ledger) read(t testing.TB, stream []byte) (r reading) {
	next := make([]int, len(l.producers))
	for line := range bytes.Lines(stream) {
		if l.tolerant && !bytes.HasSuffix(line, []byte("\n")) {
			r.torn = line
			continue
		}
		if bytes.HasPrefix(line, []byte("{")) {
			r.report(t, line)
			continue
		}
		var p, n int
		_, err := fmt.Sscanf(string(line), "p%d n%d", &p, &n)
		if err != nil || n < next[p] || !bytes.Equal(numbered(p, n), line) {
			require.Fail(t, "torn, mixed, out of order, or twice", "%q", line)
		}
		next[p] = n + 1
		r.records.add(len(line))
		r.order = append(r.order, fmt.Sprintf("p%d n%d", p, n))
	}
	return r
}

func (r *reading) report(t testing.TB, line []byte) {
	var v struct {
		Msg            string
		Records, Bytes uint64
		TooLarge       uint64 `json:"too_large"`
	}
	require.NoError(t, json.Unmarshal(line, &v), "%q", line)
	require.Equal(t, reportMessage, v.Msg)
	require.NotZero(t, v.Records+v.TooLarge)
	r.reported = r.reported.plus(Count{v.Records, v.Bytes})
	r.reports++
	r.order = append(r.order, "report")
}

// settle checks the accounts of a Writer that was closed against what its sink
// holds, to the record.
func (l *ledger) settle(t testing.TB, w *Writer, stream []byte) reading {
	l.times(t)
	r := l.read(t, stream)
	s := w.Stats()
	var accepted uint64
	for i := range l.producers {
		accepted += l.producers[i].accepted.Load()
	}
	require.Equal(t, accepted, s.Accepted.Records)
	lawful(t, s)
	require.Equal(t, s.Written, r.records, "Written is not what the sink has")
	require.Zero(t, s.Buffered)
	require.Equal(t, s.Dropped, r.reported, "the stream does not tell all")
	return r
}

func lawful(t testing.TB, s Stats) {
	t.Helper()
	equal(t, s.Accepted, s.Written.plus(s.Dropped).plus(s.Buffered))
	l := s.DroppedByLevel
	equal(t, s.Dropped.Records, l.Debug+l.Info+l.Warn+l.Error+l.Unknown)
}

// tape is a sink that keeps everything, or does as told.
type tape struct {
	mu    sync.Mutex
	bytes []byte
	calls int
	// do, if set, says what to do with a call, counted from 0: how many bytes
	// to take and what to return. It may panic, or never return.
	do func(call int, p []byte) (int, error)
}

func (s *tape) Write(p []byte) (int, error) {
	s.mu.Lock()
	do, call := s.do, s.calls
	s.calls++
	s.mu.Unlock()
	n, err := len(p), error(nil)
	if do != nil {
		n, err = do(call, p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes = append(s.bytes, p[:max(min(n, len(p)), 0)]...)
	return n, err
}

// heldTape is a tape whose first call hangs until the gate is closed.
func heldTape() (s *tape, gate hung) {
	gate = make(hung)
	return &tape{do: func(call int, p []byte) (int, error) {
		if call == 0 {
			return gate.Write(p)
		}
		return len(p), nil
	}}, gate
}

func (s *tape) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.bytes)
}

func (s *tape) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// partly takes a random number of bytes, and now and then fails with err
// unless that is nil, before, after or without taking some.
func partly(seed uint64, err error) func(int, []byte) (int, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	return func(_ int, p []byte) (int, error) {
		if err == nil {
			return 1 + rng.IntN(len(p)), nil
		}
		switch n := rng.IntN(len(p) + 1); rng.IntN(4) {
		case 0:
			return n, err
		case 1:
			return 0, err
		case 2:
			return max(n, 1), nil
		}
		return len(p), nil
	}
}

func countOf(s, sub string) int { return bytes.Count([]byte(s), []byte(sub)) }
