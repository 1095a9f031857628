// Command service is a whole HTTP service to start from. No request waits for a
// log, a metric or a worker, and SIGTERM loses no request and no line. SIGHUP
// opens the log file again, for logrotate.
//
// The admin address is for operators, probes and scrapers only: /livez, /readyz,
// /metrics, /debug/chanx/ and /debug/pprof/, which chanx doctor reads.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/chanx"
	"example.com/chanx/asynclog"
	"example.com/chanx/chanxhttp"
	"example.com/chanx/observe"
	"example.com/chanx/observe/prom"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var (
	addr   = flag.String("addr", "localhost:8080", "public address")
	admin  = flag.String("admin", "localhost:8081", "admin address")
	path   = flag.String("log", "service.log", "log file")
	buffer = flag.Int("log-buffer", 4<<20, "memory for log lines, in bytes")
	notice = flag.Duration("notice", 5*time.Second, "from /readyz saying 503 to the end of accepting")
	grace  = flag.Duration("grace", 20*time.Second, "for requests and workers to end, after that")
)

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "service:", err)
		os.Exit(1)
	}
}

// service is what handlers and workers share.
type service struct {
	log      *slog.Logger
	served   *chanx.Ring[request] // to the metrics worker
	seconds  *prometheus.HistogramVec
	stopping atomic.Bool // read by /readyz
}

type request struct {
	pattern string
	code    int
	took    time.Duration
}

// run serves until ctx is done, and then stops in the order of the flow: the
// requests, the workers they feed, the log of both.
func run(ctx context.Context) error {
	public, err1 := net.Listen("tcp", *addr)
	private, err2 := net.Listen("tcp", *admin)
	file, err3 := asynclog.OpenFile(*path, asynclog.FileOptions{})
	if err := errors.Join(err1, err2, err3); err != nil {
		return err // and the process ends
	}
	logs := asynclog.New(file, asynclog.Options{Budget: *buffer, Fallback: os.Stderr})
	handler := asynclog.NewHandler(logs, func(w io.Writer) slog.Handler {
		return slog.NewJSONHandler(w, nil)
	})
	s := &service{
		log:    slog.New(handler),
		served: chanx.NewRing[request](4096),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds", Help: "Time to answer a request.",
		}, []string{"pattern", "code"}),
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	workers := chanx.NewSupervisor(chanx.SupervisorOptions{OnEvent: s.event})
	if err := errors.Join(
		workers.Add("metrics", s.measure, chanx.RestartPolicy{}),
		workers.Add("rotate", rotate(hup, file), chanx.RestartPolicy{}),
	); err != nil {
		return err
	}
	working, stopWorkers := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- workers.Run(working) }()

	errs := slog.NewLogLogger(handler, slog.LevelError)
	app := &http.Server{Handler: s.recorded(routes()), ErrorLog: errs, ReadHeaderTimeout: time.Minute}
	ops := &http.Server{Handler: s.operations(logs, workers), ErrorLog: errs}
	failed := make(chan error, 2)
	go func() { failed <- app.Serve(public) }()
	go func() { failed <- ops.Serve(private) }()
	s.log.Info("started", "addr", public.Addr().String(), "admin", private.Addr().String())

	cause, _ := chanx.RecvContext(ctx, failed) // nil: a signal
	s.stopping.Store(true)
	s.log.Info("stopping", "cause", cause)
	time.Sleep(*notice) // the load balancer looks at /readyz and stops sending
	until, cancel := context.WithTimeout(context.Background(), *grace)
	defer cancel()
	err := errors.Join(cause, app.Shutdown(until)) // answers accepted requests
	s.served.Close()
	stopWorkers()
	// Run waits 10 s for the workers, and then names those that hang.
	if hung := new(chanx.StopTimeoutError); errors.As(<-ended, &hung) {
		err = errors.Join(err, hung)
	}
	s.log.Info("stopped", "err", err)
	return errors.Join(err, logs.Close(), file.Close(), ops.Shutdown(until))
}

// routes is the application.
func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })
	return mux
}

// operations serves the admin address.
func (s *service) operations(logs *asynclog.Writer, workers *chanx.Supervisor) http.Handler {
	o := observe.New()
	o.Log("service", logs)
	o.Ring("served", s.served)
	o.Supervisor("workers", workers)
	registry := prometheus.NewRegistry()
	registry.MustRegister(prom.NewCollector(o), s.seconds)
	ready := chanxhttp.Ready(workers)
	mux := http.NewServeMux()
	mux.Handle("GET /livez", chanxhttp.Live(workers))
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if s.stopping.Load() {
			http.Error(w, "stopping", http.StatusServiceUnavailable)
			return
		}
		ready.ServeHTTP(w, r)
	})
	mux.Handle("/debug/chanx/", o)
	mux.Handle("/debug/pprof/", http.DefaultServeMux)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux
}

// recorded logs and counts the requests to h; neither can make one wait.
func (s *service) recorded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, answer := time.Now(), &answer{w, http.StatusOK}
		defer func() {
			q := request{r.Pattern, answer.code, time.Since(start)}
			s.served.Send(q)
			s.log.Info("served", "url", r.URL.Path, "code", q.code, "took", q.took)
		}()
		h.ServeHTTP(answer, r)
	})
}

type answer struct {
	http.ResponseWriter
	code int
}

func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
func (a *answer) WriteHeader(code int)        { a.code = code; a.ResponseWriter.WriteHeader(code) }

// measure is the metrics worker. It ends with the ring, not with ctx, and so
// counts every request.
func (s *service) measure(ctx context.Context) error {
	for q := range s.served.All(context.WithoutCancel(ctx)) {
		s.seconds.WithLabelValues(q.pattern, strconv.Itoa(q.code)).Observe(q.took.Seconds())
	}
	return chanx.ErrStop
}

// rotate is a worker that opens the log file again at each signal.
func rotate(hup <-chan os.Signal, file *asynclog.File) func(context.Context) error {
	return func(ctx context.Context) error {
		for range chanx.All(ctx, hup) {
			if err := file.Reopen(); err != nil {
				return err // kept, shown, and the worker is restarted
			}
		}
		return ctx.Err()
	}
}

func (s *service) event(e chanx.Event) { s.log.Warn("worker", "event", e) }
