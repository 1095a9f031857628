package asynclog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzWriter drives a Writer, in virtual time, with any options and any
// sequence of records, turns of the sink's behaviour and calls of Flush and
// Stats. Whatever happens, the accounts must agree with the stream to the
// record, and what the documentation promises about room must hold.
func FuzzWriter(f *testing.F) {
	f.Add(uint8(0), uint16(0), []byte{0, 9, 1, 20, 7, 0, 3, 200, 5, 0, 0, 255, 8, 1})
	f.Add(uint8(1), uint16(100), bytes.Repeat([]byte{3, 50, 2, 250}, 40))
	f.Add(uint8(2), uint16(3), bytes.Repeat([]byte{5, 0, 0, 255, 1, 255, 6, 4, 8, 9}, 20))
	f.Add(uint8(8), uint16(800), bytes.Repeat([]byte{4, 3, 3, 60, 7, 0}, 30))
	f.Add(uint8(12), uint16(4000), bytes.Repeat([]byte{0, 30, 5, 1, 2, 90, 9, 9}, 30))
	// Two losses with a report between them, and errors that outlive a flood.
	f.Add(uint8(0), uint16(8000), bytes.Join([][]byte{
		{1, 9, 5, 4, 7, 0, 3, 40, 3, 60}, bytes.Repeat([]byte{1, 200}, 60),
		{5, 0, 7, 0, 8, 9, 1, 9, 5, 4, 7, 0}, bytes.Repeat([]byte{1, 220}, 60),
		{5, 0, 7, 0, 8, 9},
	}, nil))
	f.Fuzz(func(t *testing.T, flags uint8, budget uint16, program []byte) {
		program = program[:min(len(program), 400)]
		synctest.Test(t, func(t *testing.T) {
			newWriterRun(flags, budget).play(t, program)
		})
	})
}

// writerRun is one run of FuzzWriter.
type writerRun struct {
	opts Options
	w    *Writer
	sink moodySink

	next     int // number of the next record
	accepted Count
	need     int // what the budget is charged for all records
	urgent   int // and for those of the reserve
	longest  int // of these
	panics   int
}

// charge is the most that the budget is charged for a record: a very short one
// takes up the room of its mark.
func charge(n int) int { return max(n, bytesPerMark) + 2*markSize }

func newWriterRun(flags uint8, budget uint16) *writerRun {
	r := &writerRun{opts: Options{
		Budget:    minBudget + int(budget),
		Full:      FullPolicy(flags % 3),
		Unbatched: flags&8 != 0,
		Report: func(l Loss) []byte {
			return fmt.Appendf(nil, "lost %d %d\n", l.Records, l.Bytes)
		},
	}}
	if flags&4 != 0 {
		r.opts.Reserve = -1
	}
	r.w = New(&r.sink, r.opts)
	return r
}

func (r *writerRun) play(t *testing.T, program []byte) {
	for ; len(program) > 1; program = program[2:] {
		r.step(t, program[0]%10, int(program[1]))
		lawful(t, r.w.Stats())
		require.LessOrEqual(t, r.w.Stats().HighWater, r.opts.Budget)
	}
	r.sink.setMood(0, 0)
	require.NoError(t, r.w.Close())
	r.settle(t)
}

func (r *writerRun) step(t *testing.T, op byte, arg int) {
	switch op {
	case 0, 1, 2, 3: // debug to error
		r.write(t, slog.Level(4*int(op)-4), arg)
	case 4: // far too large, or nearly
		r.write(t, slog.LevelInfo, r.opts.Budget-64+arg)
	case 5, 6: // the sink's behaviour from now on
		r.sink.setMood(arg%5, arg/5)
		if arg%5 == moodPanic {
			r.panics++
		}
	case 7:
		synctest.Wait()
	case 8:
		time.Sleep(time.Duration(arg) * 100 * time.Millisecond)
	case 9:
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(arg)*time.Millisecond)
		defer cancel()
		if err := r.w.Flush(ctx); err != nil {
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
	}
}

