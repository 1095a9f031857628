package chanx_test

import (
	"flag"
	"os"
	"runtime"
	"strings"
	"testing"

	"example.com/chanx/internal/leakgate"
	"example.com/chanx/internal/race"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

// scale makes the concurrent tests run longer: go test -scale 50 is a soak.
var scale = flag.Int("scale", 1, "multiplies the rounds of concurrent tests")

// rounds is how often a concurrent test repeats what takes n rounds to find
// its bug. The race detector finds more in each round and is ten times slower.
func rounds(n int) int {
	n *= *scale
	if race.Enabled && n > 100_000 {
		n = max(n/8, 100_000)
	}
	return n
}

// manyProcs lets goroutines be preempted in the middle of what they do: bugs
// that never show with as many threads as cores show with four times as many.
func manyProcs(t testing.TB) { setProcs(t, 4*runtime.NumCPU()) }

// oneProc makes the order in which goroutines run a matter of who waits.
func oneProc(t testing.TB) { setProcs(t, 1) }

func setProcs(t testing.TB, n int) {
	old := runtime.GOMAXPROCS(n)
	t.Cleanup(func() { runtime.GOMAXPROCS(old) })
}

// noAllocs fails t if f allocates. What f needs must be warm: it is run once
// before. testing.AllocsPerRun rounds down, which forgives the runtime its
// own rare allocations and forgives f none, since f would make one each time.
func noAllocs(t *testing.T, name string, f func()) {
	t.Helper()
	if race.Enabled {
		return
	}
	if n := testing.AllocsPerRun(200, f); n != 0 {
		t.Errorf("%s: %v allocations, want 0", name, n)
	}
}

func readDoc(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}
