package chanx_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// once supervises a worker that runs once, by out.
func once(t *testing.T, out func() error) error {
	var err error
	synctest.Test(t, func(t *testing.T) {
		err = chanx.Supervise(t.Context(), func(context.Context) error {
			return out()
		}, chanx.RestartPolicy{Restart: chanx.RestartNever})
	})
	return err
}

// explode is where the stack of a panic must point.
func explode(v any) { panic(v) }

func TestPanicError(t *testing.T) {
	for name, value := range map[string]any{
		"string": "boom", "error": errBoom, "int": 7, "struct": struct{ A int }{1},
		"error of ours": chanx.ErrStop,
	} {
		t.Run(name, func(t *testing.T) {
			err := once(t, func() error { explode(value); return nil })
			p, ok := err.(*chanx.PanicError)
			require.True(t, ok, "%T", err)
			assert.Equal(t, value, p.Value)
			assert.Contains(t, string(p.Stack), "chanx_test.explode(")
			assert.Contains(t, string(p.Stack), "exit_test.go:")
			assert.True(t, strings.HasPrefix(p.Error(), "panic: "), p.Error())
			assert.Contains(t, p.Error(), string(p.Stack))
			inner, _ := value.(error)
			assert.Equal(t, inner, errors.Unwrap(err))
		})
	}
}

// TestPanicErrorOfTheRuntime: errors.As reaches what the runtime panics with.
func TestPanicErrorOfTheRuntime(t *testing.T) {
	var none map[string]int
	var zero, index int
	var value any = "string"
	var ch chan int
	for name, out := range map[string]func(){
		"nil map":   func() { none["a"] = 1 },
		"division":  func() { zero = 1 / zero },
		"index":     func() { index = []int{}[index] },
		"assertion": func() { index = value.(int) },
		"close nil": func() { close(ch) },
	} {
		t.Run(name, func(t *testing.T) {
			err := once(t, func() error { out(); return nil })
			assert.IsType(t, &chanx.PanicError{}, err)
			var re runtime.Error
			require.ErrorAs(t, err, &re)
			assert.Contains(t, err.Error(), re.Error())
		})
	}
}

func TestPanicNil(t *testing.T) {
	err := once(t, func() error { explode(nil); return nil })
	var nothing *runtime.PanicNilError
	assert.ErrorAs(t, err, &nothing)
}

// TestPanicNilOfOld: before Go 1.21, recover could not tell panic(nil) from
// no panic, and it still cannot with this setting. It is a panic all the same.
func TestPanicNilOfOld(t *testing.T) {
	t.Setenv("GODEBUG", "panicnil=1")
	err := once(t, func() error { explode(nil); return nil })
	p, ok := err.(*chanx.PanicError)
	require.True(t, ok, "%v", err)
	assert.Nil(t, p.Value)
	assert.Contains(t, string(p.Stack), "exit_test.go:")
}

// TestGoexitAfterPanic: a deferred Goexit takes the place of a panic, as it
// does without anybody supervising.
func TestGoexitAfterPanic(t *testing.T) {
	err := once(t, func() error {
		defer runtime.Goexit()
		panic(errBoom)
	})
	assert.Equal(t, chanx.ErrGoexit, err)
}

// TestPanicAfterGoexit: a function deferred by the worker panics while Goexit
// runs it. Recovering does not stop the Goexit, but the panic must not be lost.
func TestPanicAfterGoexit(t *testing.T) {
	err := once(t, goexitThenPanic)
	p, ok := err.(*chanx.PanicError)
	require.True(t, ok, "%v", err)
	assert.Equal(t, errBoom, p.Value)
	assert.Contains(t, string(p.Stack), "chanx_test.explode(")
}

func goexitThenPanic() error {
	defer explode(errBoom)
	runtime.Goexit()
	return nil
}

// TestPanicAfterGoexitIsRestarted on a new goroutine, as Goexit is.
func TestPanicAfterGoexitIsRestarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(atOnce, "a")[0]
		tr.start()
		a.do(func(context.Context) error { return goexitThenPanic() })
		s := script{things: []func() error{goexitThenPanic, byGoexit}}
		assert.NoError(t, chanx.Supervise(t.Context(), s.run, atOnce))
		assert.Equal(t, 3, s.runs)
		assert.Equal(t, int32(2), a.runs.Load())
		exits := tr.status("a").Exits
		require.Len(t, exits, 1)
		assert.IsType(t, &chanx.PanicError{}, exits[0].Err)
		tr.end()
	})
}

// TestRecoveredPanic is none: the worker has dealt with it.
func TestRecoveredPanic(t *testing.T) {
	err := once(t, func() (err error) {
		defer func() { err = recover().(error) }()
		panic(errBoom)
	})
	assert.Equal(t, errBoom, err)
}

// TestSkipNowInAWorker: it ends by runtime.Goexit, as FailNow does.
func TestSkipNowInAWorker(t *testing.T) {
	t.Run("inner", func(inner *testing.T) {
		err := once(t, func() error { inner.SkipNow(); return nil })
		assert.Equal(t, chanx.ErrGoexit, err)
	})
}

func TestErrorsHavePrefix(t *testing.T) {
	for _, err := range []error{chanx.ErrStop, chanx.ErrGoexit, chanx.ErrStalled} {
		assert.True(t, strings.HasPrefix(err.Error(), "chanx: "), err)
	}
}

// TestErrStopInAPanic is a panic, however many supervisors it has come
// through: the worker at the bottom has not ended itself.
func TestErrStopInAPanic(t *testing.T) {
	for name, wrap := range map[string]func(error) error{
		"limit": func(err error) error { return &chanx.RestartLimitError{Last: err} },
		"wrap":  func(err error) error { return fmt.Errorf("inner: %w", err) },
		"join":  func(err error) error { return errors.Join(errBoom, err) },
		"bare":  func(err error) error { return err },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inner := &chanx.PanicError{Value: chanx.ErrStop}
				s := script{things: []func() error{
					func() error { return wrap(inner) },
				}}
				assert.NoError(t, chanx.Supervise(t.Context(), s.run,
					chanx.RestartPolicy{Restart: chanx.RestartOnFailure}))
				assert.Equal(t, 2, s.runs)
			})
		})
	}
}
