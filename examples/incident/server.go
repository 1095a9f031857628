package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof" // on http.DefaultServeMux
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"
)

// stopPatience bounds each step of stopping a server.
const stopPatience = 10 * time.Second

// requestLog is the part in which the servers differ.
type requestLog interface {
	LogWrite(r string)             // called by each request
	rotate(patience time.Duration) // asks for a new file
	account() account
	unblock() // ends the calls that hang, once the fault is gone
	close() error
}

// server is one of the two, with its client.
type server struct {
	url  string // also the profiler label of its goroutines
	disk *disk
	log  requestLog
	http http.Server

	client  http.Client
	timeout time.Duration
	phases  [len(phases)]tally
}

// labelKey is the profiler label that tells the goroutines of the servers
// apart: they share the process with each other and with the client.
const labelKey = "server"

// start starts a server with the log that open returns.
func start(dir, name string, set settings,
	open func(context.Context, *disk) (requestLog, error),
) (*server, error) {
	d := &disk{dir: filepath.Join(dir, name), fault: set.fault}
	if err := os.Mkdir(d.dir, 0o777); err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{
		url: "http://" + ln.Addr().String(), disk: d, timeout: set.timeout,
		client: http.Client{Transport: &http.Transport{}},
	}
	// All goroutines started from here on inherit the label.
	label := pprof.Labels(labelKey, s.url)
	pprof.Do(context.Background(), label, func(ctx context.Context) {
		if s.log, err = open(ctx, d); err == nil {
			s.serve(ln)
		}
	})
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return s, nil
}

// serve starts to answer. The pages for operators, and the profiles, are
// outside of the middleware: they must not depend on the log.
func (s *server) serve(ln net.Listener) {
	api, mux := http.NewServeMux(), http.NewServeMux()
	api.HandleFunc("/v1/healthCheck", healthCheck)
	api.HandleFunc("/v1/echo", echo)
	mux.Handle("/", logged(api, s.log))
	mux.Handle("/debug/pprof/", http.DefaultServeMux)
	if l, ok := s.log.(*asyncLog); ok {
		l.register(mux)
	}
	s.http.Handler = mux
	go s.http.Serve(ln)
}

// logged is the middleware of both servers. It logs after the handler, to know
// how long that took. By then the answer is complete, but net/http has it in a
// buffer and sends it when this function returns: that is how a finished answer
// did not leave the server. The URI of a request has no newline, so lines can
// be counted.
func logged(next http.Handler, log requestLog) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		next.ServeHTTP(w, r)
		log.LogWrite(fmt.Sprintf("%s %s %s %dus\n",
			start.Format(time.RFC3339Nano), r.Method, r.URL.RequestURI(),
			time.Since(start).Microseconds()))
	})
}

const healthy = "ok\n"

// healthCheck returns a constant, as that of the outage did.
func healthCheck(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, healthy)
}

// echo is the work of the service.
func echo(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, r.URL.Query().Get("text"))
}

// stop ends the server and all its goroutines, those that hang included.
func (s *server) stop() error {
	s.client.CloseIdleConnections()
	s.disk.release()
	s.log.unblock()
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	return errors.Join(s.http.Shutdown(ctx), s.log.close())
}
