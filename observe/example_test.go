package observe_test

import (
	"fmt"
	"net/http"

	"example.com/chanx"
	"example.com/chanx/observe"
)

func Example() {
	ring := chanx.NewRing[string](2)
	workers := chanx.NewSupervisor(chanx.SupervisorOptions{})

	o := observe.New()
	o.Ring("metrics", ring)
	o.Supervisor("workers", workers)

	admin := http.NewServeMux() // on an address for operators only
	admin.Handle("/debug/chanx/", o)
	// expvar.Publish("chanx", o), once in a process

	for _, s := range []string{"a", "b", "c"} {
		ring.Send(s)
	}
	r := o.Snapshot().Rings[0]
	fmt.Printf("%s: %d of %d, %d dropped\n", r.Name, r.Len, r.Cap, r.Dropped)
	// Output: metrics: 2 of 2, 1 dropped
}

// An exporter to another system needs no list of the metrics.
func ExampleSnapshot_Measure() {
	ring := chanx.NewRing[string](1)
	o := observe.New()
	o.Ring("metrics", ring)
	ring.Send("a")
	ring.Send("b")

	s := o.Snapshot()
	s.Measure(func(m observe.Metric, value uint64, labels ...string) {
		if m.Counter {
			fmt.Println(m.Name, m.Labels, labels, value)
		}
	})
	// Output:
	// ring.sent [ring] [metrics] 2
	// ring.received [ring] [metrics] 0
	// ring.dropped [ring] [metrics] 1
}
