package chanx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
			assert.Equal(t, p.Error()+"\n\n"+string(p.Stack), fmt.Sprintf("%+v", p))
			inner, _ := value.(error)
			assert.Equal(t, inner, errors.Unwrap(err))
		})
	}
}

// TestPanicErrorOfTheRuntime: errors.As finds the error the runtime panics with.
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
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(atOnce, "a")[0]
		h.start()
		a.do(func(context.Context) error { return goexitThenPanic() })
		s := script{things: []func() error{goexitThenPanic, byGoexit}}
		assert.NoError(t, chanx.Supervise(t.Context(), s.run, atOnce))
		assert.Equal(t, 3, s.runs)
		assert.Equal(t, int32(2), a.runs.Load())
		exits := h.status("a").Exits
		require.Len(t, exits, 1)
		assert.IsType(t, &chanx.PanicError{}, exits[0].Err)
		h.end()
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

// rogue is an error whose text is what its function does.
type rogue func() string

func (r rogue) Error() string { return r() }

// nilText is an error with a method that a nil pointer cannot have called.
type nilText struct{ text string }

func (e *nilText) Error() string { return e.text }

// formatter is a panic value that prints itself, wrongly.
type formatter struct{}

func (formatter) Format(fmt.State, rune) { panic(errBoom) }

// limitOf returns the text of the error of a worker that is given up at its
// first exit, by out.
func limitOf(t *testing.T, out func() error) string {
	t.Helper()
	var err error
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		policy := atOnce
		policy.MaxRestarts = 1
		a := h.workers(policy, "a")[0]
		h.start()
		a.exit(nil)
		a.do(func(context.Context) error { return out() })
		err = <-h.result
	})
	text, ok := strings.CutPrefix(err.Error(), "chanx: gave up after 1 restarts "+
		"since the last healthy run: worker \"a\": ")
	require.True(t, ok, "%v", err)
	return text
}

// TestErrorTextIsTakenOnce: at the exit, whatever reads it later.
func TestErrorTextIsTakenOnce(t *testing.T) {
	for name, wrap := range map[string]func(error) error{
		"bare":  func(err error) error { return err },
		"limit": func(err error) error { return &chanx.RestartLimitError{Last: err} },
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			text := limitOf(t, func() error {
				return wrap(rogue(func() string { calls++; return "text" }))
			})
			assert.True(t, strings.HasSuffix(text, "text"), text)
			assert.Equal(t, 1, calls)
		})
	}
}

func TestTextThatFails(t *testing.T) {
	var none *nilText
	var noPanic *chanx.PanicError
	var noRogue *rogue // whose method has a value receiver
	huge := strings.Repeat("\u00e9", 1<<20)
	for want, out := range map[string]func() error{
		"(chanx_test.rogue, whose text panics with a *errors.errorString)": func() error {
			return rogue(func() string { panic(errBoom) })
		},
		"(chanx_test.rogue, whose text panics with a chanx_test.rogue)": func() error {
			return rogue(func() string {
				panic(rogue(func() string { panic(errBoom) }))
			})
		},
		"(the method for its text called runtime.Goexit)": func() error {
			return rogue(func() string { runtime.Goexit(); return "" })
		},
		"(*chanx_test.nilText)(nil)": func() error { return none },
		"(*chanx_test.rogue)(nil)":   func() error { return noRogue },
		"panic: <nil>":               func() error { return noPanic },
		huge[:64<<10-28] + "... (cut from 2097152 bytes)": func() error {
			return rogue(func() string { return huge })
		},
	} {
		assert.Equal(t, want, limitOf(t, out))
	}
}

func TestPanicTextThatFails(t *testing.T) {
	var none *nilText
	for want, value := range map[string]any{
		"panic: %!v(PANIC=Format method: boom)": formatter{},
		"panic: (*chanx_test.nilText)(nil)":     none,
		"panic: {<nil>}":                        struct{ E error }{none},
		`panic: a\nb\r`:                         "a\nb\r",
		"panic: (chanx_test.rogue, whose text panics with a string)": rogue(
			func() string { panic("no") },
		),
	} {
		got := limitOf(t, func() error { explode(value); return nil })
		assert.Regexp(t, "^"+regexp.QuoteMeta(want)+
			`, at [^/]+/exit_test\.go:\d+$`, got)
	}
	got := limitOf(t, func() error {
		explode(rogue(func() string { runtime.Goexit(); return "" }))
		return nil
	})
	assert.Equal(t, "(the method for its text called runtime.Goexit)", got)
}

