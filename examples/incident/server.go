package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	profiles "net/http/pprof"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"
)

// stopPatience bounds each step of stopping a server.
const stopPatience = 10 * time.Second

// server is one of the two. The parts in which they differ are functions.
type server struct {
	name  string
	url   string
	label string // of its goroutines, in a profile
	disk  *disk
	http  http.Server

	rotation func(time.Duration) // asks for a new log file, with patience
	account  func() account
	release  func(context.Context) // lets hanging requests go, until done
	close    func() error          // of the log
}

// startBefore starts the server of the outage.
func startBefore(dir string, fault fault) (*server, error) {
	s, ln, err := newServer("before", dir, fault)
	if err != nil {
		return nil, err
	}
	s.labelled(func(context.Context) {
		var w *traceWriter
		if w, err = newTraceWriter(s.disk); err != nil {
			return
		}
		s.rotation = w.rotation
		s.account = w.account
		s.release = w.release
		s.close = func() error { w.close(); return nil }
		s.serve(ln, w.LogWrite, http.NewServeMux())
	})
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return s, nil
}

// startAfter starts the other one, and returns its log as well.
func startAfter(dir string, fault fault, stallAfter time.Duration) (*server, *asyncLog, error) {
	s, ln, err := newServer("after", dir, fault)
	if err != nil {
		return nil, nil, err
	}
	var l *asyncLog
	s.labelled(func(ctx context.Context) {
		l = newAsyncLog(ctx, s.disk, stallAfter)
		s.rotation = func(time.Duration) { _ = l.sink.rotate() }
		s.account = l.account
		s.release = func(context.Context) {}
		s.close = l.close
		status := http.NewServeMux()
		l.register(status)
		s.serve(ln, l.log, status)
	})
	return s, l, nil
}

func newServer(name, dir string, fault fault) (*server, net.Listener, error) {
	d := &disk{
		dir: filepath.Join(dir, name), fault: fault, device: fullDevice(),
	}
	if err := os.Mkdir(d.dir, 0o777); err != nil {
		return nil, nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	addr := ln.Addr().String()
	s := &server{name: name, url: "http://" + addr, disk: d,
		label: name + " " + addr} // two replays in one process are told apart
	return s, ln, nil
}

// labelled calls f with the label of s on its goroutine, and so on all that it
// starts: net/http starts the goroutine of each connection from Serve's.
func (s *server) labelled(f func(context.Context)) {
	pprof.Do(context.Background(), pprof.Labels(labelKey, s.label), f)
}

// serve starts to answer. What a service is asked by its operators, which is
// what mux has and the profiles, is outside of the middleware: a log has no
// part in it.
func (s *server) serve(ln net.Listener, log func(record), mux *http.ServeMux) {
	api := http.NewServeMux()
	api.HandleFunc("/v1/healthCheck", healthCheck)
	api.HandleFunc("/v1/checksum", checksum)
	mux.Handle("/", logged(api, log))
	mux.HandleFunc("/debug/pprof/", profiles.Index)
	mux.HandleFunc("/debug/pprof/cmdline", profiles.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", profiles.Profile)
	mux.HandleFunc("/debug/pprof/symbol", profiles.Symbol)
	mux.HandleFunc("/debug/pprof/trace", profiles.Trace)
	s.http.Handler = mux
	go func() { _ = s.http.Serve(ln) }() // ErrServerClosed
}

const healthy = "ok\n"

// healthCheck returns a constant, as the one of the outage did.
func healthCheck(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, healthy)
}

// checksum is the work: the SHA-256 of the text in the query.
func checksum(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, sum(r.URL.Query().Get("text")))
}

func sum(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

// stop ends the server and all of its goroutines, those that hang included.
func (s *server) stop() error {
	s.disk.release()
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	released := make(chan struct{})
	letGo, done := context.WithCancel(context.Background())
	go func() {
		defer close(released)
		s.release(letGo)
	}()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	done()
	<-released
	return errors.Join(err, s.close())
}
