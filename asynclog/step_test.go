package asynclog

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// stepped is a sink that takes one call for each token.
type stepped struct {
	tape
	tokens chan struct{}
}

func newStepped() *stepped {
	s := &stepped{tokens: make(chan struct{})}
	s.do = func(_ int, p []byte) (int, error) {
		<-s.tokens
		return len(p), nil
	}
	return s
}

// step lets one call return, and everything happen that follows from it.
func (s *stepped) step() {
	s.tokens <- struct{}{}
	synctest.Wait()
}

// flushedBySteps steps until a Flush returns, and returns the stream at that moment.
func flushedBySteps(t *testing.T, w *Writer, s *stepped, meanwhile func()) string {
	t.Helper()
	result := make(chan error, 1)
	go func() { result <- w.Flush(context.Background()) }()
	synctest.Wait()
	meanwhile()
	for len(result) == 0 {
		s.step()
	}
	require.NoError(t, <-result)
	return s.String()
}

func (s *stepped) end(t *testing.T, w *Writer) {
	t.Helper()
	close(s.tokens)
	require.NoError(t, w.Close())
}

func TestStepFlushWaitsForWhatMovesToTheReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStepped()
		w := New(s, Options{Budget: 8192, Reserve: 2048})
		filler := []byte(strings.Repeat("f", 63) + "\n")
		_, _ = w.Write(filler)
		synctest.Wait() // it is in the hands of the sink
		_, _ = w.WriteLeveled(slog.LevelError, []byte("urgent\n"))
		stream := flushedBySteps(t, w, s, func() {
			for range 200 {
				_, _ = w.Write(filler)
			}
			require.Positive(t, w.buf.old.records)
		})
		require.Contains(t, stream, "urgent\n")
		s.end(t, w)
	})
}

func TestStepFlushWaitsForTheReportOfLosses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStepped()
		w := New(s, small(DropNewest))
		for w.Stats().Dropped.Records == 0 {
			_, _ = w.Write([]byte(strings.Repeat("f", 63) + "\n"))
			synctest.Wait()
		}
		stream := flushedBySteps(t, w, s, func() {})
		require.Contains(t, stream, `"msg"`, "the report, in JSON")
		s.end(t, w)
	})
}

func TestStepReportFunctionsMayUseTheWriter(t *testing.T) {
	s := &tape{}
	var w *Writer
	opts := small(DropNewest)
	begun, release := make(chan struct{}), make(chan struct{})
	s.do = func(call int, p []byte) (int, error) {
		if call == 0 {
			close(begun)
			<-release
		}
		return len(p), nil
	}
	reported := make(chan Stats, 64)
	opts.Report = func(l Loss) []byte {
		reported <- w.Stats()
		return ReportPlain(l)
	}
	w = New(s, opts)
	_, _ = w.Write([]byte("x\n"))
	<-begun
	for w.Stats().Dropped.Records == 0 {
		_, _ = w.Write([]byte(strings.Repeat("f", 63) + "\n"))
	}
	close(release)
	lawful(t, <-reported) // the test's timeout is the bound
	require.NoError(t, w.Close())
}

func TestStepARecordIsGivenUpAfterSixteenCrashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, crashes := &tape{}, 0
		s.do = func(_ int, p []byte) (int, error) {
			if strings.HasPrefix(string(p), "poison") {
				crashes++
				panic("poison")
			}
			return len(p), nil
		}
		w := New(s, small(DropOldest))
		_, _ = w.Write([]byte("poison\n"))
		require.NoError(t, w.Flush(t.Context()))
		require.Equal(t, 16, crashes)
		require.NoError(t, w.Close())
	})
}
