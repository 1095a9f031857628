package asynclog

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// crashing is a sink that panics over certain records.
func crashing(bad string, calls *int) *tape {
	return &tape{do: func(_ int, p []byte) (int, error) {
		if calls != nil {
			*calls++
		}
		if bytes.Contains(p, []byte(bad)) {
			panic("poison")
		}
		return len(p), nil
	}}
}

// gated has s wait until the channel is closed: meanwhile a budget fills up for
// certain, however fast the worker is.
func gated(s *tape) chan struct{} {
	gate, do := make(chan struct{}), s.do
	s.do = func(call int, p []byte) (int, error) {
		<-gate
		return do(call, p)
	}
	return gate
}

// Once poison is the pattern, a record is given up sooner, however the records
// are cut into batches: after each, the report of its loss shows that the sink
// takes something.
func TestPoisonTenRecordsDoNotCostTenOutages(t *testing.T) {
	for name, between := range map[string]int{"in a row": 0, "among others": 9} {
		for first := range 5 { // poison records of the first batch
			t.Run(fmt.Sprint(name, first), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { tenPoisons(t, between, first) })
			})
		}
	}
}

func tenPoisons(t *testing.T, between, first int) {
	s := crashing("poison", nil)
	w := New(s, Options{CloseTimeout: time.Hour, Report: ReportJSON})
	start := time.Now()
	for i := range 10 {
		if i == first {
			synctest.Wait() // the worker has those until now
		}
		_, _ = w.Write(fmt.Appendf(nil, "poison %d\n", i))
		for range between {
			_, _ = w.Write([]byte("well\n"))
		}
	}
	require.NoError(t, w.Close())
	st := w.Stats()
	require.LessOrEqual(t, st.Restarts, uint64(poisonous+poisonous/4+8+2),
		"two to find the first of a batch")
	require.Less(t, time.Since(start), time.Duration(st.Restarts)*maxPause)
	require.EqualValues(t, 10, st.Dropped.Records)
	require.EqualValues(t, 10*between, st.Written.Records)
}

// A sink that crashes over everything is not the fault of the records: they
// have all their tries.
func TestPoisonIsNotASinkThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(crashing("", nil), Options{})
		for range 100 {
			_, _ = w.Write([]byte("x\n"))
		}
		time.Sleep(time.Minute)
		st := w.Stats()
		require.Less(t, st.Dropped.Records, uint64(10))
		require.Less(t, st.Dropped.Records*(poisonous-1), st.Restarts)
		require.Error(t, w.Close())
	})
}

// After a quiet minute a crash may be an accident again.
func TestPoisonIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		w := New(crashing("poison", &calls), Options{Report: ReportPlain})
		poison := func() int {
			before := calls
			_, _ = w.Write([]byte("poison\n"))
			require.NoError(t, w.Flush(t.Context()))
			return calls - before - 1 // the report
		}
		require.Equal(t, 16, poison())
		require.Equal(t, 4, poison())
		require.Equal(t, 1, poison())
		require.Equal(t, 1, poison())
		time.Sleep(patternTime + time.Second)
		require.Equal(t, 16, poison())
		require.NoError(t, w.Close())
	})
}

// The others of a batch are handed over one at a time from the first crash on,
// so each of them costs no crash of its own.
func TestPoisonIsLookedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(crashing("poison", nil), Options{CloseTimeout: time.Hour})
		for range 100 {
			_, _ = w.Write([]byte("well\n"))
		}
		_, _ = w.Write([]byte("poison\n"))
		require.NoError(t, w.Close())
		require.Less(t, w.Stats().Restarts, uint64(poisonous+3))
		require.EqualValues(t, 100, w.Stats().Written.Records)
	})
}

// A sink that crashes always is not the fault of the report either: it is
// written once the sink recovers, after the record that showed this, and
// nothing is accounted for in the fallback alone.
func TestPoisonReportOutlivesAnOutage(t *testing.T) {
	for _, refused := range []FullPolicy{DropOldest, DropNewest} {
		for _, minutes := range []int{1, 30} {
			name := fmt.Sprintf("%v for %d minutes", refused, minutes)
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					outage(t, refused, time.Duration(minutes)*time.Minute)
				})
			})
		}
	}
}

