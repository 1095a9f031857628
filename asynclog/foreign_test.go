package asynclog

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx/chanxhttp"
)

// errorFunc is an error whose text is foreign code.
type errorFunc func() string

func (f errorFunc) Error() string { return f() }

// A client that logs while it holds its own lock, and a sink whose error's text
// takes that lock, stop nobody.
func TestForeignErrorTextMayTakeTheClientsLock(t *testing.T) {
	for name, told := range map[string]*tape{"fallback": {}, "none": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lock := make(chan struct{}, 1)
				slow := errorFunc(func() string {
					lock <- struct{}{}
					<-lock
					time.Sleep(300 * time.Millisecond)
					return "slow"
				})
				s := &tape{do: func(call int, p []byte) (int, error) {
					if call < 3 {
						return 0, slow
					}
					return len(p), nil
				}}
				var opts Options
				if told != nil {
					opts.Fallback = told
				}
				w := New(s, opts)
				lock <- struct{}{}
				start := time.Now()
				for range 100 {
					_, _ = w.Write([]byte("x\n"))
					synctest.Wait()
				}
				_ = w.Stats()
				require.Zero(t, time.Since(start))
				<-lock
				require.NoError(t, w.Close())
				require.LessOrEqual(t, time.Since(start), time.Second)
				time.Sleep(time.Minute)
			})
		})
	}
}

// hookedContext runs a function whenever it is asked for its error.
type hookedContext struct {
	context.Context
	hook func()
}

func (c hookedContext) Err() error {
	c.hook()
	return c.Context.Err()
}

func TestForeignContextMayLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(&tape{}, Options{})
		ctx := hookedContext{t.Context(), func() { _, _ = w.Write([]byte("ctx\n")) }}
		require.NoError(t, w.Flush(ctx))
		ctx.Context = cancelled()
		_ = w.Flush(ctx) // returns, which is all that can be said
		require.NoError(t, w.Close())
		require.Equal(t, w.Stats().Accepted, w.Stats().Written)
	})
}

func cancelled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

type typedNil struct{ text string }

func (e *typedNil) Error() string { return e.text }

// An error that is a typed nil, or whose text panics, harms neither Close nor
// what shows it.
func TestForeignErrorTextMayPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &tape{}
		var none *typedNil
		s := &tape{do: func(call int, p []byte) (int, error) {
			if call == 3 {
				panic(none)
			}
			return 0, none
		}}
		w := New(s, Options{Fallback: told, StallAfter: time.Second})
		_, _ = w.Write([]byte("x\n"))
		time.Sleep(time.Minute)
		_, err := json.Marshal(w.Stats())
		require.NoError(t, err)
		rec := httptest.NewRecorder()
		chanxhttp.Health(w.Supervisor()).ServeHTTP(rec,
			httptest.NewRequest("GET", "/?verbose", nil))
		require.NotZero(t, rec.Code)
		var left *UnwrittenError
		require.ErrorAs(t, w.Close(), &left)
		require.Contains(t, left.Error(), "whose Error method panics")
		require.Contains(t, told.String(), "*asynclog.typedNil")
	})
}

// The errors' methods that errors.Is calls may log as well.
func TestForeignErrorMayLogWhenItIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *Writer
		var once sync.Once
		s := &tape{do: func(call int, p []byte) (int, error) {
			if call == 0 {
				return 0, askedError(func() {
					once.Do(func() { _, _ = w.Write([]byte("is\n")) })
				})
			}
			return len(p), nil
		}}
		w = New(s, Options{})
		_, _ = w.Write([]byte("x\n"))
		time.Sleep(time.Second)
		require.NoError(t, w.Close())
		require.Equal(t, "x\nis\n", s.String())
	})
}

type askedError func()

func (askedError) Error() string   { return "asked" }
func (a askedError) Is(error) bool { a(); return false }
