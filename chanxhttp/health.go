// Package chanxhttp serves the health of a [chanx.Supervisor] over HTTP, for
// the probes of an orchestrator and a load balancer.
//
//	mux.Handle("GET /livez", chanxhttp.Live(s))
//	mux.Handle("GET /readyz", chanxhttp.Ready(s))
//
// In Kubernetes these are the paths of the two probes of a container:
//
//	livenessProbe:
//	  httpGet: {path: /livez, port: 8081}
//	  periodSeconds: 10
//	  failureThreshold: 3
//	readinessProbe:
//	  httpGet: {path: /readyz, port: 8081}
//	  periodSeconds: 5
//
// A load balancer polls /readyz. A startupProbe is not needed: Live is well
// while workers are starting.
//
// A process that has begun to stop answers 503 at /readyz while its workers
// drain, so the server must outlive Run: shut it down afterwards.
//
// It is a separate package so that package chanx does not import net/http.
package chanxhttp

import (
	"net/http"
	"strconv"

	"example.com/chanx"
)

// Live returns a handler for a liveness probe. It answers 503 only for what a
// restart of the process cures: a worker of s is stalled or failed, or s has
// given up. It answers 200 while workers are starting, backing off or
// crash-looping, and while s stops: restarting the process would not help them.
//
// # The answer
//
// The body is a JSON object, of at most 64 KiB:
//
//	{"status":"unavailable","workers":[{"name":"a","state":"failed","restarts":3}]}
//
// The status is "ok" with code 200, or "unavailable" with code 503. It comes
// with a "reason" if the cause is the set itself: see [chanx.Health]. At most
// 100 workers are listed, the worst first, and "omitted" is the number of the
// others. A worker below a Supervisor that is itself a worker is named
// "parent/child"; a name above 256 bytes is cut. A worker with "crash_looping"
// is running again after a failure, but not yet for long enough.
//
// With ?verbose in the URL the body has at most 1 MiB. It then also has when
// each worker entered its state and last beat, the number of its exits of each
// kind, and its last exits with error and stack, in the form of
// [chanx.Exit.MarshalJSON]; "omitted_exits" counts the exits for which there is
// no room, the oldest first. The texts of errors, which may contain secrets,
// appear only there: do not expose it to the public.
//
// A HEAD request gets the same header without the body. Other methods get 405.
// No answer may be stored by a cache.
//
// Each request reads the state recorded by the supervisor and waits for nothing
// but its lock: it is answered even if every worker, hook and log hangs, and
// calls no code of theirs. A poll of 10,000 workers that have panicked 8
// times each takes 0.2 ms and 7 kB, and 9 ms and 1 MB if it is verbose
// (BenchmarkReady). A nil s panics before anything is served.
func Live(s *chanx.Supervisor) http.Handler {
	return probe(s, func(h chanx.Health) bool { return h.Live })
}

// Ready returns a handler for a readiness probe and for a load balancer. It
// answers 200 if s is running and has a running worker, and every worker is
// running or has ended in order; and 503 while a worker is starting, backing
// off, stalled, failed or crash-looping, before Run is called, as soon as s
// begins to stop, and after Run has returned.
//
// A worker that has failed is crash-looping until its run has lasted for 10 s,
// or for 1 min if it had failed before since its last healthy run; or for
// RestartPolicy.ResetAfter if that is less. A worker is running from its start:
// the service itself has to check whether it has warmed up.
//
// The answer has the form of that of [Live].
func Ready(s *chanx.Supervisor) http.Handler {
	return probe(s, func(h chanx.Health) bool { return h.Ready })
}

// Health is [Ready], for a service with a single health check.
func Health(s *chanx.Supervisor) http.Handler { return Ready(s) }

func probe(s *chanx.Supervisor, well func(chanx.Health) bool) http.Handler {
	if s == nil {
		panic("chanxhttp: nil supervisor")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h := s.Health()
		serve(w, r, h, well(h))
	})
}

func serve(w http.ResponseWriter, r *http.Request, h chanx.Health, ok bool) {
	code := http.StatusServiceUnavailable
	if ok {
		code = http.StatusOK
	}
	body := newReport(h, ok, r.URL.Query().Has("verbose")).encode()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // an error means that the client has gone
	}
}
