package prom

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
	"example.com/chanx/asynclog"
	"example.com/chanx/observe"
)

// observed returns an Observer of one thing of each kind, all of which have
// something to count.
func observed(t *testing.T) *observe.Observer {
	o := observe.New()
	ring := chanx.NewRing[int](2)
	b := chanx.NewBroadcast[int](8)
	for i := range 5 {
		ring.Send(i)
		b.Send(i)
	}
	o.Ring("metrics", ring)
	o.Broadcast("prices", b)
	w := asynclog.New(io.Discard, asynclog.Options{})
	fmt.Fprint(w, "line\n")
	require.NoError(t, w.Close())
	o.Log("access", w)
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	require.NoError(t, s.Add("once", func(context.Context) error {
		return chanx.Permanent(errors.New("no"))
	}, chanx.RestartPolicy{}))
	require.NoError(t, s.Add("panics", func(context.Context) error {
		panic("at the first")
	}, chanx.RestartPolicy{Restart: chanx.RestartNever}))
	_ = s.Run(t.Context())
	o.Supervisor("workers", s)
	return o
}

func registryOf(o *observe.Observer) *prometheus.Registry {
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(NewCollector(o))
	return r
}

func TestLint(t *testing.T) {
	problems, err := testutil.GatherAndLint(registryOf(observed(t)))
	require.NoError(t, err)
	assert.Empty(t, problems)
}

// A server, a client, and the text between them.
func TestScrape(t *testing.T) {
	page := scrape(t, registryOf(observed(t)))
	for _, line := range []string{
		`chanx_ring_sent_total{ring="metrics"} 5`,
		`chanx_ring_received_total{ring="metrics"} 0`,
		`chanx_ring_dropped_total{ring="metrics"} 3`,
		`chanx_ring_length{ring="metrics"} 2`,
		`chanx_ring_capacity{ring="metrics"} 2`,
		`chanx_ring_high_water{ring="metrics"} 2`,
		`chanx_broadcast_sent_total{broadcast="prices"} 5`,
		`chanx_broadcast_length{broadcast="prices"} 5`,
		`chanx_broadcast_capacity{broadcast="prices"} 8`,
		`chanx_broadcast_subscribers{broadcast="prices"} 0`,
		`chanx_log_accepted_total{log="access"} 1`,
		`chanx_log_records_total{log="access",outcome="written"} 1`,
		`chanx_log_records_total{log="access",outcome="dropped"} 0`,
		`chanx_log_records_total{log="access",outcome="refused"} 0`,
		`chanx_log_bytes_total{log="access",outcome="written"} 5`,
		`chanx_log_buffered_records{log="access"} 0`,
		`chanx_log_buffered_bytes{log="access"} 0`,
		`chanx_log_high_water_bytes{log="access"} 5`,
		`chanx_log_sink_errors_total{log="access"} 0`,
		`chanx_log_stalls_total{log="access"} 0`,
		`chanx_log_stalled{log="access"} 0`,
		`chanx_supervisor_workers{state="failed",supervisor="workers"} 2`,
		`chanx_supervisor_workers{state="backing off",supervisor="workers"} 0`,
		`chanx_supervisor_live{supervisor="workers"} 0`,
		`chanx_supervisor_ready{supervisor="workers"} 0`,
		`chanx_supervisor_omitted_workers{supervisor="workers"} 0`,
		`chanx_worker_running{supervisor="workers",worker="once"} 0`,
		`chanx_worker_crash_looping{supervisor="workers",worker="once"} 0`,
		`chanx_worker_restarts_total{supervisor="workers",worker="once"} 0`,
		`chanx_worker_exits_total{kind="error",supervisor="workers",worker="once"} 1`,
		`chanx_worker_exits_total{kind="panic",supervisor="workers",worker="panics"} 1`,
		`chanx_worker_exits_total{kind="nil",supervisor="workers",worker="panics"} 0`,
		`chanx_unreadable 0`,
	} {
		assert.Contains(t, page, line+"\n")
	}
}

func scrape(t *testing.T, g prometheus.Gatherer) string {
	server := httptest.NewServer(promhttp.HandlerFor(g, promhttp.HandlerOpts{}))
	defer server.Close()
	resp, err := http.Get(server.URL)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", text)
	http.DefaultClient.CloseIdleConnections()
	return string(text)
}

// High-water marks and counters are the same for the second of two scrapers.
func TestScrapeChangesNothing(t *testing.T) {
	r := registryOf(observed(t))
	assert.Equal(t, scrape(t, r), scrape(t, r))
}

