package asynclog

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errLong = errors.New("write length exceeds maximum file size")

// choosy is a sink that rejects calls with the text in them, as one record or
// as a whole.
func choosy(bad string, err error) *tape {
	return &tape{do: func(_ int, p []byte) (int, error) {
		if bytes.Contains(p, []byte(bad)) {
			return 0, err
		}
		return len(p), nil
	}}
}

// A record that the sink rejects is dropped, counted and reported where it is
// missing, at once; the others around it are written.
func TestRejectedRecordDoesNotStopTheLog(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		opts Options
	}{
		"wrapped": {fmt.Errorf("parse: %w", ErrRejected), Options{}},
		"option": {errLong, Options{Rejected: func(err error) bool {
			return errors.Is(err, errLong)
		}}},
		"unbatched": {ErrRejected, Options{Unbatched: true}},
		"wait":      {ErrRejected, Options{Full: Wait}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := choosy("p0 n5 ", c.err)
				c.opts.Report = ReportJSON
				w := New(s, c.opts)
				l := newLedger(1)
				start := time.Now()
				for range 10 {
					require.NoError(t, l.write(w, 0))
				}
				require.NoError(t, w.Close())
				require.Zero(t, time.Since(start), "no pause")
				r := l.settle(t, w, []byte(s.String()))
				require.Equal(t, []string{"p0 n4", "report", "p0 n6"}, r.order[4:7])
				st := w.Stats()
				require.Equal(t, Count{1, uint64(len(numbered(0, 5)))}, st.Dropped)
				require.Zero(t, st.Restarts)
				require.NotZero(t, st.SinkErrors)
			})
		})
	}
}

// The errors of a sink that is down are no fault of the records.
func TestRejectedIsNotWhatAnErrorSaysByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := choosy("x", errLong)
		w := New(s, Options{})
		_, _ = w.Write([]byte("x\n"))
		time.Sleep(time.Hour)
		require.EqualValues(t, 1, w.Stats().Buffered.Records)
		require.Error(t, w.Close())
	})
}

// A record of which the sink has taken a part before it rejects the rest has its
// line ended; one that it has taken whole is written, whatever it says.
func TestRejectedInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{do: func(call int, p []byte) (int, error) {
			switch {
			case bytes.HasPrefix(p, []byte("bad")):
				return 2, ErrRejected
			case p[0] == 'd':
				return 0, ErrRejected
			case bytes.HasPrefix(p, []byte("whole")):
				return len(p), ErrRejected
			}
			return len(p), nil
		}}
		w := New(s, Options{Report: ReportJSON})
		for _, p := range []string{"a\n", "bad\n", "whole\n", "b\n"} {
			_, _ = w.Write([]byte(p))
			require.NoError(t, w.Flush(t.Context()))
		}
		require.NoError(t, w.Close())
		require.Regexp(t, `^a\nba\n\{.*\}\nwhole\nb\n$`, s.String())
		require.Equal(t, Count{1, 4}, w.Stats().Dropped)
	})
}

// The report of a loss may be rejected as well: then it is given up, and the
// fallback has its counts.
func TestRejectedReportIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &tape{}
		s := choosy("{", ErrRejected)
		gate := gated(s)
		opts := small(DropOldest)
		opts.Fallback = told
		w := New(s, opts)
		_, _ = w.Write([]byte("first\n"))
		synctest.Wait() // for the worker to be in the sink: one loss, one report
		for range 100 {
			_, _ = w.Write(line190())
		}
		close(gate)
		require.NoError(t, w.Close())
		require.NotZero(t, w.Stats().Dropped.Records)
		require.Equal(t, w.buf.losses.total(), w.buf.losses.told)
		require.Contains(t, told.String(), fmt.Sprintf(
			"cannot take the report of a loss: %v dropped", w.Stats().Dropped))
	})
}

// A poor sink rejects everything: that ends, too.
func TestRejectedEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := choosy("", ErrRejected)
		w := New(s, Options{})
		for range 1000 {
			_, _ = w.Write(line190())
		}
		require.NoError(t, w.Flush(t.Context()))
		require.NoError(t, w.Close())
		require.EqualValues(t, 1000, w.Stats().Dropped.Records)
		require.Less(t, s.count(), 1100)
	})
}

// A datagram of 70 KiB is too long for UDP. Nobody has to say so.
func TestRejectedDatagram(t *testing.T) {
	to, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer to.Close()
	sink, err := net.Dial("udp", to.LocalAddr().String())
	require.NoError(t, err)
	defer sink.Close()
	w := New(sink, Options{Unbatched: true, Report: ReportJSON})
	for _, p := range []string{"before\n", strings.Repeat("x", 70<<10), "after\n"} {
		_, _ = w.Write([]byte(p))
	}
	require.NoError(t, w.Close())
	require.Equal(t, Count{1, 70 << 10}, w.Stats().Dropped)
	buf := make([]byte, 1<<16)
	for _, want := range []string{"before\n", reportMessage, "after\n"} {
		require.NoError(t, to.SetReadDeadline(time.Now().Add(10*time.Second)))
		n, _, err := to.ReadFrom(buf)
		require.NoError(t, err)
		assert.Contains(t, string(buf[:n]), want)
	}
}
