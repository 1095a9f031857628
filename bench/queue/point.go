package queue

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"example.com/chanx/bench/plan"
)

// mode is what the consumer makes of the load.
type mode string

const (
	keepingUp mode = "keeping up" // a load that any consumer can take
	flooded   mode = "flooded"    // producers send as fast as they can
	stalled   mode = "stalled"    // each consumer takes one value, then hangs
)

// calm is the load in values per second when consumers keep up.
const calm = 100_000

// point is one place in the space of loads.
type point struct {
	producers, consumers, capacity, size, procs int

	mode mode
	rate float64       // values per second; 0: as fast as possible
	work time.Duration // of a consumer, for each value
}

const baseText = "2 producers, 1 consumer, 1,024 slots of 8 bytes"

// base is where every axis starts: two producers outrun one consumer.
func base() point {
	return point{producers: 2, consumers: 1, capacity: 1024, size: 8,
		procs: min(2, runtime.NumCPU()), mode: flooded}
}

// axis varies one thing. The whole product of all axes would take days.
type axis struct {
	name   string
	points []point
	label  func(point) string
	plot   *plan.Plot
	x, y   func(result) float64
}

// along returns the base point changed by set, for each of the values.
func along[V any](from point, set func(*point, V), values ...V) []point {
	points := make([]point, len(values))
	for i, v := range values {
		points[i] = from
		set(&points[i], v)
	}
	return points
}

func producersOf(p *point, n int) { p.producers = n }

func axes() []axis {
	b, still := base(), base()
	still.mode = stalled
	return []axis{
		{name: "Producers, consumer flooded", label: labelProducers,
			points: along(b, producersOf, 1, 2, 8, 64, 1024),
			plot:   costPlot("producers", "cost against producers"),
			x:      func(r result) float64 { return float64(r.at.producers) }, y: cost},
		{name: "Producers, consumer stalled", label: labelProducers,
			points: along(still, producersOf, 1, 2, 8, 64, 1024)},
		{name: "Consumers, flooded", label: labelConsumers,
			points: along(b, func(p *point, n int) { p.consumers = n }, 0, 1, 8)},
		{name: "Capacity, flooded",
			label: func(p point) string { return fmt.Sprintf("%d", p.capacity) },
			points: along(b, func(p *point, n int) { p.capacity = n },
				1, 16, 256, 1024, 8192, 65_536),
			plot: costPlot("capacity", "cost against capacity"),
			x:    func(r result) float64 { return float64(r.at.capacity) }, y: cost},
		{name: "Element size, flooded",
			label:  func(p point) string { return fmt.Sprintf("%d B", p.size) },
			points: along(b, func(p *point, n int) { p.size = n }, 8, 64, 1024)},
		{name: "State of the consumer",
			label:  func(p point) string { return string(p.mode) },
			points: along(b, setMode, keepingUp, flooded, stalled)},
		offered(),
	}
}

func labelProducers(p point) string { return fmt.Sprintf("%d", p.producers) }
func labelConsumers(p point) string { return fmt.Sprintf("%d", p.consumers) }
func cost(r result) float64         { return r.perOp }

func setMode(p *point, m mode) {
	p.mode = m
	if m == keepingUp {
		p.rate = calm
	}
}

// offered raises the load past what a consumer can do that needs 1 µs for
// each value.
func offered() axis {
	from := base()
	from.work = time.Microsecond
	return axis{name: "Offered load, consumer needs 1 µs for each value",
		label: func(p point) string { return fmt.Sprintf("%.1f M/s", p.rate/1e6) },
		points: along(from, func(p *point, r float64) { p.rate = r },
			100_000, 300_000, 600_000, 1e6, 2e6, 5e6, 10e6),
		plot: &plan.Plot{File: "delivered", Title: "Delivered against offered load",
			Under: "a consumer that needs 1 µs for each value; " + baseText,
			X:     "offered (values/s)", Y: "delivered (values/s)",
			LogX: true, LogY: true},
		x: func(r result) float64 { return r.offered },
		y: func(r result) float64 { return r.delivered }}
}

func costPlot(x, title string) *plan.Plot {
	return &plan.Plot{File: "cost-" + x, Title: "Caller's " + title,
		Under: "flood; but for what is varied: " + baseText,
		X:     x, Y: "time of an operation", LogX: true, LogY: true, Times: true}
}

// paced reports whether all points of the axis offer a given load.
func (a axis) paced() bool {
	return !slices.ContainsFunc(a.points, func(p point) bool { return p.rate == 0 })
}

// thin keeps the ends and the base of an axis, for a quick run.
func (a axis) thin() axis {
	if last := len(a.points) - 1; last > 1 {
		a.points = []point{a.points[0], a.points[last]}
	}
	return a
}
