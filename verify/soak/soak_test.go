// Package soak sends many numbered values through a Ring from several senders
// to several receivers, and demands that each was received once or evicted
// once, and none was invented; and through a Broadcast, of which each subscription
// must receive each value or be told that it missed it. It takes seconds by
// default:
//
//	go test ./soak -v -soak     1.6 million sends in each of 48 cases
//	go test ./soak -v -for 3h -timeout 4h    these, again and again
package soak

import (
	"flag"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/leakgate"
)

var (
	full = flag.Bool("soak", false, "1.6 million sends in every case")
	last = flag.Duration("for", 0, "repeat all full cases for this long")
)

// fullSends is how many values a case sends, over all its senders.
const fullSends = 1_600_000

func TestMain(m *testing.M) { leakgate.Main(m) }

// allCases is the full table. GOMAXPROCS stands above what most machines have,
// so that the system preempts goroutines where the Go scheduler would not,
// inside a critical section too.
func allCases() []scene {
	var all []scene
	for _, procs := range []int{runtime.NumCPU(), 4 * runtime.NumCPU(), 64} {
		for _, capacity := range []int{1, 2, 64, 1024} {
			for _, way := range ways {
				all = append(all, scene{
					capacity: capacity, procs: procs, way: way,
					senders: 8, receivers: 4, each: fullSends / 8,
				})
			}
		}
	}
	return all
}

// quickCases has every capacity and every way of receiving once.
func quickCases() []scene {
	var quick []scene
	for i, capacity := range []int{1, 2, 64, 1024} {
		quick = append(quick, scene{
			capacity: capacity, procs: 16, way: ways[i],
			senders: 4, receivers: 4, each: 50_000,
		})
	}
	return quick
}

func TestEveryValueIsReceivedOnceOrEvictedOnce(t *testing.T) {
	cases := quickCases()
	if *full || *last > 0 {
		cases = allCases()
	}
	start, played := time.Now(), 0
	for again := true; again && !t.Failed(); again = time.Since(start) < *last {
		for _, c := range cases {
			// Hours end within a case; all are played at least once.
			if played >= len(cases) && time.Since(start) >= *last {
				break
			}
			t.Run(c.String(), func(t *testing.T) { soak(t, c) })
			played++
		}
	}
	t.Logf("%d cases, each at least %d times, in %v", played,
		played/len(cases), time.Since(start).Round(time.Second))
}

func soak(t *testing.T, c scene) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(c.procs))
	start := time.Now()
	out := c.play()
	require.NoError(t, out.check(c))
	t.Logf("%d sent, %d received, %d evicted in %v", out.stats.Sent,
		out.stats.Received, out.stats.Dropped,
		time.Since(start).Round(time.Millisecond))
}

// The count must be able to say no.
func TestTheCountFindsWhatIsWrong(t *testing.T) {
	for name, spoil := range map[string]func(*outcome){
		"received twice":      func(o *outcome) { o.received[7]++ },
		"received, evicted":   func(o *outcome) { o.evicted[7], o.received[7] = 1, 1 },
		"lost":                func(o *outcome) { o.evicted[7], o.received[7] = 0, 0 },
		"out of order":        func(o *outcome) { o.wrong = fmt.Errorf("7 after 8") },
		"a count that drifts": func(o *outcome) { o.stats.Received++ },
		"a refused send":      func(o *outcome) { o.refused = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			c := quickCases()[1]
			c.each = 100
			out := c.play()
			require.NoError(t, out.check(c))
			spoil(&out)
			require.Error(t, out.check(c))
		})
	}
}
