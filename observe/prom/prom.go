// Package prom exports what an [observe.Observer] sees to Prometheus.
//
//	registry.MustRegister(prom.NewCollector(o))
//
// It is a separate module, so that chanx does not depend on Prometheus. The
// metrics are those of [observe.Metrics], with chanx_ before the name, _ for
// each dot, and _total behind a counter:
//
//	chanx_ring_dropped_total{ring}
//	chanx_log_records_total{log,outcome}    written, dropped or refused
//	chanx_log_stalled{log}
//	chanx_worker_exits_total{supervisor,worker,kind}
//	chanx_worker_crash_looping{supervisor,worker}
//
// High-water marks are since the thing was made: a scrape does not reset them.
// A supervisor has series for 1,000 workers at most, the worst first; how many
// more there are is in chanx_supervisor_omitted_workers.
//
// dashboard.json is a dashboard for Grafana, and rules.yml has three alerts:
// values or records are dropped, a log is stalled, a worker is crash-looping.
package prom

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"example.com/chanx/observe"
)

// NewCollector returns a collector over o. Each scrape takes one Snapshot of o
// and then holds no lock, so a scrape that is not read to its end stops no
// other. It is answered within about a second when the process hangs: see
// [observe.Observer.Snapshot].
//
// Two Observers in one registry need labels that tell them apart: register
// them with [prometheus.WrapRegistererWith]. A nil o panics.
func NewCollector(o *observe.Observer) prometheus.Collector {
	if o == nil {
		panic("prom: nil Observer")
	}
	c := &collector{o, make(map[string]*prometheus.Desc)}
	for _, m := range observe.Metrics() {
		name := "chanx_" + strings.ReplaceAll(m.Name, ".", "_")
		if m.Counter {
			name += "_total"
		}
		c.descs[m.Name] = prometheus.NewDesc(name, m.Help, m.Labels, nil)
	}
	return c
}

type collector struct {
	o     *observe.Observer
	descs map[string]*prometheus.Desc // by Metric.Name
}

func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

func (c *collector) Collect(ch chan<- prometheus.Metric) {
	s := c.o.Snapshot()
	s.Measure(func(m observe.Metric, value uint64, labels ...string) {
		kind := prometheus.GaugeValue
		if m.Counter {
			kind = prometheus.CounterValue
		}
		ch <- prometheus.MustNewConstMetric(c.descs[m.Name], kind,
			float64(value), labels...)
	})
}