func outage(t *testing.T, full FullPolicy, d time.Duration) {
	told, s := &tape{}, &tape{}
	down := true
	gate := make(chan struct{})
	s.do = func(_ int, p []byte) (int, error) {
		<-gate
		if down {
			panic("down")
		}
		return len(p), nil
	}
	opts := small(full)
	opts.Fallback = told
	w := New(s, opts)
	line := line190()
	for range 100 {
		_, _ = w.Write(line)
	}
	lost := w.Stats().Dropped.Records
	require.Positive(t, lost)
	close(gate)
	time.Sleep(d)
	synctest.Wait()
	down = false
	require.NoError(t, w.Flush(t.Context()))
	sum := uint64(0)
	for _, m := range regexp.MustCompile(`"records":(\d+)`).
		FindAllStringSubmatch(s.String(), -1) {
		n, err := strconv.ParseUint(m[1], 10, 64)
		require.NoError(t, err)
		sum += n
	}
	require.Equal(t, w.Stats().Dropped.Records, sum)
	require.NotContains(t, told.String(), "cannot take")
	require.NoError(t, w.Close())
}

// The rest of a report is given up with its line ended: a record must not
// become part of it.
func TestPoisonReportThatIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told, s := &tape{}, &tape{}
		cut := false
		s.do = func(_ int, p []byte) (int, error) {
			switch {
			case bytes.HasPrefix(p, []byte("{")):
				cut = true
				return 5, io.ErrShortWrite
			case cut && bytes.HasSuffix(p, []byte("}\n")):
				panic("the rest")
			}
			cut = false
			return len(p), nil
		}
		gate := gated(s)
		opts := small(DropOldest)
		opts.Fallback = told
		w := New(s, opts)
		for range 100 {
			_, _ = w.Write([]byte("a record of about forty bytes, and so on\n"))
		}
		close(gate)
		require.NoError(t, w.Flush(t.Context()))
		require.NoError(t, w.Close())
		require.Contains(t, told.String(), "cannot take the report of a loss")
		for line := range strings.Lines(s.String()) {
			require.Contains(t, []string{"{\"tim\n",
				"a record of about forty bytes, and so on\n"}, line)
		}
		require.Contains(t, s.String(), "{\"tim\n")
	})
}

// A report that crashes the sink is given up like a record, and is not made
// again for a while.
func TestPoisonReportIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &tape{}
		s := crashing("{", nil)
		gate := gated(s)
		opts := small(DropOldest)
		opts.Fallback = told
		w := New(s, opts)
		line := line190()
		for range 100 {
			_, _ = w.Write(line)
		}
		close(gate)
		for range 3 * 3600 {
			time.Sleep(time.Second)
			_, _ = w.Write(line)
		}
		st := w.Stats()
		require.Greater(t, st.Written.Records, uint64(3*3600))
		require.LessOrEqual(t, st.Restarts, uint64(2*(poisonous+poisonous/4)))
		require.NoError(t, w.Close())
		require.Contains(t, told.String(), "cannot take the report of a loss")
	})
}

// What is lost to poison is told where that was, and not with what was refused
// behind it, or the other way around.
func TestPoisonAndRefusalAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := crashing("p0 n0 ", nil)
		gate := gated(s)
		opts := small(DropNewest)
		opts.CloseTimeout = time.Hour
		w := New(s, opts)
		l := newLedger(1)
		for range 500 {
			require.NoError(t, l.write(w, 0))
		}
		close(gate)
		time.Sleep(time.Hour)
		require.NoError(t, w.Close())
		r := l.settle(t, w, []byte(s.String()))
		require.Equal(t, []string{"report", "p0 n1"}, r.order[:2])
		require.Regexp(t, `^\{[^}]*"records":1,`, s.String())
		require.Equal(t, "report", r.order[len(r.order)-1])
		require.EqualValues(t, 2, r.reports)
	})
}