// TestTextThatBlocks delays the exit of its worker, which is stalled so long,
// and neither the Supervisor nor a sibling.
func TestTextThatBlocks(t *testing.T) {
	for name, out := range map[string]func(rogue) error{
		"error": func(err rogue) error { return err },
		"panic": func(err rogue) error { panic(err) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, chanx.SupervisorOptions{})
				policy := atOnce
				policy.Heartbeat = time.Second
				a := h.workers(policy, "a")[0]
				b := h.workers(atOnce, "b")[0]
				h.start()
				gate := make(chan struct{})
				a.do(func(context.Context) error {
					return out(func() string { <-gate; return "at last" })
				})
				pause(time.Second + 1)
				assert.Equal(t, "a stalled, b running", h.states())
				b.exit(errSet)
				h.add(atOnce, h.worker("c"))
				require.NoError(t, h.Remove(t.Context(), "b"))
				assert.Equal(t, "a stalled, c running", h.states())
				close(gate)
				synctest.Wait()
				assert.Equal(t, "a running, c running", h.states())
				require.Len(t, h.status("a").Exits, 1)
				h.end()
			})
		})
	}
}

// TestNilPanicErrorInAJoin: errors.As finds it, and it has methods.
func TestNilPanicErrorInAJoin(t *testing.T) {
	var none *chanx.PanicError
	err := once(t, func() error { return errors.Join(errBoom, none) })
	assert.EqualError(t, err, "boom\npanic: <nil>")
	assert.ErrorIs(t, err, errBoom)
	assert.NotErrorIs(t, err, chanx.ErrStop)
	assert.NoError(t, once(t, func() error {
		return errors.Join(chanx.ErrStop, none)
	}), "it is no panic")
	assert.Equal(t, "panic: <nil>", fmt.Sprintf("%+v", none))
	assert.NoError(t, none.Unwrap())
	var limit *chanx.RestartLimitError
	assert.EqualError(t, limit, "<nil>")
	assert.NoError(t, limit.Unwrap())
	var late *chanx.StopTimeoutError
	assert.EqualError(t, late, "<nil>")
	assert.NoError(t, late.Unwrap())
}

// TestOurErrorsAsJSON have their text: the fields of an error alone are {}.
func TestOurErrorsAsJSON(t *testing.T) {
	stack := &chanx.PanicError{Value: "x", Stack: []byte("the stack")}
	for want, err := range map[string]error{
		`{"error":"chanx: gave up after 1 restarts since the last healthy run: boom"}`: &chanx.RestartLimitError{
			Restarts: 1, Last: errBoom,
		},
		`{"error":"chanx: not stopped after 1s: a (stopping because: boom)"}`: &chanx.StopTimeoutError{
			Workers: []string{"a"}, Timeout: time.Second, Err: errBoom,
		},
		`{"error":"chanx: not stopped after 1s: a (stopping because: chanx: gave up ` +
			`after 1 restarts since the last healthy run: panic: x)","stack":"the stack"}`: &chanx.StopTimeoutError{
			Workers: []string{"a"}, Timeout: time.Second,
			Err: &chanx.RestartLimitError{Restarts: 1, Last: stack},
		},
		"null": (*chanx.StopTimeoutError)(nil),
	} {
		text, jsonErr := json.Marshal(err)
		require.NoError(t, jsonErr)
		assert.Equal(t, want, string(text))
	}
	text, err := (*chanx.StopTimeoutError)(nil).MarshalJSON()
	assert.NoError(t, err)
	assert.Equal(t, "null", string(text))
}

// TestPanicPlaces of a panic in a function deferred below another: both.
func TestPanicPlaces(t *testing.T) {
	err := once(t, func() error {
		defer func() { _ = recover(); explode("second") }()
		var none map[string]int
		//lint:ignore SA5000 it is to panic
		none["a"] = 1
		return nil
	})
	assert.Regexp(t, `^panic: second, at [^/]+/exit_test\.go:\d+, `+
		`during a panic at [^/]+/exit_test\.go:\d+$`, err.Error())
	for _, stack := range []string{
		"", "panic(", "panic(1)\n", "panic(1)\n\tp.go:1\n", "panic(1)\n\tp.go:1\nf()",
		"panic(1)\n\tp.go:1\nruntime.f()\n\tr.go:1\n", "\npanic(\n\n\r\n\r",
	} {
		odd := &chanx.PanicError{Value: "x", Stack: []byte(stack)}
		assert.Regexp(t, `^panic: x(, at (\\r)?)?$`, odd.Error(), "%q", stack)
	}
	bare := &chanx.PanicError{Value: "x"}
	assert.EqualError(t, bare, "panic: x")
	assert.Equal(t, "panic: x\n\n", fmt.Sprintf("%+v", bare))
	assert.Equal(t, `"panic: x"`, fmt.Sprintf("%q", bare))
}

