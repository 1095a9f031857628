package shedload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func text(r *http.Request) (string, error) {
	body, err := io.ReadAll(r.Body)
	return string(body), err
}

// post returns the answer to a request with this body.
func post(h http.Handler, body io.Reader) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/", body))
	return w
}

func Example() {
	in := New(2, text)
	for _, job := range []string{"a", "b", "c"} { // and nothing works yet
		w := post(in, strings.NewReader(job))
		fmt.Println(job, w.Code, w.Header().Get("Retry-After") != "")
	}
	in.Close()
	in.Work(context.Background(), func(_ context.Context, job string) {
		fmt.Println("did", job)
	})
	// Output:
	// a 202 false
	// b 202 false
	// c 503 true
	// did a
	// did b
}

func want(t *testing.T, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// A mebibyte is a body that counts what is read of it.
type mebibyte struct{ read atomic.Int64 }

func (m *mebibyte) Read(p []byte) (int, error) {
	n := min(int64(len(p)), 1<<20-m.read.Load())
	if n == 0 {
		return 0, io.EOF
	}
	m.read.Add(n)
	return int(n), nil
}

// A thousand requests with bodies of a mebibyte cost nothing to refuse.
func TestQueueFull(t *testing.T) {
	in := New(1, text)
	want(t, post(in, strings.NewReader("job")).Code, http.StatusAccepted)
	var body mebibyte
	for range 1000 {
		w := post(in, &body)
		want(t, w.Code, http.StatusServiceUnavailable)
		want(t, w.Header().Get("Retry-After"), "1")
	}
	want(t, body.read.Load(), int64(0))
	want(t, in.Left(), 1)
}

// A job that has begun has no place in the queue.
func TestQueueFullBesideAJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, free := New(1, text), make(chan struct{})
		go in.Work(t.Context(), func(context.Context, string) { <-free })
		want(t, post(in, http.NoBody).Code, http.StatusAccepted)
		synctest.Wait()
		want(t, post(in, http.NoBody).Code, http.StatusAccepted)
		want(t, post(in, http.NoBody).Code, http.StatusServiceUnavailable)
		close(free)
		in.Close()
	})
}

// A thousand handlers, two workers, and Close in the middle of it.
func TestAccepted(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4 * runtime.NumCPU()))
	in := New(4, text)
	var accepted, refused, did atomic.Int64
	var working, posting sync.WaitGroup
	for range 2 {
		working.Go(func() {
			in.Work(t.Context(), func(context.Context, string) {
				if did.Add(1) == 500 {
					in.Close()
				}
			})
		})
	}
	for range 1000 {
		posting.Go(func() {
			for range 8 {
				switch post(in, http.NoBody).Code {
				case http.StatusAccepted:
					accepted.Add(1)
				case http.StatusServiceUnavailable:
					refused.Add(1)
				}
			}
		})
	}
	posting.Wait()
	in.Close()
	working.Wait()
	want(t, did.Load(), accepted.Load())
	want(t, accepted.Load()+refused.Load(), int64(8000))
	want(t, len(in.places), 0)
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestBadBody(t *testing.T) {
	in := New(1, func(r *http.Request) (string, error) {
		job, err := text(r)
		if job == "panic" {
			panic(http.ErrAbortHandler)
		}
		return job, err
	})
	in.MaxBody = 1<<20 - 1
	want(t, post(in, &mebibyte{}).Code, http.StatusRequestEntityTooLarge)
	want(t, post(in, brokenReader{}).Code, http.StatusBadRequest)
	func() {
		defer func() { recover() }() // as net/http does
		post(in, strings.NewReader("panic"))
	}()
	want(t, len(in.places), 0)
	in.MaxBody++
	want(t, post(in, &mebibyte{}).Code, http.StatusAccepted)
}

// deadlined is a connection that can be told to stop reading.
type deadlined struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (d *deadlined) SetReadDeadline(until time.Time) error {
	d.until = until
	return nil
}

func TestSlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(1, text)
		in.BodyTimeout = time.Minute
		body, slow := io.Pipe()
		w := &deadlined{ResponseRecorder: httptest.NewRecorder()}
		done := make(chan struct{})
		go func() {
			defer close(done)
			in.ServeHTTP(w, httptest.NewRequest("POST", "/", body))
		}()
		synctest.Wait()
		want(t, post(in, http.NoBody).Code, http.StatusServiceUnavailable)
		want(t, time.Until(w.until), time.Minute)
		slow.CloseWithError(errors.New("i/o timeout")) // as the connection then
		<-done
		want(t, w.Code, http.StatusBadRequest)
		want(t, post(in, http.NoBody).Code, http.StatusAccepted)
	})
}

func TestClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(2, text)
		body, late := io.Pipe()
		answer := make(chan int)
		go func() { answer <- post(in, body).Code }()
		synctest.Wait() // it is being read
		in.Close()
		in.Close()
		late.Close()
		want(t, <-answer, http.StatusServiceUnavailable)
		want(t, post(in, http.NoBody).Code, http.StatusServiceUnavailable)
	})
}

func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(8, text)
		for range 8 {
			post(in, http.NoBody)
		}
		start := time.Now()
		in.Close()
		in.Work(t.Context(), func(context.Context, string) { time.Sleep(time.Nanosecond) })
		want(t, time.Since(start), time.Duration(8))
		want(t, in.Left(), 0)
	})
}

func TestShutdownDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(8, text)
		for range 8 {
			post(in, http.NoBody)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		did, start := 0, time.Now()
		in.Work(ctx, func(ctx context.Context, _ string) {
			did++
			select {
			case <-time.After(2 * time.Second):
			case <-ctx.Done():
			}
		})
		want(t, did, 3)
		want(t, time.Since(start), 5*time.Second)
		want(t, in.Left(), 5)
		in.Work(ctx, func(context.Context, string) { t.Error("too late") })

		idle, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		New(1, text).Work(idle, nil) // returns although no job comes
	})
}

func TestTheRequestEnds(t *testing.T) {
	type key struct{}
	type job struct{ ctx context.Context }
	in := New(1, func(r *http.Request) (job, error) {
		return job{context.WithoutCancel(r.Context())}, nil
	})
	ctx, end := context.WithCancel(context.WithValue(t.Context(), key{}, "trace"))
	r := httptest.NewRequest("POST", "/", http.NoBody).WithContext(ctx)
	in.ServeHTTP(httptest.NewRecorder(), r)
	end()
	in.Close()
	in.Work(t.Context(), func(ctx context.Context, j job) {
		want(t, ctx.Err(), nil)
		want(t, j.ctx.Err(), nil)
		want(t, j.ctx.Value(key{}), "trace")
	})
}
