package observe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
	"example.com/chanx/asynclog"
	"example.com/chanx/doctor"
)

// get asks o as a server would.
func get(o http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	o.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

func TestHandlerAnswers(t *testing.T) {
	o := New()
	for query, kind := range map[string]string{
		"":             "text/html; charset=utf-8",
		"?format=html": "text/html; charset=utf-8",
		"?format=text": "text/plain; charset=utf-8",
		"?format=json": "application/json",
		"?stacks=1":    "text/html; charset=utf-8",
	} {
		w := get(o, "/debug/chanx/"+query)
		assert.Equal(t, http.StatusOK, w.Code, query)
		h := w.Result().Header
		assert.Equal(t, kind, h.Get("Content-Type"), query)
		assert.Equal(t, fmt.Sprint(w.Body.Len()), h.Get("Content-Length"), query)
		assert.Equal(t, "no-store", h.Get("Cache-Control"), query)
		assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), query)
		assert.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'")
		assert.Contains(t, h.Get("Content-Security-Policy"), "frame-ancestors 'none'")
	}
	assert.Equal(t, http.StatusBadRequest, get(o, "/?format=xml").Code)
	assert.Equal(t, http.StatusNotFound,
		get(o, "/debug/chanx/debug/pprof/goroutine?debug=2").Code)
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "X"} {
		w := httptest.NewRecorder()
		o.ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
		assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
	}
}

func TestHeadDoesNotLook(t *testing.T) {
	o := New()
	looked := 0
	o.Ring("r", ringStats(func() chanx.RingStats {
		looked++
		return chanx.RingStats{}
	}))
	w := httptest.NewRecorder()
	o.ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/", nil))
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Zero(t, w.Body.Len())
	assert.Equal(t, 1, looked, "when it was added")
}

// The JSON is a report of the doctor with the problems among its findings.
func TestJSON(t *testing.T) { synctest.Test(t, testJSON) }

func testJSON(t *testing.T) {
	for _, query := range []string{"?format=json", "?format=json&stacks=1"} {
		o := New()
		sick(t, o)
		body := get(o, "/"+query).Body.Bytes()
		var both struct {
			Observe struct {
				Problems []Problem
				Rings    []Ring
			}
			Groups []doctor.Group
		}
		require.NoError(t, json.Unmarshal(body, &both))
		assert.Equal(t, "metrics", both.Observe.Rings[0].Name)
		assert.NotEmpty(t, both.Observe.Problems)
		assert.Equal(t, strings.Contains(query, "stacks"), both.Groups != nil)
		report := new(doctor.Report)
		require.NoError(t, json.Unmarshal(body, report))
		var sentences []string
		for _, f := range report.Findings {
			sentences = append(sentences, f.Sentence)
		}
		for _, p := range both.Observe.Problems {
			assert.Contains(t, sentences, p.Sentence)
		}
		assert.Equal(t, doctor.Critical, report.Findings[0].Severity)
	}
}

// sick has o show one of each problem, in a bubble: times are exact.
func sick(t *testing.T, o *Observer) {
	ring := chanx.NewRing[int](64)
	o.Ring("metrics", ring)
	o.Ring("quiet", chanx.NewRing[int](1024))
	b := chanx.NewBroadcast[int](16)
	o.Broadcast("prices", b)
	for i := range 300 {
		ring.Send(i)
		if i < 9 {
			b.Send(i)
		}
	}
	t.Cleanup(b.Subscribe(0).Close)

	release := make(chan struct{})
	w := asynclog.New(writerFunc(func(p []byte) (int, error) {
		<-release
		return 0, errTest
	}), asynclog.Options{StallAfter: 3 * time.Second, CloseTimeout: time.Millisecond})
	o.Log("access", w)
	fmt.Fprintln(w, "line")
	t.Cleanup(func() {
		close(release)
		_ = w.Close()
	})
	audit := asynclogOf(t, io.Discard)
	fmt.Fprintln(audit, "opened")
	o.Log("audit", audit)

	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	for _, w := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"1 well", idle},
		{"2 loops", func(context.Context) error { return errTest }},
		{"3 panics", func(context.Context) error { panic("assignment to entry in nil map") }},
		{"4 permanent", func(context.Context) error { return chanx.Permanent(errTest) }},
		{"5 done", func(context.Context) error { return chanx.ErrStop }},
	} {
		require.NoError(t, s.Add(w.name, w.run, chanx.RestartPolicy{
			MinBackoff: time.Hour, MaxBackoff: time.Hour}))
	}
	o.Supervisor("workers", s)
	run(t, s)
	time.Sleep(12 * time.Second)
	require.True(t, w.Stats().Stalled)
}