// A label that is not UTF-8, or two that are the same once they are printable,
// would make the whole scrape fail (prometheus/prometheus#4803,
// prometheus/collectd_exporter#68); so would a worker named as the child of
// another.
func TestHostileNames(t *testing.T) {
	o := observe.New()
	for _, name := range []string{"\xff", "\xfe", "\x00", "a\nb", `"}`,
		"\u202e", "é", strings.Repeat("long", 1000), strings.Repeat("long", 1001)} {
		o.Ring(name, chanx.NewRing[int](1))
	}
	synctest.Test(t, func(t *testing.T) {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		child := chanx.NewSupervisor(chanx.SupervisorOptions{})
		idle := func(ctx context.Context) error { <-ctx.Done(); return nil }
		require.NoError(t, child.Add("b", idle, chanx.RestartPolicy{}))
		require.NoError(t, s.Add("a", child.Run, chanx.RestartPolicy{}))
		require.NoError(t, s.Add("a/b", idle, chanx.RestartPolicy{}))
		o := observe.New()
		o.Supervisor("\xff", s)
		o.Supervisor("\xfe", s)
		ctx, cancel := context.WithCancel(t.Context())
		go s.Run(ctx)
		synctest.Wait()
		n, err := testutil.GatherAndCount(registryOf(o), "chanx_worker_running")
		assert.NoError(t, err)
		assert.Equal(t, 6, n)
		cancel()
		synctest.Wait()
	})
	n, err := testutil.GatherAndCount(registryOf(o), "chanx_ring_length")
	require.NoError(t, err)
	assert.Equal(t, 9, n)
	problems, err := testutil.GatherAndLint(registryOf(o))
	require.NoError(t, err)
	assert.Empty(t, problems)
}

type stats func() chanx.RingStats

func (f stats) Stats() chanx.RingStats { return f() }

// A source that hangs neither stops a scrape nor is asked again by the next,
// which would pile up goroutines (skypilot-org/skypilot#10377).
func TestSourceHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := observe.New()
		release := make(chan struct{})
		var calls atomic.Int64
		o.Ring("hangs", stats(func() chanx.RingStats {
			calls.Add(1)
			<-release
			return chanx.RingStats{}
		}))
		o.Ring("well", chanx.NewRing[int](7))
		r := registryOf(o)
		for range 5 {
			start := time.Now()
			require.NoError(t, testutil.GatherAndCompare(r, strings.NewReader(`
# HELP chanx_ring_capacity Values that the ring can hold.
# TYPE chanx_ring_capacity gauge
chanx_ring_capacity{ring="well"} 7
# HELP chanx_unreadable Rings and broadcasts whose Stats method hangs or panics. They have no other series.
# TYPE chanx_unreadable gauge
chanx_unreadable 1
`), "chanx_ring_capacity", "chanx_unreadable"))
			assert.LessOrEqual(t, time.Since(start), time.Second)
		}
		assert.EqualValues(t, 1, calls.Load())
		close(release)
		synctest.Wait()
	})
}

// A scrape that is not read to its end holds nothing up
// (scylladb/scylla-manager#2843, kubernetes/kube-state-metrics#2413).
func TestReaderStops(t *testing.T) {
	o := observed(t)
	c := NewCollector(o)
	stopped := make(chan prometheus.Metric)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Collect(stopped)
	}()
	<-stopped
	o.Ring("more", chanx.NewRing[int](1))
	o.Remove("metrics")
	assert.Contains(t, scrape(t, registryOf(o)), `chanx_ring_length{ring="more"}`)
	for range 3 {
		assert.Len(t, o.Snapshot().Rings, 1)
	}
	go func() {
		for range stopped {
		}
	}()
	<-done
	close(stopped)
}

// The series of a thing or worker that is removed are gone with it.
func TestRemovedSeriesAreGone(t *testing.T) {
	o := observed(t)
	r := registryOf(o)
	for _, name := range []string{"metrics", "prices", "access", "workers"} {
		o.Remove(name)
	}
	families, err := r.Gather()
	require.NoError(t, err)
	require.Len(t, families, 1)
	assert.Equal(t, "chanx_unreadable", families[0].GetName())
}

// Ten thousand workers do not make ten thousand series, and the failed one is
// among those that have one.
func TestCardinalityIsBounded(t *testing.T) {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	for i := range 10_000 {
		require.NoError(t, s.Add(fmt.Sprint("worker ", i),
			func(context.Context) error {
				if i == 9_999 {
					return chanx.Permanent(errors.New("failed"))
				}
				return chanx.ErrStop
			}, chanx.RestartPolicy{}))
	}
	require.NoError(t, s.Run(t.Context()))
	o := observe.New()
	o.Supervisor("many", s)
	page := scrape(t, registryOf(o))
	assert.Equal(t, 1000, strings.Count(page, "\nchanx_worker_running{"))
	assert.Contains(t, page, `chanx_worker_running{supervisor="many",worker="worker 9999"}`)
	assert.Contains(t, page, `chanx_supervisor_omitted_workers{supervisor="many"} 9000`)
	assert.Contains(t, page, `chanx_supervisor_workers{state="stopped",supervisor="many"} 9999`)
}

func TestTwoObservers(t *testing.T) {
	r := prometheus.NewRegistry()
	for _, name := range []string{"a", "b"} {
		wrapped := prometheus.WrapRegistererWith(prometheus.Labels{"part": name}, r)
		require.NoError(t, wrapped.Register(NewCollector(observed(t))))
	}
	assert.Contains(t, scrape(t, r), `chanx_ring_length{part="b",ring="metrics"} 2`)
	assert.Error(t, r.Register(prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "chanx_ring_length"})), "the names are taken, and that is said")
}

func TestNil(t *testing.T) {
	assert.PanicsWithValue(t, "prom: nil Observer", func() { NewCollector(nil) })
}