func (r *writerRun) write(t *testing.T, level slog.Level, size int) {
	p := fmt.Appendf(nil, "r%d ", r.next)
	p = append(p, strings.Repeat("x", max(size-len(p), 0))...)
	p = append(p, '\n')
	start := time.Now()
	n, err := r.w.WriteLeveled(level, p)
	if r.opts.Full != Wait {
		require.Zero(t, time.Since(start), "it waited")
	}
	require.LessOrEqual(t, time.Since(start), time.Second)
	if err != nil {
		require.Zero(t, n)
		require.ErrorIs(t, err, ErrTooLarge)
		require.Greater(t, len(p), r.opts.Budget/2, "half the budget always fits")
		return
	}
	require.Equal(t, len(p), n)
	require.LessOrEqual(t, len(p), r.opts.Budget)
	r.next++
	r.accepted.add(len(p))
	r.need += charge(len(p))
	if level >= slog.LevelError {
		r.urgent += charge(len(p))
		r.longest = max(r.longest, len(p))
	}
}

// settle reads the stream back.
func (r *writerRun) settle(t *testing.T) {
	var written, lost Count
	last := -1
	for line := range bytes.Lines(r.sink.taken) {
		var n, b int
		if k, _ := fmt.Sscanf(string(line), "lost %d %d\n", &n, &b); k == 2 {
			lost.Records += uint64(n)
			lost.Bytes += uint64(b)
			continue
		}
		k, err := fmt.Sscanf(string(line), "r%d ", &n)
		require.NoError(t, err, "torn: %q (%d)", line, k)
		require.Empty(t, strings.Trim(string(line[bytes.IndexByte(line, ' ')+1:]), "x\n"))
		require.Greater(t, n, last, "out of order, or twice")
		last = n
		written.add(len(line))
	}
	s := r.w.Stats()
	require.Equal(t, r.accepted, s.Accepted)
	require.Equal(t, written, s.Written)
	require.Equal(t, lost, s.Dropped, "the stream does not tell all")
	require.Zero(t, s.Buffered)
	require.LessOrEqual(t, s.Restarts, uint64(r.panics))
	r.room(t, s)
}

// room holds what was lost against what must have fitted.
func (r *writerRun) room(t *testing.T, s Stats) {
	if r.panics > 15 {
		return // a record may have been dropped as poison
	}
	if r.opts.Reserve == 0 && r.need < r.opts.Budget/2 {
		require.Zero(t, s.Dropped, "lost though there was room")
	}
	reserve := r.opts.Budget / 5
	if r.opts.Full == DropOldest && r.opts.Reserve == 0 && reserve >= 1024 &&
		r.urgent < reserve/2 && r.longest < reserve/8 {
		require.Zero(t, s.DroppedByLevel.Error, "lost though the reserve had room")
	}
}

// The moods of a sink.
const (
	moodTake = iota
	moodPart
	moodFail
	moodPanic // once
	moodHang  // until the mood changes
)

// moodySink keeps what it takes, and does with a call as its mood is.
type moodySink struct {
	mu     sync.Mutex
	mood   int
	most   int // bytes it takes in moodPart and moodFail
	change chan struct{}
	taken  []byte
}

var errMood = errors.New("mood")

func (s *moodySink) setMood(mood, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mood, s.most = mood, most
	if s.change != nil {
		close(s.change)
	}
	s.change = make(chan struct{})
}

func (s *moodySink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.mood == moodHang {
		change := s.change
		s.mu.Unlock()
		<-change
		s.mu.Lock()
	}
	n, err := len(p), error(nil)
	switch s.mood {
	case moodPart:
		n = min(1+s.most, n)
	case moodFail:
		n, err = min(s.most, n), errMood
	case moodPanic:
		s.mood = moodTake
		panic(errMood)
	}
	s.taken = append(s.taken, p[:n]...)
	return n, err
}
