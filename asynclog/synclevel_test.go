package asynclog

import (
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSyncLevelARecordIsWrittenBeforeWriteReturns(t *testing.T) {
	for full := DropOldest; full <= Wait; full++ {
		s := &tape{}
		w := New(s, Options{SyncLevel: slog.LevelError, Full: full})
		log := slog.New(NewHandler(w, jsonHandler))
		for range 200 {
			log.Info("before")
			log.Error("the last")
			out := s.String()
			require.Equal(t, "\"the last\"}\n", out[len(out)-len("\"the last\"}\n"):])
		}
		_, _ = w.WriteLeveled(slog.LevelError+4, []byte("plain\n"))
		require.Contains(t, s.String(), "plain\n")
		require.NoError(t, w.Close())
		require.Equal(t, 200, countOf(s.String(), "before"))
	}
}

func TestSyncLevelIsReadOnceAndZeroIsALevel(t *testing.T) {
	level := new(slog.LevelVar)
	o := Options{SyncLevel: level}.checked()
	level.Set(slog.LevelError)
	require.Equal(t, slog.LevelInfo, o.SyncLevel)
	require.Nil(t, Options{}.checked().SyncLevel)
}

// Below the level, and without one, nobody waits.
func TestSyncLevelTheOthersDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, gate := heldTape()
		w := New(s, Options{SyncLevel: slog.LevelError})
		begin := time.Now()
		_, _ = w.WriteLeveled(slog.LevelWarn, []byte("warn\n"))
		_, _ = w.Write([]byte("none\n"))
		require.Zero(t, time.Since(begin))
		close(gate)
		require.NoError(t, w.Close())
	})
}

// A sink that hangs costs MaxWait once, until it takes something.
func TestSyncLevelASinkThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, gate := heldTape()
		w := New(s, Options{SyncLevel: slog.LevelError, MaxWait: 3 * time.Second})
		begin := time.Now()
		for range 100 {
			n, err := w.WriteLeveled(slog.LevelError, []byte("x\n"))
			require.NoError(t, err)
			require.Equal(t, 2, n)
		}
		require.Equal(t, 3*time.Second, time.Since(begin))
		close(gate)
		require.NoError(t, w.Flush(t.Context()))
		_, _ = w.WriteLeveled(slog.LevelError, []byte("again\n"))
		require.Contains(t, s.String(), "again\n")
		require.NoError(t, w.Close())
		require.EqualValues(t, 101, w.Stats().Written.Records)
	})
}

// A sink that makes progress, but has too much before it: the errors of an
// overloaded service must not wait one after the other.
func TestSyncLevelASinkThatFallsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{do: func(_ int, p []byte) (int, error) {
			time.Sleep(time.Second)
			return len(p), nil
		}}
		w := New(s, Options{SyncLevel: slog.LevelError, Unbatched: true,
			MaxWait: 2500 * time.Millisecond})
		for range 10 {
			_, _ = w.Write([]byte("before\n"))
		}
		begin := time.Now()
		for range 100 {
			_, _ = w.WriteLeveled(slog.LevelError, []byte("x\n"))
		}
		require.Equal(t, 2500*time.Millisecond, time.Since(begin))
		for range 4 { // all of them wait at the same time
			go func() { _, _ = w.WriteLeveled(slog.LevelError, []byte("x\n")) }()
		}
		time.Sleep(11*time.Second - time.Since(begin)) // the first is written
		synctest.Wait()
		begin = time.Now()
		_, _ = w.WriteLeveled(slog.LevelError, []byte("y\n"))
		require.Equal(t, 2500*time.Millisecond, time.Since(begin), "tried again")
		time.Sleep(200 * time.Second)
		begin = time.Now()
		_, _ = w.WriteLeveled(slog.LevelError, []byte("z\n"))
		require.Equal(t, time.Second, time.Since(begin))
		require.NoError(t, w.Close())
	})
}

func TestSyncLevelManyWaitInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, gate := heldTape()
		w := New(s, Options{SyncLevel: slog.LevelError})
		for range 10 {
			go func() { _, _ = w.WriteLeveled(slog.LevelError, []byte("x\n")) }()
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Len(t, w.buf.pending, 1)
		close(gate)
		require.NoError(t, w.Close())
	})
}

func TestSyncLevelCloseEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, gate := heldTape()
		w := New(s, Options{SyncLevel: slog.LevelError, MaxWait: time.Hour,
			CloseTimeout: time.Second})
		begin := time.Now()
		go func() {
			_, _ = w.WriteLeveled(slog.LevelError, []byte("x\n"))
			require.Less(t, time.Since(begin), time.Hour)
		}()
		synctest.Wait()
		require.Error(t, w.Close())
		close(gate)
	})
}

// A sink that logs at the level to its own Writer would wait for itself.
func TestSyncLevelTheSinkDoesNotWaitForItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *Writer
		s := &tape{}
		s.do = func(call int, p []byte) (int, error) {
			if call < 3 {
				_, _ = w.WriteLeveled(slog.LevelError, []byte("mine\n"))
			}
			return len(p), nil
		}
		w = New(s, Options{SyncLevel: slog.LevelError})
		begin := time.Now()
		_, _ = w.WriteLeveled(slog.LevelError, []byte("first\n"))
		require.NoError(t, w.Flush(t.Context()))
		require.Zero(t, time.Since(begin))
		require.NoError(t, w.Close())
		require.Empty(t, w.buf.pending)
	})
}

// What is dropped at once is not waited for.
func TestSyncLevelARecordThatIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, gate := heldTape()
		w := New(s, Options{SyncLevel: slog.LevelInfo, Budget: 1024,
			Full: DropNewest, Reserve: -1})
		for range 20 { // until it is full
			_, _ = w.Write(make([]byte, 100))
			synctest.Wait()
		}
		dropped := w.Stats().Dropped.Records
		require.NotZero(t, dropped)
		begin := time.Now()
		_, _ = w.WriteLeveled(slog.LevelInfo, make([]byte, 100))
		require.Zero(t, time.Since(begin))
		require.Equal(t, dropped+1, w.Stats().Dropped.Records)
		close(gate)
		require.NoError(t, w.Close())
	})
}

func TestSyncIsAFlushWithinCloseTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, gate := heldTape()
		w := New(s, Options{CloseTimeout: 2 * time.Second})
		_, _ = io.WriteString(w, "x\n")
		begin := time.Now()
		var left *UnwrittenError
		require.ErrorAs(t, w.Sync(), &left)
		require.Equal(t, 2*time.Second, time.Since(begin))
		require.EqualValues(t, 1, left.Left.Records)
		close(gate)
		require.NoError(t, w.Sync())
		require.Equal(t, "x\n", s.String())
		require.NoError(t, w.Close())
		require.NoError(t, w.Sync(), "after Close, all written")
	})
}