// TestPanicPlaceIsTheLine of the call that panicked: past the functions of the
// runtime, of the last panic, and in a function literal.
func TestPanicPlaceIsTheLine(t *testing.T) {
	text, err := os.ReadFile("exit_test.go")
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	for mark, out := range map[string]func(){
		"// map":     func() { storeIn(nil) },
		"// again":   panicAgain,
		"// literal": func() { func() { panic("x") }() }, // literal
	} {
		err := once(t, func() error { out(); return nil })
		m := regexp.MustCompile(`, at [^/]+/exit_test\.go:(\d+)(,|$)`).
			FindStringSubmatch(err.Error())
		require.NotNil(t, m, "%v", err)
		n, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		assert.Contains(t, lines[n-1], mark)
	}
}

func storeIn(m map[string]int) { m["a"] = 1 } // map

func panicAgain() {
	defer func() { panic(recover()) }() // again
	storeIn(nil)
}

// TestExitShowsTheText that was taken at the exit, in JSON and in a log, and
// the stack of a panic in it once.
func TestExitShowsTheText(t *testing.T) {
	calls := 0
	stack := &chanx.PanicError{Value: "x", Stack: []byte("the stack")}
	for want, out := range map[string]func() error{
		`"error":"text"`: func() error {
			return rogue(func() string { calls++; return "text" })
		},
		`"error":"panic: x","stack":"the stack"`: func() error { return stack },
		`"error":"job: panic: x","stack":"the stack"`: func() error {
			return fmt.Errorf("job: %w", stack)
		},
		`"error":"boom\npanic: x","stack":"the stack"`: func() error {
			return errors.Join(errBoom, stack)
		},
		`"error":"panic: x","stack":"the stack","started":`: func() error {
			panic(stack)
		},
		`"error":"boom"`: func() error { return errBoom },
		`"error":""`:     func() error { return nil },
	} {
		calls = 0
		var exit chanx.Exit
		synctest.Test(t, func(t *testing.T) {
			h := newHarness(t, chanx.SupervisorOptions{})
			a := h.workers(atOnce, "a")[0]
			h.start()
			a.do(func(context.Context) error { return out() })
			exit = h.status("a").Exits[0]
			h.end()
		})
		text, err := json.Marshal(exit)
		require.NoError(t, err)
		place := regexp.MustCompile(`, at [^/"]+/exit_test.go:\d+`)
		assert.Contains(t, place.ReplaceAllString(string(text), ""), want)
		log := place.ReplaceAllString(logged("exit", exit), "")
		assert.Contains(t, log, want)
		assert.LessOrEqual(t, calls, 1)
		assert.LessOrEqual(t, strings.Count(log, "the stack"), 1)
	}
}

// TestPanicErrorShowsTheStack once, in JSON and in a log.
func TestPanicErrorShowsTheStack(t *testing.T) {
	p := &chanx.PanicError{Value: errBoom, Stack: []byte("the stack")}
	const want = `{"error":"panic: boom","stack":"the stack"}`
	text, err := json.Marshal(p)
	require.NoError(t, err)
	assert.JSONEq(t, want, string(text))
	assert.JSONEq(t, `{"level":"INFO","msg":"event","err":`+want+`}`,
		logged("err", p))
	var none *chanx.PanicError
	text, err = none.MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, "null", string(text))
	assert.Contains(t, logged("err", none), `"err":"panic: <nil>"`)
}

// TestExitMadeByHand has no text yet: it is taken when it is shown.
func TestExitMadeByHand(t *testing.T) {
	text, err := json.Marshal(chanx.Exit{
		Err: rogue(func() string { panic("no") }),
	})
	require.NoError(t, err)
	assert.Contains(t, string(text), "whose text panics")
	assert.Contains(t, logged("exit", chanx.Exit{Err: errBoom}), `"error":"boom"`)
}

