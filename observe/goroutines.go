package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/chanx/doctor"
)

// sampler samples and judges the goroutines of the process. It asks the
// doctor's handler, which keeps earlier samples to compare with and bounds the
// cost of a flood of requests.
type sampler struct {
	doctor http.Handler

	mu      sync.Mutex
	pending chan struct{} // closed once the sample in progress is in last
	last    *doctor.Report
}

// now returns a sample however long it takes.
func (s *sampler) now(ctx context.Context, stacks bool) (report *doctor.Report) {
	defer func() {
		// This may not be the goroutine of a request, whose panic net/http
		// recovers: a page must not take down the process.
		if v := recover(); v != nil {
			report = unsampled(&doctor.Report{}, shown(fmt.Sprint(
				"the goroutines cannot be sampled: panic: ", v)))
		}
	}()
	u := url.URL{Path: "/", RawQuery: "format=json"}
	if stacks {
		u.RawQuery += "&stacks=1"
	}
	r := &http.Request{Method: http.MethodGet, URL: &u}
	a := answer{header: make(http.Header), code: http.StatusOK}
	s.doctor.ServeHTTP(&a, r.WithContext(ctx))
	report = new(doctor.Report)
	err := json.Unmarshal(a.body.Bytes(), report)
	if a.code != http.StatusOK {
		err = errors.New(shown(strings.TrimSpace(a.body.String())))
	}
	if err != nil {
		return unsampled(report, "the goroutines cannot be sampled: "+err.Error())
	}
	return report
}

// soonEnough is how long a page waits for a sample.
const soonEnough = 2 * time.Second

// soon returns the sample that is in progress if it is ready soon, and the
// previous one otherwise. The caller must not change it.
func (s *sampler) soon(ctx context.Context) *doctor.Report {
	done := s.begin()
	t := time.NewTimer(soonEnough)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.pending != done && s.last != nil:
		return s.last
	case s.last == nil:
		return unsampled(&doctor.Report{},
			"the goroutines are not sampled yet: reload the page")
	}
	return unsampled(s.last, "the goroutines are those of an earlier sample: "+
		"a new one is not ready")
}

// begin returns a channel that is closed when the sample in progress is done.
func (s *sampler) begin() chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending == nil {
		s.pending = make(chan struct{})
		go s.sample()
	}
	return s.pending
}

func (s *sampler) sample() {
	report := s.now(context.Background(), false)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = report
	close(s.pending)
	s.pending = nil
}

// unsampled returns r with a finding about the failed sample.
func unsampled(r *doctor.Report, why string) *doctor.Report {
	c := *r
	c.Findings = slices.Clone(r.Findings)
	c.Add(doctor.Finding{Severity: doctor.Warning, Operation: "goroutines",
		Receiver: doctor.ReceiverUnknown, Confidence: doctor.ConfidenceHigh,
		ReceiverConfidence: doctor.ConfidenceHigh, Sentence: why})
	return &c
}

// answer is an http.ResponseWriter in memory.
type answer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(code int)        { a.code = code }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }
