package doctor

import (
	"bytes"
	"fmt"
	"net/http"
	"time"
)

// Handler returns a handler that diagnoses the process it runs in, for
//
//	mux.Handle("/debug/chanx/", doctor.Handler())
//
// It answers in HTML, or as ?format=text or ?format=json asks. ?stacks=1 takes
// a full dump, which stops the world for longer and knows waiting times. From
// the second request on it compares with the first and the previous one.
//
// It writes no log, takes no lock that any other code takes and waits for no
// other goroutine, so it answers when the rest of the server hangs; but a
// middleware in front of it may not. Mount it outside of yours, at best on a
// listener of its own. What it shows are file names and function names: keep
// it, like net/http/pprof, away from strangers. A sample is at most one second
// old, so a flood of requests costs one sample a second. GET and HEAD only.
func Handler() http.Handler {
	return &handler{turn: make(chan struct{}, 1), take: map[bool]func() *Snapshot{
		false: Take, true: TakeStacks,
	}}
}

type handler struct {
	turn chan struct{} // a lock that a request can stop waiting for
	take map[bool]func() *Snapshot

	// What follows is of who has the turn.
	first, previous *Snapshot
	last            map[bool]*Report
	lastAt          map[bool]time.Time
}

// freshness is how old an answer may be.
const freshness = time.Second

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "doctor: only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	query := r.URL.Query()
	var body bytes.Buffer
	write, contentType, ok := form(query.Get("format"))
	if !ok {
		http.Error(w, "doctor: format is html, text or json", http.StatusBadRequest)
		return
	}
	report, err := h.report(r, query.Get("stacks") == "1")
	if err == nil {
		err = write(report, &body)
	}
	if err != nil {
		http.Error(w, "doctor: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	header.Set("Content-Length", fmt.Sprint(body.Len()))
	w.Write(body.Bytes()) // an error is of a client that has gone
}

// form returns what writes the format.
func form(format string) (func(*Report, *bytes.Buffer) error, string, bool) {
	switch format {
	case "", "html":
		return func(r *Report, b *bytes.Buffer) error { return r.WriteHTML(b) },
			"text/html; charset=utf-8", true
	case "text":
		return func(r *Report, b *bytes.Buffer) error {
			return r.WriteText(b, TextOptions{Idle: true})
		}, "text/plain; charset=utf-8", true
	case "json":
		return func(r *Report, b *bytes.Buffer) error { return r.WriteJSON(b) },
			"application/json", true
	}
	return nil, "", false
}

// report takes a snapshot, or has one that is fresh enough.
func (h *handler) report(r *http.Request, stacks bool) (*Report, error) {
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if last := h.last[stacks]; last != nil &&
		time.Since(h.lastAt[stacks]) < freshness {
		return last, nil
	}
	snap := h.take[stacks]()
	series := []*Snapshot{snap}
	if h.previous != h.first {
		series = append([]*Snapshot{h.previous}, series...)
	}
	if h.first != nil {
		series = append([]*Snapshot{h.first}, series...)
	} else {
		h.first = snap
		h.last, h.lastAt = map[bool]*Report{}, map[bool]time.Time{}
	}
	h.previous = snap
	h.last[stacks] = Diagnose(Rules{}, series...)
	h.lastAt[stacks] = time.Now()
	return h.last[stacks], nil
}