// TestTextOfACrash: the recovered text is one line, like that of any panic, and
// the text printed by the runtime has the stack of the worker, through a tree too.
func TestTextOfACrash(t *testing.T) {
	crash := chanx.RestartPolicy{CrashOnPanic: true}
	supervise := func(ctx context.Context) error {
		return chanx.Supervise(ctx, func(context.Context) error {
			explode("boom")
			return nil
		}, crash)
	}
	tree := func(ctx context.Context) error {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		_ = s.Add("child", supervise, crash)
		return s.Run(ctx)
	}
	for name, run := range map[string]worker{"": supervise, "tree": tree} {
		if os.Getenv("CHANX_CRASH") == "yes"+name {
			go run(context.Background())
			select {}
		}
		var p *chanx.PanicError
		func() {
			defer func() { p, _ = recover().(*chanx.PanicError) }()
			_ = run(t.Context())
		}()
		require.NotNil(t, p)
		assert.Regexp(t, `^panic: boom, at [^/]+/exit_test\.go:\d+$`, p.Error())
		assert.Equal(t, 1, strings.Count(fmt.Sprintf("%+v", p), "chanx_test.explode"))
		child := exec.Command(os.Args[0], "-test.run=^TestTextOfACrash$")
		child.Env = append(os.Environ(), "CHANX_CRASH=yes"+name)
		out, err := child.CombinedOutput()
		assert.Error(t, err)
		assert.Contains(t, string(out), "chanx_test.explode")
	}
}

// curiousError calls back whenever anything of it is asked.
type curiousError struct{ ask func() }

func (e curiousError) Error() string    { e.ask(); return "curious" }
func (e curiousError) Is(error) bool    { e.ask(); return false }
func (e curiousError) As(any) bool      { e.ask(); return false }
func (e curiousError) Unwrap() error    { e.ask(); return nil }
func (e curiousError) String() string   { return e.Error() }
func (e curiousError) GoString() string { return e.Error() }

func (e curiousError) Format(s fmt.State, _ rune) { e.ask(); fmt.Fprint(s, "curious") }

// Whatever a set does about an error, the error may ask the set: no lock of
// the set is held while a method of an error runs.
func TestErrorsMayAskTheSet(t *testing.T) {
	once := chanx.RestartPolicy{MinBackoff: -1, MaxRestarts: 1}
	for name, tc := range map[string]struct {
		opts   chanx.SupervisorOptions
		policy chanx.RestartPolicy
		do     func(t *testing.T, h *harness, all []*scriptedWorker, err error)
	}{
		"restart": {policy: atOnce, do: func(_ *testing.T, _ *harness, all []*scriptedWorker, err error) {
			all[0].exit(err)
		}},
		"give up": {policy: once, do: func(_ *testing.T, _ *harness, all []*scriptedWorker, err error) {
			all[0].exit(err)
			all[0].exit(err)
		}},
		"set gives up": {
			opts: chanx.SupervisorOptions{MaxRestarts: 1}, policy: atOnce,
			do: func(_ *testing.T, _ *harness, all []*scriptedWorker, err error) {
				all[0].exit(err)
				all[1].exit(err)
			},
		},
		"a sibling does not stop": {
			opts:   chanx.SupervisorOptions{Strategy: chanx.OneForAll, StopTimeout: time.Second},
			policy: atOnce,
			do: func(_ *testing.T, _ *harness, all []*scriptedWorker, err error) {
				all[1].deaf = true
				all[1].exit(nil)
				all[0].exit(err)
				pause(3 * time.Second)
				all[1].exit(err)
			},
		},
		"stopped": {policy: atOnce, do: func(_ *testing.T, h *harness, all []*scriptedWorker, err error) {
			all[0].quit, all[1].quit = err, err
			h.cancel(err)
		}},
		"removed": {policy: atOnce, do: func(t *testing.T, h *harness, all []*scriptedWorker, err error) {
			all[0].quit = err
			assert.NoError(t, h.Remove(t.Context(), "a"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, tc.opts)
				all := h.workers(tc.policy, "a b")
				h.start()
				asked := 0
				err := curiousError{func() { asked++; h.Status() }}
				tc.do(t, h, all, err)
				h.cancel(nil)
				if got := <-h.result; got != nil {
					_, _ = got.Error(), errors.Is(got, errSet)
				}
				assert.NotZero(t, asked)
				_ = fmt.Sprintf("%v %+v", h.Status(), h.Status())
			})
		})
	}
}

// slowError has a text that waits for its gate.
type slowError struct{ gate chan struct{} }

func (e slowError) Error() string { <-e.gate; return "slow" }

// An error whose text waits for a lock that another worker holds delays the
// exit it is the error of, and nothing else.
func TestAnErrorThatBlocksDelaysOneExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{MaxRestarts: 1})
		all := h.workers(atOnce, "a b c")
		h.start()
		all[2].exit(errSet)
		gate := make(chan struct{})
		all[0].orders <- func(context.Context) error {
			return slowError{gate}
		}
		synctest.Wait()
		assert.Equal(t, "a running, b running, c running", h.states())
		require.NoError(t, h.Remove(context.Background(), "b"))
		require.NoError(t, h.Add("d", all[1].work, atOnce))
		close(gate)
		assert.ErrorContains(t, <-h.result, `worker "a": slow`)
	})
}