func asynclogOf(t *testing.T, sink io.Writer) *asynclog.Writer {
	w := asynclog.New(sink, asynclog.Options{})
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func TestPageOrder(t *testing.T) { synctest.Test(t, testPageOrder) }

func testPageOrder(t *testing.T) {
	o := New()
	sick(t, o)
	page := get(o, "/").Body.String()
	at := 0
	for _, part := range []string{
		", pid ", " UTC</p>", "<h1>2 critical, 3 warnings</h1>",
		`<li class="problem critical"><span class="label">critical</span> log &#34;access&#34; has stalled`,
		`worker &#34;4 permanent&#34; of &#34;workers&#34; failed for good 12s ago, 0 restarts so far; ` +
			`last error: no space left on device.`,
		`<li class="problem warning"><span class="label">warning</span> worker `,
		`ring &#34;metrics&#34; drops values: 236 (20/s) of 300 in the last 12s, 236 in all.`,
		`<a href="?">Refresh</a>`, ">Supervisor workers</h2>",
		`1 running, 2 backing off, 1 stopped, 1 failed`,
		`<td class="name">4 permanent</td><td class="pair bad-critical">failed`,
		`<summary class="meta">stack</summary><pre>goroutine `,
		"<h2>Logs</h2>", "STALLED for 8s", "<h2>Rings</h2>", "64/64",
		`<rect width="100.0" height="1"/>`, "<h2>Broadcasts</h2>", "9/16",
		`<rect width="56.2"`,
	} {
		i := strings.Index(page[at:], part)
		if !assert.GreaterOrEqual(t, i, 0, part) {
			t.Log(page)
			return
		}
		at += i
	}
}

func TestNothingToShow(t *testing.T) {
	o := New()
	assert.Contains(t, get(o, "/").Body.String(), "<h1>No problem found</h1>")
	assert.Contains(t, get(o, "/?format=text").Body.String(), "No problem found\n")
}

// If the goroutines cannot be sampled, the page says so and has all other sections.
func TestDoctorFails(t *testing.T) {
	o := New()
	o.Ring("r", chanx.NewRing[int](1))
	for want, h := range map[string]http.HandlerFunc{
		"the goroutines cannot be sampled: no turn": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no turn", http.StatusServiceUnavailable)
		},
		"the goroutines cannot be sampled: panic: odd": func(http.ResponseWriter, *http.Request) {
			panic("odd")
		},
		"the goroutines cannot be sampled: unexpected end of JSON input": func(w http.ResponseWriter, _ *http.Request) {},
	} {
		o.goroutines.doctor = h
		for _, format := range []string{"", "?format=text"} {
			body := get(o, "/"+format).Body.String()
			assert.Contains(t, body, want)
			assert.Contains(t, body, "0/1")
		}
		encoded := get(o, "/?format=json").Body.Bytes()
		assert.Contains(t, string(encoded), `"observe": {`)
		report := new(doctor.Report)
		require.NoError(t, json.Unmarshal(encoded, report))
		assert.Equal(t, want, report.Findings[0].Sentence, "chanx doctor says so")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the client has gone"))
	o.goroutines.doctor = doctor.Handler()
	r := httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx)
	o.ServeHTTP(httptest.NewRecorder(), r)
}

// The links of the page lead to its other forms wherever it is mounted.
func TestMounted(t *testing.T) {
	o := New()
	mux := http.NewServeMux()
	mux.Handle("/debug/chanx/", o)
	mux.Handle("/exact", o)
	mux.Handle("/admin/", http.StripPrefix("/admin", o))
	for _, path := range []string{"/debug/chanx/", "/exact", "/admin/", "/admin/x/"} {
		page := get(mux, path)
		require.Equal(t, http.StatusOK, page.Code, path)
		base, err := url.Parse(path)
		require.NoError(t, err)
		links := regexp.MustCompile(`<a href="([^"]*)"`).
			FindAllStringSubmatch(page.Body.String(), -1)
		require.Len(t, links, 4)
		for _, link := range links {
			to, err := base.Parse(link[1])
			require.NoError(t, err)
			w := get(mux, to.String())
			assert.Equal(t, http.StatusOK, w.Code, to)
			if link[1] == "?stacks=1" {
				assert.Contains(t, w.Body.String(), "All goroutines by place")
			}
		}
	}
}

// Stats that are not ours may have any numbers.
func TestOddNumbers(t *testing.T) {
	o := New()
	for i, st := range []chanx.RingStats{{Len: 5}, {Len: 7, Cap: 3},
		{Len: -1, Cap: -2, HighWater: math.MinInt, Sent: math.MaxUint64}} {
		o.Ring(fmt.Sprint(i), ringStats(func() chanx.RingStats { return st }))
	}
	page := get(o, "/").Body.String()
	assert.Equal(t, 2, strings.Count(page, `<rect width="100.0"`))
	assert.Equal(t, 1, strings.Count(page, `<rect width="0.0"`))
	s := o.Snapshot()
	s.Measure(func(m Metric, value uint64, labels ...string) {
		if !m.Counter {
			assert.LessOrEqual(t, value, uint64(7), m.Name)
		}
	})
}
