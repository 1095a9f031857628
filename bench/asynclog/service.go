package asynclog

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"example.com/chanx/asynclog"
	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/round"
)

// clients is how many connections the service has, each with one request at a
// time.
const clients = 64

const (
	serviceRequests = iota // a second
	serviceP50
	serviceP99
	serviceDelivered // lines in the file, a second
	serviceLost      // share of the lines
)

var serviceColumns = []column{
	{name: "requests", figure: serviceRequests, show: figure.Rate, more: true},
	{name: "± %", figure: spread},
	{name: "p50", figure: serviceP50, show: figure.Time, less: true},
	{name: "p99", figure: serviceP99, show: figure.Time, less: true},
	{name: "± %", figure: spread},
	{name: "delivered", figure: serviceDelivered, show: figure.Rate},
	{name: "dropped", figure: serviceLost, show: figure.Percent},
}

// logged are the peers of the service, which calls them once for each request.
var logged = []peer{noLog, ours, diodes, guarded, plain}

// serviceTable measures a service of net/http that logs each request with
// log/slog. Its clients run in the same process and take most of its time, so
// the table shows less of the log than the busy service does.
func serviceTable(o plan.Options) (plan.Table, error) {
	dir, err := inMemory()
	if err != nil {
		return plan.Table{}, err
	}
	defer os.RemoveAll(dir)
	title := fmt.Sprintf("A service of net/http and slog, %d clients", clients)
	found, err := round.Turns(o, title, names(logged),
		func(i int) ([]float64, error) {
			return service(dir, logged[i], o.For)
		})
	if err != nil {
		return plan.Table{}, err
	}
	return compared(title, logged, found, serviceColumns), nil
}

// service returns the figures of one run with a log writer.
func service(dir string, p peer, d time.Duration) ([]float64, error) {
	s, f, err := openFile(dir)
	if err != nil {
		return nil, err
	}
	defer os.Remove(s.path)
	defer f.Close()
	lines := &lineSink{to: s}
	w, finish := p.open(sink{Writer: lines})
	server := httptest.NewServer(endpoint(requestLog(w)))
	start := time.Now()
	seen, err := request(server.URL, d)
	took := time.Since(start)
	server.Close()
	finish()
	if err != nil {
		return nil, err
	}
	requests := float64(max(seen.calls, 1))
	return []float64{
		requests / took.Seconds(), seen.at(0.5), seen.at(0.99),
		float64(lines.n) / took.Seconds(),
		lostShare(w, requests, float64(lines.n)),
	}, nil
}

// requestLog is a logger that writes JSON to w, or nowhere if w is nil.
func requestLog(w io.Writer) *slog.Logger {
	switch w := w.(type) {
	case nil:
		return slog.New(slog.DiscardHandler)
	case *asynclog.Writer:
		return slog.New(asynclog.NewHandler(w, func(to io.Writer) slog.Handler {
			return slog.NewJSONHandler(to, nil)
		}))
	}
	return slog.New(slog.NewJSONHandler(w, nil))
}

func endpoint(log *slog.Logger) http.HandlerFunc {
	body := []byte(`{"status":"ok"}`)
	return func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		_, err := w.Write(body)
		log.LogAttrs(r.Context(), slog.LevelInfo, "request",
			slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.String("from", r.RemoteAddr), slog.Any("error", err),
			slog.Duration("took", time.Since(start)))
	}
}

// request has the clients send requests until d is over, and returns what all
// the requests took.
func request(url string, d time.Duration) (*durations, error) {
	client := &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: clients},
	}
	defer client.CloseIdleConnections()
	var all [clients]durations
	var failed atomic.Pointer[error]
	var running sync.WaitGroup
	start := time.Now()
	for i := range all {
		running.Go(func() {
			for t := start; t.Sub(start) < d && failed.Load() == nil; {
				if err := get(client, url); err != nil {
					failed.Store(&err)
					return
				}
				end := time.Now()
				all[i].add(end.Sub(t))
				t = end
			}
		})
	}
	running.Wait()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	for i := range all[1:] {
		all[0].merge(&all[i+1])
	}
	return &all[0], nil
}

func get(client *http.Client, url string) error {
	r, err := client.Get(url)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	_, err = io.Copy(io.Discard, r.Body)
	return err
}

// lineSink counts lines, which here do not have one length.
type lineSink struct {
	to io.Writer
	n  int
}

func (s *lineSink) Write(p []byte) (int, error) {
	n, err := s.to.Write(p)
	for _, b := range p[:n] {
		if b == '\n' {
			s.n++
		}
	}
	return n, err
}
