package doctor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Handler returns a handler that diagnoses the process it runs in, for
//
//	mux.Handle("/debug/chanx/", doctor.Handler())
//
// It answers in HTML, or as ?format=text or ?format=json asks. ?stacks=1 takes
// a full dump, which stops the world for longer and knows waiting times; the
// JSON then has all goroutines by place, with their stacks. From the second
// request on it compares with the first and the previous one.
//
// It writes no log, takes no lock that any other code takes and waits for no
// other goroutine, so it answers when the rest of the server hangs; but a
// middleware in front of it may not. Mount it outside of yours, at best on a
// separate listener. It shows the host, file names and function names: keep it,
// like net/http/pprof, away from strangers. GET and HEAD only; a HEAD request
// takes no sample.
//
// A sample is at most one second old and is judged and rendered once, so a
// flood of requests costs one sample a second.
func Handler() http.Handler {
	return &handler{
		turn:    make(chan struct{}, 1),
		take:    map[bool]func() *Snapshot{false: Take, true: TakeStacks},
		answers: make(map[bool]*answer),
	}
}

type handler struct {
	turn chan struct{} // a lock that a request can stop waiting for
	take map[bool]func() *Snapshot

	// The fields below belong to the request that has the turn.
	first, previous *Snapshot
	answers         map[bool]*answer
}

// answer is a sample and the forms of it that have been asked for.
type answer struct {
	at       time.Time
	report   *Report
	rendered map[string][]byte
}

// freshness is how old an answer may be.
const freshness = time.Second

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "doctor: only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	query := r.URL.Query()
	form, ok := forms[query.Get("format")]
	if !ok {
		http.Error(w, "doctor: format is html, text or json", http.StatusBadRequest)
		return
	}
	var body []byte
	if r.Method == http.MethodGet {
		var err error
		body, err = h.body(r.Context(), form, query.Get("stacks") == "1")
		if err != nil {
			http.Error(w, "doctor: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		header.Set("Content-Length", fmt.Sprint(len(body)))
	}
	header.Set("Content-Type", form.contentType)
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Content-Security-Policy", pagePolicy+"; frame-ancestors 'none'")
	w.Write(body) // an error is of a client that has gone
}

// form is a format that the handler answers in.
type form struct {
	contentType string
	write       func(r *Report, w io.Writer, stacks bool) error
}

// The empty format is HTML.
var forms = map[string]form{"": htmlForm, "html": htmlForm,
	"text": {"text/plain; charset=utf-8",
		func(r *Report, w io.Writer, _ bool) error {
			return r.WriteText(w, TextOptions{Idle: true})
		}},
	"json": {"application/json",
		func(r *Report, w io.Writer, stacks bool) error {
			if stacks {
				return r.WriteJSONStacks(w)
			}
			return r.WriteJSON(w)
		}},
}

var htmlForm = form{"text/html; charset=utf-8",
	func(r *Report, w io.Writer, stacks bool) error {
		return r.writePage(w, links(stacks))
	}}

// body returns the answer in one form: that of the last sample if it is fresh
// enough, rendered at most once.
func (h *handler) body(ctx context.Context, f form,
	stacks bool) ([]byte, error) {
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	a := h.answers[stacks]
	if a == nil || time.Since(a.at) >= freshness {
		a = h.sample(stacks)
		h.answers[stacks] = a
	}
	body := a.rendered[f.contentType]
	if body == nil {
		var b bytes.Buffer
		if err := f.write(a.report, &b, stacks); err != nil {
			return nil, err
		}
		body = b.Bytes()
		a.rendered[f.contentType] = body
	}
	return body, nil
}

// sample takes a snapshot and compares it with the first and the previous one.
func (h *handler) sample(stacks bool) *answer {
	snap := h.take[stacks]()
	series := []*Snapshot{snap}
	if h.previous != h.first {
		series = append([]*Snapshot{h.previous}, series...)
	}
	if h.first != nil {
		series = append([]*Snapshot{h.first}, series...)
	} else {
		h.first = snap
	}
	h.previous = snap
	return &answer{report: Diagnose(Rules{}, series...), at: time.Now(),
		rendered: make(map[string][]byte)}
}
