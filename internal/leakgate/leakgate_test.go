package leakgate

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The gate is tested on a copy of this binary, with and without a leak.
func TestMain(m *testing.M) { Main(m) }

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
