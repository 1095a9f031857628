package chanx_test

// Shed load with 503 when a queue is full.
//
// Use when: a handler takes work for later and must answer at once, also when
// work comes faster than it is done.
//
// Edge cases:
//   - queue full: 503 with Retry-After. The job is the client's still; nothing
//     that was answered with 202 is given up for it.
//   - shutting down: 503 as well. A Ring may be closed while handlers send to
//     it; with a plain channel the handler that comes late would panic.
//   - shutdown order: http.Server.Shutdown, then close, then wait for work to
//     return. Every job answered with 202 is then done.
//   - a process that is killed loses the jobs in memory. A client that must
//     not lose them needs a queue on disk, and 202 only after that.
//
// To change: the type of a job; maxJob; how many goroutines run work; the
// capacity, which is the longest wait you want to promise, times those
// goroutines, divided by the time one job takes. To prefer new jobs to old
// ones use Send in place of TrySend, and NewRingFunc to tell of the old ones.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"example.com/chanx"
)

const maxJob = 1 << 20 // bytes

// An intake answers 202 for each job it has taken and 503 for any other.
type intake struct {
	jobs *chanx.Ring[string]
}

func newIntake(capacity int) *intake {
	return &intake{jobs: chanx.NewRing[string](capacity)}
}

func (in *intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Read first: the body cannot be read any more once the handler returns.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxJob))
	if err != nil {
		var tooLarge *http.MaxBytesError
		status := http.StatusBadRequest
		if errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "cannot read the job", status)
		return
	}
	if err := in.jobs.TrySend(string(body)); err != nil { // full or closed
		w.Header().Set("Retry-After", "1")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// work does jobs until the intake is closed and empty, or ctx is done. Any
// number of goroutines may run it.
func (in *intake) work(ctx context.Context, do func(job string)) {
	for job := range in.jobs.All(ctx) {
		do(job)
	}
}

// close refuses jobs from now on and lets work return when the rest is done.
func (in *intake) close() { in.jobs.Close() }

func Example_shedLoad() {
	in := newIntake(2)
	post := func(job string) {
		w := httptest.NewRecorder()
		in.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(job)))
		fmt.Println(job, w.Code, w.Header().Get("Retry-After") != "")
	}

	// Nobody is working yet, so that the third job finds the queue full.
	post("a")
	post("b")
	post("c")
	in.close()
	post("d")

	in.work(context.Background(), func(job string) { fmt.Println("did", job) })
	// Output:
	// a 202 false
	// b 202 false
	// c 503 true
	// d 503 true
	// did a
	// did b
}
