package chanxhttp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"example.com/chanx"
	"example.com/chanx/chanxhttp"
)

// A health check bypasses the middleware: served through it, the check hangs
// with the other requests when the middleware's log does.
func ExampleHealth() {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	hung := make(chan struct{})
	logging := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-hung // the disk of the log does not answer
			next.ServeHTTP(w, r)
		})
	}
	mux := http.NewServeMux()
	mux.Handle("/", logging(http.NotFoundHandler()))
	mux.Handle("GET /healthz", chanxhttp.Health(s))

	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, httptest.NewRequest("GET", "/healthz", nil))
	fmt.Print(rec.Code, " ", rec.Body) // at once; the supervisor does not run
	close(hung)
	// Output:
	// 503 {"status":"unavailable","reason":"not started","workers":[]}
}

// A liveness probe fails for what only a restart of the process cures: a worker
// that hangs. It is well while workers are being restarted.
func ExampleLive() {
	hang := make(chan struct{})
	stalled := make(chan struct{})
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	err := s.Add("consumer", func(context.Context) error {
		<-hang // never beats
		return chanx.ErrStop
	}, chanx.RestartPolicy{
		Heartbeat: 10 * time.Millisecond,
		OnEvent: func(e chanx.Event) {
			if e.Kind == chanx.EventStall {
				close(stalled)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("GET /livez", chanxhttp.Live(s))
	probe := func() {
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, httptest.NewRequest("GET", "/livez", nil))
		fmt.Print(rec.Code, " ", rec.Body)
	}

	probe()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(context.Background()) }()
	<-stalled
	probe()

	close(hang)
	fmt.Println(<-ended)
	// Output:
	// 200 {"status":"ok","workers":[{"name":"consumer","state":"starting","restarts":0}]}
	// 503 {"status":"unavailable","workers":[{"name":"consumer","state":"stalled","restarts":0}]}
	// <nil>
}

// A readiness probe also fails while a worker is restarted, and from the moment
// at which the service begins to stop.
func ExampleReady() {
	fail, failed := make(chan error), make(chan struct{})
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	err := s.Add("consumer", func(ctx context.Context) error {
		select {
		case err := <-fail:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}, chanx.RestartPolicy{
		MinBackoff: time.Hour, // for the example
		OnEvent: func(e chanx.Event) {
			if e.Kind == chanx.EventExit && !e.Exit.Final {
				close(failed)
			}
		},
	})
	if err == nil {
		err = s.Add("api", func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}, chanx.RestartPolicy{})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("GET /readyz", chanxhttp.Ready(s))
	probe := func() {
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, httptest.NewRequest("GET", "/readyz", nil))
		fmt.Print(rec.Code, " ", rec.Body)
	}

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	fail <- errors.New("the password is 1234") // is not in the answer
	<-failed
	probe()

	stop()
	fmt.Println(<-ended)
	probe()
	// Output:
	// 503 {"status":"unavailable","workers":[{"name":"consumer","state":"backing off","restarts":0},{"name":"api","state":"running","restarts":0}]}
	// context canceled
	// 503 {"status":"unavailable","reason":"stopped","workers":[{"name":"consumer","state":"stopped","restarts":0},{"name":"api","state":"stopped","restarts":0}]}
}
