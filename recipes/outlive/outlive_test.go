package outlive

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	background := New(100)
	handler := func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "thank you")
		err := background.Go(r.Context(), time.Minute, func(ctx context.Context) {
			<-r.Context().Done() // the handler has returned
			fmt.Println("audit:", r.URL.Path, ctx.Err())
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(handler))
	if resp, err := http.Get(server.URL + "/order"); err == nil {
		resp.Body.Close()
	}
	server.Close()
	fmt.Println(background.Shutdown(context.Background()))
	// Output:
	// audit: /order <nil>
	// <nil>
}

func shutdown(t *testing.T, g *Group) {
	t.Helper()
	if err := g.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func start(t *testing.T, g *Group, ctx context.Context, timeout time.Duration, work func(context.Context)) {
	t.Helper()
	if err := g.Go(ctx, timeout, work); err != nil {
		t.Error(err)
	}
}

func TestRequestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		start(t, g, ctx, time.Hour, func(ctx context.Context) {
			time.Sleep(time.Minute)
			if ctx.Err() != nil {
				t.Error(ctx.Err())
			}
		})
		cancel()
		shutdown(t, g)
	})
}

func TestValues(t *testing.T) {
	g := New(1)
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "trace 7")
	start(t, g, ctx, time.Hour, func(ctx context.Context) {
		if v := ctx.Value(key{}); v != "trace 7" {
			t.Error(v)
		}
	})
	shutdown(t, g)
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(1)
		begin := time.Now()
		start(t, g, t.Context(), time.Second, func(ctx context.Context) {
			<-ctx.Done()
			if ctx.Err() != context.DeadlineExceeded {
				t.Error(ctx.Err())
			}
		})
		shutdown(t, g)
		if d := time.Since(begin); d != time.Second {
			t.Error("took", d)
		}
	})
}

func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(3)
		work := func(context.Context) { time.Sleep(time.Second) }
		for range 3 {
			start(t, g, t.Context(), time.Hour, work)
		}
		for range 1000 {
			if err := g.Go(t.Context(), time.Hour, work); err != ErrFull {
				t.Error(err)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		start(t, g, t.Context(), time.Hour, work)
		shutdown(t, g)
	})
}

func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(1)
		done := false
		start(t, g, t.Context(), time.Hour, func(context.Context) {
			time.Sleep(time.Second)
			done = true
		})
		shutdown(t, g)
		shutdown(t, g) // twice
		if !done {
			t.Error("not done")
		}
		if err := g.Go(t.Context(), 1, func(context.Context) {}); err != ErrClosed {
			t.Error(err)
		}
	})
}

// A thousand handlers against Shutdown at any moment.
func TestShutdownAmongHandlers(t *testing.T) {
	for round := range 10 {
		g := New(50)
		var accepted, done atomic.Int64
		var handlers sync.WaitGroup
		for range 1000 {
			handlers.Go(func() {
				err := g.Go(t.Context(), time.Hour, func(context.Context) {
					for range 100 {
						runtime.Gosched()
					}
					done.Add(1)
				})
				if err == nil && accepted.Add(1) == int64(20*round+1) {
					shutdown(t, g)
				}
			})
		}
		handlers.Wait()
		shutdown(t, g)
		if accepted.Load() != done.Load() {
			t.Error("accepted", accepted.Load(), "did", done.Load())
		}
	}
}

func TestShutdownDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(1)
		start(t, g, t.Context(), time.Hour, func(ctx context.Context) {
			<-ctx.Done()
			if ctx.Err() != context.Canceled {
				t.Error(ctx.Err())
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		err := g.Shutdown(ctx)
		if d := time.Since(begin); err != context.DeadlineExceeded || d != time.Second {
			t.Error(err, d)
		}
		shutdown(t, g)
		if d := time.Since(begin); d != time.Second {
			t.Error("took", d)
		}
	})
}

func TestPanic(t *testing.T) {
	if os.Getenv("CRASH") != "" {
		g := New(1)
		g.Go(context.Background(), time.Hour, func(context.Context) { panic("boom") })
		g.Shutdown(context.Background())
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "CRASH=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("panic: boom")) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(1)
		for range 10 {
			start(t, g, t.Context(), time.Hour, func(context.Context) {
				runtime.Goexit()
			})
			synctest.Wait()
		}
		shutdown(t, g)
	})
}

func TestBadArguments(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	New(0)
}
