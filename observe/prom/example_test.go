package prom_test

import (
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"example.com/chanx"
	"example.com/chanx/observe"
	"example.com/chanx/observe/prom"
)

func Example() {
	ring := chanx.NewRing[string](1)
	o := observe.New()
	o.Ring("metrics", ring)
	registry := prometheus.NewRegistry()
	registry.MustRegister(prom.NewCollector(o))
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	// http.Handle("/metrics", handler)

	ring.Send("first")
	ring.Send("second")
	page := httptest.NewRecorder()
	handler.ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(page.Body.String()) {
		if strings.HasPrefix(line, "chanx_ring_dropped_total") {
			fmt.Print(line)
		}
	}
	// Output: chanx_ring_dropped_total{ring="metrics"} 1
}
