package otel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"example.com/chanx"
	"example.com/chanx/asynclog"
	"example.com/chanx/observe"
)

// registered returns a function that collects all there is, as "name{k=v}".
func registered(t *testing.T, o *observe.Observer) (metric.Registration,
	func() map[string]int64) {
	reader := sdk.NewManualReader()
	provider := sdk.NewMeterProvider(sdk.WithReader(reader))
	registration, err := Register(provider.Meter("chanx"), o)
	require.NoError(t, err)
	return registration, func() map[string]int64 {
		var data metricdata.ResourceMetrics
		require.NoError(t, reader.Collect(context.Background(), &data))
		got := make(map[string]int64)
		for _, scope := range data.ScopeMetrics {
			for _, m := range scope.Metrics {
				assert.NotEmpty(t, m.Description)
				for _, p := range points(t, m.Data) {
					got[m.Name+text(p.Attributes)] = p.Value
				}
			}
		}
		return got
	}
}

func points(t *testing.T, data metricdata.Aggregation) []metricdata.DataPoint[int64] {
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		assert.True(t, d.IsMonotonic)
		return d.DataPoints
	case metricdata.Gauge[int64]:
		return d.DataPoints
	}
	t.Fatalf("a %T", data)
	return nil
}

func text(set attribute.Set) string {
	s := "{"
	for _, kv := range set.ToSlice() {
		s += string(kv.Key) + "=" + kv.Value.AsString() + " "
	}
	return s + "}"
}

func TestManualReader(t *testing.T) {
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
	_ = s.Run(t.Context())
	o.Supervisor("workers", s)

	_, collect := registered(t, o)
	got := collect()
	for name, want := range map[string]int64{
		"chanx.ring.sent{ring=metrics }":                                 5,
		"chanx.ring.dropped{ring=metrics }":                              3,
		"chanx.ring.high_water{ring=metrics }":                           2,
		"chanx.broadcast.sent{broadcast=prices }":                        5,
		"chanx.log.accepted{log=access }":                                1,
		"chanx.log.records{log=access outcome=written }":                 1,
		"chanx.log.bytes{log=access outcome=written }":                   5,
		"chanx.log.stalled{log=access }":                                 0,
		"chanx.supervisor.workers{state=failed supervisor=workers }":     1,
		"chanx.worker.exits{kind=error supervisor=workers worker=once }": 1,
		"chanx.worker.crash_looping{supervisor=workers worker=once }":    0,
		"chanx.unreadable{}":                                             0,
	} {
		value, ok := got[name]
		assert.True(t, ok, name)
		assert.Equal(t, want, value, name)
	}
	assert.Equal(t, got, collect(), "a collection changes nothing")
	names := make(map[string]bool)
	for _, m := range observe.Metrics() {
		assert.False(t, names[m.Name], m.Name)
		names[m.Name] = true
	}
}

func TestUnregister(t *testing.T) {
	o := observe.New()
	ring := chanx.NewRing[int](1)
	o.Ring("r", ring)
	registration, collect := registered(t, o)
	assert.NotEmpty(t, collect())
	o.Remove("r")
	assert.Equal(t, map[string]int64{"chanx.unreadable{}": 0}, collect())
	require.NoError(t, registration.Unregister())
	assert.Empty(t, collect())
}

type stats func() chanx.RingStats

func (f stats) Stats() chanx.RingStats { return f() }

func TestSourceHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := observe.New()
		release := make(chan struct{})
		o.Ring("hangs", stats(func() chanx.RingStats {
			<-release
			return chanx.RingStats{}
		}))
		o.Ring("well", chanx.NewRing[int](7))
		_, collect := registered(t, o)
		for range 3 {
			start := time.Now()
			got := collect()
			assert.LessOrEqual(t, time.Since(start), time.Second)
			assert.EqualValues(t, 1, got["chanx.unreadable{}"])
			assert.EqualValues(t, 7, got["chanx.ring.capacity{ring=well }"])
			assert.NotContains(t, got, "chanx.ring.capacity{ring=hangs }")
		}
		close(release)
		synctest.Wait()
	})
}

// The SDK calls back under the lock that it needs to make an instrument, so a
// Stats that makes one would wait for the collection that waits for it
// (open-telemetry/opentelemetry-go#8054).
func TestStatsMakesAnInstrument(t *testing.T) {
	reader := sdk.NewManualReader()
	meter := sdk.NewMeterProvider(sdk.WithReader(reader)).Meter("chanx")
	o := observe.New()
	made := make(chan error, 10)
	n := 0
	o.Ring("makes one", stats(func() chanx.RingStats {
		n++
		_, err := meter.Int64Counter(fmt.Sprint("calls", n))
		made <- err
		return chanx.RingStats{Cap: 1}
	}))
	require.NoError(t, <-made)
	_, err := Register(meter, o)
	require.NoError(t, err)
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &data)) // a second later
	require.NoError(t, <-made)
}

// refusing is a Meter that makes no gauge.
type refusing struct{ noop.Meter }

func (refusing) Int64ObservableGauge(string, ...metric.Int64ObservableGaugeOption) (
	metric.Int64ObservableGauge, error) {
	return nil, errors.New("no gauges here")
}

func TestErrors(t *testing.T) {
	meter := noop.NewMeterProvider().Meter("chanx")
	_, err := Register(refusing{}, observe.New())
	assert.ErrorContains(t, err, "no gauges here")
	assert.Panics(t, func() { Register(nil, observe.New()) })
	assert.Panics(t, func() { Register(meter, nil) })
}
