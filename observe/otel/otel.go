// Package otel exports what an [observe.Observer] sees through the metric API
// of OpenTelemetry.
//
//	registration, err := otel.Register(provider.Meter("chanx"), o)
//
// It is a separate module, so that chanx does not depend on OpenTelemetry. The
// metrics are those of [observe.Metrics], with chanx. before the name, such as
// chanx.ring.dropped with the attribute ring. Counters are observable counters
// and all others observable gauges.
//
// High-water marks are since the thing was made: a collection does not reset
// them. A supervisor has attributes for 1,000 workers at most, the worst first;
// how many more there are is in chanx.supervisor.omitted_workers. The SDK has
// another limit: 2,000 sets of attributes for each instrument.
package otel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"example.com/chanx/observe"
)

// Register makes an instrument of m for each metric, and observes them all in
// one callback, with one Snapshot of o, until the registration is unregistered.
// The callback takes about a second at most when the process hangs: see
// [observe.Observer.Snapshot]. The error is m's. A nil m or o panics.
func Register(m metric.Meter, o *observe.Observer) (metric.Registration,
	error) {
	if m == nil || o == nil {
		panic("otel: nil argument of Register")
	}
	instruments := make(map[string]metric.Int64Observable)
	var all []metric.Observable
	var errs []error
	for _, d := range observe.Metrics() {
		i, err := instrument(m, d)
		errs = append(errs, err)
		instruments[d.Name] = i
		all = append(all, i)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return m.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		s := o.Snapshot()
		s.Measure(func(d observe.Metric, value uint64, labels ...string) {
			attributes := make([]attribute.KeyValue, len(labels))
			for i, l := range labels {
				attributes[i] = attribute.String(d.Labels[i], l)
			}
			to.ObserveInt64(instruments[d.Name], int64(value),
				metric.WithAttributes(attributes...))
		})
		return nil
	}, all...)
}

func instrument(m metric.Meter, d observe.Metric) (metric.Int64Observable,
	error) {
	name := "chanx." + d.Name
	if d.Counter {
		return m.Int64ObservableCounter(name,
			metric.WithDescription(d.Help), metric.WithUnit(d.Unit))
	}
	return m.Int64ObservableGauge(name,
		metric.WithDescription(d.Help), metric.WithUnit(d.Unit))
}
