package chanx_test

// A health check that cannot hang.
//
// Use when: a load balancer or an orchestrator asks whether this process still
// works, and the answer must come when logging, disk and workers are stuck.
//
// Edge cases:
//   - a worker stuck, failed or backing off: 503 naming it, at once. The check
//     reads what was noted; it waits for no worker and logs nothing.
//   - a worker that fails again and again: 503 also while it runs in between.
//   - stuck is noticed by Heartbeat only: a worker without one counts as
//     running for as long as it has not returned.
//   - the path is served beside the middleware, not through it: middleware
//     that logs is how a health check came to hang with the rest.
//   - Supervisor not run yet, stopping, or ended: 503.
//   - so many requests hang that no connection is accepted any more: then the
//     check fails too, as it should. Give it a port of its own to tell the
//     two apart.
//
// To change: the paths. For an orchestrator that restarts the process, serve
// chanxhttp.Live as well: 503 for "stuck", but not for "backing off". With
// ?verbose the body has error texts and stacks: keep that from the public.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"example.com/chanx"
	"example.com/chanx/chanxhttp"
)

// newServer serves app through the middleware and health beside it.
func newServer(
	s *chanx.Supervisor, app http.Handler,
	middleware func(http.Handler) http.Handler,
) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1/healthCheck", chanxhttp.Health(s))
	mux.Handle("/", middleware(app))
	return mux
}

// checkHealth prints what a load balancer would see.
func checkHealth(server http.Handler) {
	w := httptest.NewRecorder()
	server.ServeHTTP(w, httptest.NewRequest("GET", "/v1/healthCheck", nil))
	var body struct {
		Status  string
		Workers []struct{ Name, State string } // the worst first
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		fmt.Println(err)
	}
	fmt.Println(w.Code, body.Status, body.Workers)
}

func Example_healthCheck() {
	var (
		serving = make(chan struct{})
		disk    = make(chan struct{}) // stuck until it is closed
		events  = make(chan chanx.EventKind, 16)
	)
	api := func(ctx context.Context) error {
		close(serving)
		<-ctx.Done()
		return ctx.Err()
	}
	logWriter := func(context.Context) error {
		<-disk
		return chanx.ErrStop
	}
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	err := errors.Join(
		s.Add("api", api, chanx.RestartPolicy{}),
		s.Add("log writer", logWriter, chanx.RestartPolicy{
			Heartbeat: 10 * time.Millisecond,
			OnEvent:   func(e chanx.Event) { events <- e.Kind },
		}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-serving

	stuck := func(http.Handler) http.Handler { // middleware that logs
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			<-disk
		})
	}
	server := newServer(s, http.NotFoundHandler(), stuck)

	<-events // it was started
	fmt.Println(<-events)
	checkHealth(server)
	close(disk)
	fmt.Println(<-events) // the writer has ended, in order
	checkHealth(server)

	stop()
	fmt.Println(<-ended)
	// Output:
	// stall
	// 503 unavailable [{log writer stalled} {api running}]
	// exit
	// 200 ok [{api running} {log writer stopped}]
	// context canceled
}
