package leakgate

import (
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The gate is tested on a copy of this binary, with and without a leak. Only
// before the tests is there no other goroutine for check to find.
func TestMain(m *testing.M) {
	if code := check(0, 0, os.Stderr); code != 0 {
		os.Exit(code)
	}
	if os.Getenv("LEAKGATE") == "leak" {
		os.Exit(check(m.Run(), 2*time.Second, os.Stderr))
	}
	Main(m)
}

func TestGateFailsOnALeakAndOnlyThen(t *testing.T) {
	if how := os.Getenv("LEAKGATE"); how != "" {
		if how == "leak" {
			go func() { select {} }()
		}
		return
	}
	for how, leaks := range map[string]bool{"leak": true, "none": false} {
		cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), "LEAKGATE="+how)
		out, err := cmd.CombinedOutput()
		if !leaks {
			require.NoError(t, err, "%s", out)
			continue
		}
		var status *exec.ExitError
		require.ErrorAs(t, err, &status, "%s", out)
		assert.Equal(t, 1, status.ExitCode())
		assert.Contains(t, string(out), "1 goroutines left behind")
		assert.Contains(t, string(out), "TestGateFailsOnALeak")
	}
}

func TestAFailureStaysWhatItIs(t *testing.T) {
	var report strings.Builder
	assert.Equal(t, 3, check(3, 0, &report))
	assert.Empty(t, report.String())
	assert.Equal(t, 1, check(0, 0, &report), "the goroutine that runs the tests")
	assert.Contains(t, report.String(), "testing.(*T).Run")
}

// settle waits until want goroutines exist in addition to the caller's. The one
// that runs the tests counts; those of earlier tests, and finalizers, may still
// be about to end.
func settle(t *testing.T, want int) {
	t.Helper()
	left := leaked()
	for start := time.Now(); len(left) != want; left = leaked() {
		if time.Since(start) > time.Minute {
			require.Failf(t, "not settled", "%d are left, want %d; one: %s",
				len(left), want, left[len(left)-1])
		}
		time.Sleep(time.Millisecond)
	}
}

// TestManyGoroutines have stacks that do not fit into the first buffer, and
// none may be cut off.
func TestManyGoroutines(t *testing.T) {
	const many = 10_000
	settle(t, 1)
	release := make(chan struct{})
	for range many {
		go func() { <-release }()
	}
	settle(t, 1+many)
	close(release)
	settle(t, 1)
}

// TestSignalsAreNoLeak: their goroutine stays for as long as the process.
func TestSignalsAreNoLeak(t *testing.T) {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, os.Interrupt)
	defer signal.Stop(ch)
	settle(t, 1)
}

func TestAGoroutineCountsUntilItEnds(t *testing.T) {
	settle(t, 1) // the goroutine that runs the tests
	release := make(chan struct{})
	go func() { <-release }()
	settle(t, 2)
	close(release)
	settle(t, 1)
}
