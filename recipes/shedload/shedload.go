// Package shedload answers HTTP requests with 202 while a queue has room for
// their work, and with 503 at once when it has none.
//
// When to use it: a handler accepts work that is done later, and must answer
// at once even when work arrives faster than it is done.
//
// When not: the client waits for the result; limit the handler with recipe
// workerpool or a semaphore. The work must survive the end of the process; put
// it into a queue on disk before the 202.
//
// Without it: each request starts a goroutine, without a limit, whose context
// ends with the request, as in mark3labs/mcp-go#248:
//
//	func handle(w http.ResponseWriter, r *http.Request) {
//		job := decode(r.Body)
//		go do(r.Context(), job) // canceled when handle returns
//		w.WriteHeader(http.StatusAccepted)
//	}
//
// Edge cases:
//   - queue full: 503 with Retry-After, before a byte of the body is read.
//   - accepted: every job that was answered with 202 is done, and no other.
//   - bad body: 413 if it is too large, 400 if decode fails. Its place in the
//     queue is free again, also after a panic of decode.
//   - slow client: holds its place while the body arrives, for BodyTimeout.
//   - closed: 503, also for a body that was being read at the time. With a
//     plain channel the handler would panic.
//   - shutdown: call http.Server.Shutdown, then Close, then wait for Work, which
//     returns when the accepted jobs are done.
//   - shutdown deadline: when its ctx is done, Work returns after the job in
//     hand, whose ctx is the same. Left counts the jobs not begun.
//   - the request ends: its ctx is not that of the job. Values
//     that the job needs, such as those of a trace, decode keeps with
//     context.WithoutCancel.
//
// Search: load shedding, shed load, 503, too many requests, overload, work that
// outlives its request, background job of a request, r.Context canceled,
// admission control.
package shedload

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// An Intake is an http.Handler that queues jobs. Work does them.
type Intake[T any] struct {
	BodyTimeout time.Duration // for a body to arrive; 10 s from New
	MaxBody     int64         // bytes; 1 MiB from New

	decode func(*http.Request) (T, error)
	places chan struct{} // one for each queued job and each body being read
	mu     sync.Mutex
	jobs   chan T // has room for every place
	closed bool
}

// New returns an Intake for up to capacity jobs, which decode makes of requests.
func New[T any](capacity int, decode func(*http.Request) (T, error)) *Intake[T] {
	return &Intake[T]{BodyTimeout: 10 * time.Second, MaxBody: 1 << 20,
		decode: decode, places: make(chan struct{}, capacity),
		jobs: make(chan T, capacity)}
}

// ServeHTTP implements http.Handler.
func (in *Intake[T]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status := in.accept(w, r)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, http.StatusText(status), status)
}

func (in *Intake[T]) accept(w http.ResponseWriter, r *http.Request) (status int) {
	select {
	case in.places <- struct{}{}: // before the body is read, which may be large
	default:
		return http.StatusServiceUnavailable
	}
	defer func() {
		if status != http.StatusAccepted { // also when decode panics
			<-in.places
		}
	}()
	until := time.Now().Add(in.BodyTimeout)
	http.NewResponseController(w).SetReadDeadline(until)
	r.Body = http.MaxBytesReader(w, r.Body, in.MaxBody)
	job, err := in.decode(r)
	if errors.As(err, new(*http.MaxBytesError)) {
		return http.StatusRequestEntityTooLarge
	} else if err != nil {
		return http.StatusBadRequest
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return http.StatusServiceUnavailable
	}
	in.jobs <- job
	return http.StatusAccepted
}

// Work does jobs until the Intake is closed and empty, or ctx is done. Any
// number of goroutines may call it.
func (in *Intake[T]) Work(ctx context.Context, do func(context.Context, T)) {
	for ctx.Err() == nil {
		select {
		case job, ok := <-in.jobs:
			if !ok {
				return
			}
			<-in.places
			do(ctx, job)
		case <-ctx.Done():
		}
	}
}

// Left returns the number of jobs that were accepted and not begun.
func (in *Intake[T]) Left() int { return len(in.jobs) }

// Close refuses jobs from now on. It may be called more than once.
func (in *Intake[T]) Close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.closed {
		in.closed = true
		close(in.jobs)
	}
}
