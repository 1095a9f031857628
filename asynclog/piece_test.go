package asynclog

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// pieceLines is some batches' worth of lines, each batch of many pieces.
const pieceLines = 3 * batchBytes / 190

// backlog is a Writer with so many lines waiting for its sink, which says what
// to do with the pieces that come after the first call.
func backlog(do func(call int, p []byte) (int, error)) (*Writer, *tape) {
	gate := make(hung)
	s := &tape{do: func(call int, p []byte) (int, error) {
		if call == 0 {
			return gate.Write(p)
		}
		return do(call, p)
	}}
	w := New(s, Options{Budget: 8 << 20, Reserve: -1, MaxWait: time.Hour, Full: Wait})
	_, _ = w.Write(line190())
	synctest.Wait()
	for range pieceLines {
		_, _ = w.Write(line190())
	}
	close(gate)
	return w, s
}

func TestPiecesAreLargeAndOfWholeRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		large := 0
		w, s := backlog(func(_ int, p []byte) (int, error) {
			require.LessOrEqual(t, len(p), pieceBytes)
			require.Zero(t, len(p)%190)
			if len(p) > pieceBytes-190 {
				large++
			}
			return len(p), nil
		})
		require.NoError(t, w.Close())
		require.Equal(t, (pieceLines+1)*190, len(s.String()))
		require.Greater(t, large, s.count()*3/4)
	})
}

func TestPiecesARecordLongerThanOneGoesInOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{}
		w := New(s, Options{})
		long := append(bytes.Repeat([]byte("y"), 3*pieceBytes), '\n')
		for range 3 {
			_, _ = w.Write([]byte("short\n"))
			_, _ = w.Write(long)
		}
		require.NoError(t, w.Close())
		require.Equal(t, 6, s.count())
		require.Equal(t, strings.Repeat("short\n"+string(long), 3), s.String())
	})
}

func TestPiecesAreCountedWhileTheNextOneHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		w, s := backlog(func(call int, p []byte) (int, error) {
			if call == 4 {
				return h.Write(p)
			}
			return len(p), nil
		})
		synctest.Wait()
		st := w.Stats()
		lawful(t, st)
		require.EqualValues(t, len(s.String()), st.Written.Bytes)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var left *UnwrittenError
		require.ErrorAs(t, w.Flush(ctx), &left)
		require.Equal(t, st.Buffered, left.Left)
		require.ErrorAs(t, w.Shutdown(ctx), &left)
		require.Equal(t, st.Buffered, left.Left)
		close(h)
		synctest.Wait()
		require.Equal(t, 5, s.count(), "no piece after Shutdown has given up")
		require.EqualValues(t, len(s.String()), w.Stats().Written.Bytes)
		lawful(t, w.Stats())
	})
}

// A waiter that times out asks whether the sink has taken anything meanwhile.
// Shutdown and Flush count before they tell; so the count must be theirs.
func TestPiecesAreCountedByWhoeverAsksFirst(t *testing.T) {
	for name, ask := range map[string]func(*Writer) Count{
		"shutdown": func(w *Writer) Count {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return w.Shutdown(ctx).(*UnwrittenError).Left
		},
		"flush": func(w *Writer) Count {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return w.Flush(ctx).(*UnwrittenError).Left
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := make(hung)
				w, s := backlog(func(call int, p []byte) (int, error) {
					if call == 3 {
						return h.Write(p)
					}
					return len(p), nil
				})
				synctest.Wait()
				want := (pieceLines+1)*190 - len(s.String())
				require.EqualValues(t, want, ask(w).Bytes)
				close(h)
				_ = w.Close()
			})
		})
	}
}

func TestPiecesACrashOrAnErrorInOneResumesThere(t *testing.T) {
	for name, fail := range map[string]func(p []byte) (int, error){
		"panic":   func([]byte) (int, error) { panic("sink") },
		"error":   func([]byte) (int, error) { return 0, errSink },
		"partial": func(p []byte) (int, error) { return len(p) / 3, errSink },
		"short":   func(p []byte) (int, error) { return len(p) / 3, nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &tape{}
				s.do = func(call int, p []byte) (int, error) {
					if call%7 == 3 {
						return fail(p)
					}
					return len(p), nil
				}
				w := New(s, Options{CloseTimeout: time.Hour, Budget: 8 << 20})
				l := newLedger(1)
				for range 20_000 {
					require.NoError(t, l.write(w, 0))
				}
				require.NoError(t, w.Close())
				l.settle(t, w, []byte(s.String()))
			})
		})
	}
}

// A sink that needs long for a batch, but not for a piece of it, is no stall.
func TestPiecesEachIsASignOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := backlog(func(_ int, p []byte) (int, error) {
			time.Sleep(3 * time.Second)
			return len(p), nil
		})
		require.NoError(t, w.Flush(t.Context()))
		require.Zero(t, w.Stats().Stalls)
		require.NoError(t, w.Close())
	})
}

// What counts as no progress begins with the record, not with the last look
// that the idle worker took at the buffer.
func TestPiecesAStallBeginsWithTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		w := New(h, Options{StallAfter: 10 * time.Second})
		time.Sleep(4 * time.Second)
		_, _ = w.Write([]byte("x\n"))
		time.Sleep(10*time.Second - time.Nanosecond)
		require.False(t, w.Stats().Stalled)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		require.True(t, w.Stats().Stalled)
		close(h)
		require.NoError(t, w.Close())
	})
}
