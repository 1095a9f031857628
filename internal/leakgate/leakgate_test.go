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

// TestManyGoroutines have stacks that do not fit into the first buffer, and
// none may be cut off.
func TestManyGoroutines(t *testing.T) {
	const many = 10_000
	before := len(leaked())
	release := make(chan struct{})
	for range many {
		go func() { <-release }()
	}
	assert.Len(t, leaked(), before+many)
	close(release)
	for len(leaked()) > before { // the test's timeout is the bound
		time.Sleep(time.Millisecond)
	}
}

// TestSignalsAreNoLeak: their goroutine stays for as long as the process.
func TestSignalsAreNoLeak(t *testing.T) {
	before := len(leaked())
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, os.Interrupt)
	defer signal.Stop(ch)
	assert.Len(t, leaked(), before)
}

func TestAGoroutineCountsUntilItEnds(t *testing.T) {
	before := len(leaked()) // the goroutine that runs the tests
	release := make(chan struct{})
	go func() { <-release }()
	require.Len(t, wait(0), before+1)
	close(release)
	for len(leaked()) > before { // the test's timeout is the bound
		time.Sleep(time.Millisecond)
	}
}
