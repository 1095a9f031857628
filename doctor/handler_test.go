package doctor

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func get(h http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
	return w
}

// fakeHandler serves what take says.
func fakeHandler(take func() *Snapshot) http.Handler {
	h := Handler().(*handler)
	h.take = map[bool]func() *Snapshot{false: take, true: take}
	return h
}

func TestHandlerForms(t *testing.T) {
	h := fakeHandler(func() *Snapshot { return stuckAt(map[int]int{212: 7978}) })
	const sentence = "7,978 goroutines are blocked sending in app.(*Log).Write " +
		"(log.go:212), all on the path of HTTP requests; no goroutine is receiving " +
		"there"
	for target, contentType := range map[string]string{
		"/debug/chanx/":             "text/html; charset=utf-8",
		"/debug/chanx/?format=html": "text/html; charset=utf-8",
		"/debug/chanx/?format=text": "text/plain; charset=utf-8",
		"/debug/chanx/?format=json": "application/json",
		"/?format=json&stacks=1":    "application/json",
	} {
		w := get(h, target)
		assert.Equal(t, 200, w.Code, target)
		assert.Equal(t, contentType, w.Header().Get("Content-Type"))
		assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		assert.Equal(t, strconv.Itoa(w.Body.Len()),
			w.Header().Get("Content-Length"))
		assert.Contains(t, w.Header().Get("Content-Security-Policy"),
			"default-src 'none'")
		body := strings.Join(strings.Fields(w.Body.String()), " ")
		assert.Contains(t, body, sentence, target)
	}
}

func TestHandlerRefuses(t *testing.T) {
	h := fakeHandler(func() *Snapshot { t.Error("a sample"); return nil })
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/", nil))
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
	assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
	assert.Equal(t, http.StatusBadRequest, get(h, "/?format=xml").Code)
}

// A flood of requests costs one sample a second.
func TestHandlerSamplesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var samples atomic.Int32
		h := fakeHandler(func() *Snapshot {
			samples.Add(1)
			time.Sleep(100 * time.Millisecond)
			return stuckAt(nil)
		})
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { assert.Equal(t, 200, get(h, "/").Code) })
		}
		wg.Wait()
		assert.EqualValues(t, 1, samples.Load())
		time.Sleep(freshness - time.Nanosecond)
		get(h, "/")
		assert.EqualValues(t, 1, samples.Load(), "one nanosecond early")
		time.Sleep(time.Nanosecond)
		get(h, "/")
		assert.EqualValues(t, 2, samples.Load())
	})
}

// A form of a sample is rendered once, however many ask for it, and a HEAD
// request neither samples nor renders.
func TestHandlerRendersOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		samples := 0
		h := fakeHandler(func() *Snapshot {
			samples++
			return stuckAt(map[int]int{212: 20})
		})
		for _, target := range []string{"/", "/?format=text", "/?format=json"} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("HEAD", target, nil))
			assert.Equal(t, 200, w.Code)
			assert.Zero(t, w.Body.Len())
			assert.NotEmpty(t, w.Header().Get("Content-Type"))
		}
		assert.Zero(t, samples)

		rendered := 0
		counted := form{"text/x-test", func(_ *Report, w io.Writer, _ bool) error {
			rendered++
			_, err := io.WriteString(w, "x")
			return err
		}}
		ask := func() {
			body, err := h.(*handler).body(t.Context(), counted, false)
			require.NoError(t, err)
			assert.Equal(t, "x", string(body))
		}
		for range 32 {
			ask()
		}
		assert.Equal(t, 1, rendered)
		assert.Equal(t, 1, samples)
		time.Sleep(freshness)
		ask()
		assert.Equal(t, 2, rendered)
	})
}

// The JSON with stacks holds every goroutine, and those of a program that
// reads it are the same.
func TestHandlerJSONStacks(t *testing.T) {
	h := Handler()
	var plain, full struct {
		Time      time.Time
		Instances []Instance
		Groups    []Group
	}
	require.NoError(t, json.Unmarshal(get(h, "/?format=json").Body.Bytes(),
		&plain))
	assert.Empty(t, plain.Groups)
	require.NoError(t, json.Unmarshal(get(h,
		"/?format=json&stacks=1").Body.Bytes(), &full))
	require.Len(t, full.Instances, 1)
	assert.Equal(t, os.Getpid(), full.Instances[0].Process.PID)
	assert.False(t, full.Time.IsZero())
	n, members := 0, 0
	for _, g := range full.Groups {
		for _, s := range g.Stacks {
			n += s.Count
			members += s.members.len()
			assert.NotEmpty(t, s.Frames)
		}
	}
	assert.Equal(t, full.Instances[0].Goroutines, n)
	assert.Equal(t, n, members)
}

