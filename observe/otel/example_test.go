package otel_test

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"example.com/chanx"
	"example.com/chanx/observe"
	"example.com/chanx/observe/otel"
)

func Example() {
	ring := chanx.NewRing[string](1)
	o := observe.New()
	o.Ring("metrics", ring)

	reader := metric.NewManualReader() // or one that exports periodically
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	registration, err := otel.Register(provider.Meter("chanx"), o)
	if err != nil {
		panic(err)
	}
	defer registration.Unregister()

	ring.Send("first")
	ring.Send("second")
	var data metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &data); err != nil {
		panic(err)
	}
	for _, m := range data.ScopeMetrics[0].Metrics {
		if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "chanx.ring.dropped" {
			fmt.Println(m.Name, sum.DataPoints[0].Value)
		}
	}
	// Output: chanx.ring.dropped 1
}
