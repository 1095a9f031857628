// Package load puts more on chanx than a service would, and demands that
// memory and goroutines are back where they were afterwards. Sizes are small
// by default:
//
//	go test ./load -v          what a check has time for
//	go test ./load -v -load    a million panics, 100,000 workers
//
// The figures are printed, and none of those of time is a reason to fail.
package load

import (
	"flag"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/leakgate"
)

var full = flag.Bool("load", false, "the sizes of the record")

func TestMain(m *testing.M) { leakgate.Main(m) }

func size(quick, record int) int {
	if *full {
		return record
	}
	return quick
}

// footprint is what a process has in use.
type footprint struct {
	goroutines int
	heap       uint64
}

func measure() footprint {
	runtime.GC()
	runtime.GC() // the first one finishes the sweep before it
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return footprint{runtime.NumGoroutine(), m.HeapAlloc}
}

func (f footprint) String() string {
	return fmt.Sprintf("%d goroutines, %.1f MB", f.goroutines, float64(f.heap)/1e6)
}

// warm makes the runtime allocate the descriptors of n goroutines (some 400 bytes
// each), which it never frees.
func warm(n int) {
	var started, ended sync.WaitGroup
	release := make(chan struct{})
	started.Add(n)
	for range n {
		ended.Go(func() {
			started.Done()
			<-release
		})
	}
	started.Wait()
	close(release)
	ended.Wait()
}

// slack is for the test itself: its log, and the caches of the runtime.
const slack = 512 << 10

// backAt demands that everything since was given back. A goroutine that has
// done its work may need a moment to end; the test's timeout is the bound.
func backAt(t *testing.T, before footprint) {
	t.Helper()
	for runtime.NumGoroutine() > before.goroutines {
		time.Sleep(time.Millisecond)
	}
	after := measure()
	t.Logf("before: %v; after: %v", before, after)
	require.LessOrEqual(t, after.heap, before.heap+slack)
}

// stopwatch logs what each of n took.
func stopwatch(t *testing.T, what string, n int, f func()) {
	t.Helper()
	start := time.Now()
	f()
	took := time.Since(start)
	t.Logf("%s: %d in %v, %v each", what, n,
		took.Round(time.Millisecond), took/time.Duration(n))
}