// Only who asks for stacks pays for them, and what one request took is no
// answer to the other.
func TestHandlerStacks(t *testing.T) {
	h := Handler().(*handler)
	var taken []bool
	for _, stacks := range []bool{false, true} {
		h.take[stacks] = func() *Snapshot {
			taken = append(taken, stacks)
			return stuckAt(nil)
		}
	}
	for _, target := range []string{"/", "/?stacks=1", "/?stacks=0",
		"/?stacks=1"} {
		assert.Equal(t, 200, get(h, target).Code)
	}
	assert.Equal(t, []bool{false, true}, taken)
}

// A request that nobody waits for any more does not wait for its turn.
func TestHandlerContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := fakeHandler(func() *Snapshot {
			time.Sleep(time.Hour)
			return stuckAt(nil)
		})
		go get(h, "/")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/", nil))
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		time.Sleep(2 * time.Hour)
	})
}

// The second request remembers what the first one saw.
func TestHandlerCompares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		with := stuckAt(nil)
		with.Add(&Stack{State: "select", Count: 1, Frames: []Frame{
			{Func: "app.NewLog.func1", File: "/log.go", Line: 30}}})
		snaps := []*Snapshot{with, stuckAt(map[int]int{212: 20}),
			stuckAt(map[int]int{212: 20})}
		h := fakeHandler(func() *Snapshot {
			s := snaps[0]
			snaps = snaps[1:]
			return s
		})
		for range 3 {
			w := get(h, "/?format=json")
			if len(snaps) < 2 {
				assert.Contains(t, w.Body.String(), "app.NewLog.func1: 1 then, 0 now")
			}
			time.Sleep(2 * time.Second)
		}
	})
}

// Three snapshots are compared, the first, the one before and now, or two.
func TestHandlerComparesThree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Over two snapshots 20 more are traffic, over three too unless they
		// came in both steps.
		assert.Equal(t, []bool{false, false, false, true, false},
			growing(20, 20, 40, 60, 60))
		assert.Equal(t, []bool{false, true, true}, growing(20, 200, 201))
	})
}

// growing asks a handler again and again while so many senders are blocked,
// and returns whether it says that they grow.
func growing(sizes ...int) (said []bool) {
	n := 0
	h := fakeHandler(func() *Snapshot { return stuckAt(map[int]int{212: n}) })
	for _, n = range sizes {
		text := get(h, "/?format=text").Body.String()
		said = append(said, strings.Contains(text, "growing:"))
		time.Sleep(2 * time.Second)
	}
	return said
}

// The server is stuck in the incident's way; the handler on the same server
// answers and says so.
func TestHandlerWhileServerHangs(t *testing.T) {
	const n = 30
	rec := make(chan int)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter,
		r *http.Request) {
		logRequest(rec)
	})
	mux.Handle("/debug/chanx/", Handler())
	server := httptest.NewServer(mux)
	defer server.Close()
	var clients sync.WaitGroup
	for range n {
		clients.Go(func() {
			if r, err := http.Get(server.URL + "/"); err == nil {
				r.Body.Close()
			}
		})
	}
	var report struct {
		Goroutines int
		Findings   []Finding
	}
	assert.Eventually(t, func() bool {
		r, err := http.Get(server.URL + "/debug/chanx/?format=json")
		require.NoError(t, err)
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &report))
		// Until all of them have arrived, the clients are the worst.
		return len(report.Findings) > 0 && report.Findings[0].Count == n &&
			strings.Contains(report.Findings[0].Function, "logRequest")
	}, 20*time.Second, 10*time.Millisecond)
	if assert.NotEmpty(t, report.Findings) {
		f := report.Findings[0]
		assert.Equal(t, Critical, f.Severity)
		assert.EqualValues(t, "chan send", f.Operation)
		assert.Contains(t, f.Function, "doctor.logRequest")
		assert.True(t, f.RequestPath)
	}
	for range n {
		<-rec
	}
	clients.Wait()
	http.DefaultClient.CloseIdleConnections()
}

func logRequest(rec chan int) { rec <- 1 }
