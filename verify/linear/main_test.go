// Package linear checks concurrent histories of chanx against sequential
// models, with porcupine.
package linear

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"example.com/chanx/internal/leakgate"
)

// rounds is how many short histories are checked for each combination of
// capacity and GOMAXPROCS:
//
//	go test ./linear -rounds 20000
var rounds = flag.Int("rounds", 150, "short histories for each combination")

func TestMain(m *testing.M) { leakgate.Main(m) }

// processors are the settings of GOMAXPROCS.
var processors = []int{1, 2, 4, 16, 64}

func withProcs(t *testing.T, n int, f func()) {
	t.Helper()
	old := runtime.GOMAXPROCS(n)
	defer runtime.GOMAXPROCS(old)
	f()
}

// picturePath is where the picture of a violation goes; it outlives the test.
func picturePath(t *testing.T) string {
	return filepath.Join(os.TempDir(), t.Name()+".html")
}
