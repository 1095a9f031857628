package dump

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// parse returns how long p takes for a dump of so many goroutines, in
// nanoseconds, and how much memory the process needed at most beyond what it
// had before.
func parse(p parser, goroutines int) ([]float64, error) {
	debug.FreeOSMemory()
	before := mapped()
	peak := watchPeak()
	start := time.Now()
	n, result, err := p.read(newGenerator(goroutines))
	took := time.Since(start)
	runtime.KeepAlive(result)
	most := peak()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	if n != goroutines {
		return nil, fmt.Errorf("%s: found %d of %d goroutines",
			p.name, n, goroutines)
	}
	return []float64{float64(took), max(most-before, 0)}, nil
}

// watchPeak looks at the memory every millisecond until it is asked for the
// most. The runtime gives memory back slowly, so that a peak is not missed.
func watchPeak() (most func() float64) {
	stop, result := make(chan struct{}), make(chan float64)
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		peak := mapped()
		for {
			select {
			case <-tick.C:
				peak = max(peak, mapped())
			case <-stop:
				result <- max(peak, mapped())
				return
			}
		}
	}()
	return func() float64 {
		close(stop)
		return <-result
	}
}

// mapped is the memory that the runtime has from the system at present: the
// resident set but for the program's text.
func mapped() float64 {
	m := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(m)
	return float64(m[0].Value.Uint64()) - float64(m[1].Value.Uint64())
}

// Reading is the time and the memory that the doctor needs for a dump of so
// many goroutines.
func Reading(goroutines int) (ns, bytes float64, _ error) {
	m, err := parse(ours, goroutines)
	if err != nil {
		return 0, 0, err
	}
	return m[0], m[1], nil
}
