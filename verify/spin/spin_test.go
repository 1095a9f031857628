// Package spin checks the waiting protocol of Ring and the stop protocol of
// Supervisor as Promela models, with spin.
package spin

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// verify runs spin's exhaustive search over model with the given switches, and
// returns its output and whether it found an error.
func verify(t *testing.T, model string, switches ...string) (out string, violated bool) {
	t.Helper()
	for _, tool := range []string{"spin", "cc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed (Debian packages spin and gcc)", tool)
		}
	}
	path, err := filepath.Abs(model)
	require.NoError(t, err)
	dir := t.TempDir()
	command := func(name string, args ...string) string {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s %v\n%s", name, args, out)
		return string(out)
	}
	command("spin", append(append([]string{"-a"}, switches...), path)...)
	command("cc", "-O2", "-DSAFETY", "-DVECTORSZ=4096", "-o", "pan", "pan.c")
	out = command(filepath.Join(dir, "pan"), "-m1000000")
	require.NotContains(t, out, "max search depth too small", "the search was cut")
	require.Contains(t, out, "errors: ")
	return out, !strings.Contains(out, "errors: 0")
}

// searchAll demands that the model holds with each set of switches.
func searchAll(t *testing.T, model string, configs ...string) {
	for _, config := range configs {
		t.Run("holds"+config, func(t *testing.T) {
			out, violated := verify(t, model, strings.Fields(config)...)
			require.False(t, violated, "%s", out)
			for line := range strings.Lines(out) {
				if strings.Contains(line, "states, stored") {
					t.Log(strings.TrimSpace(line))
				}
			}
		})
	}
}

// findAll demands that spin finds each planted bug: a model that holds
// whatever one does to it shows nothing.
func findAll(t *testing.T, model string, configs ...string) {
	for _, config := range configs {
		t.Run("finds"+config, func(t *testing.T) {
			out, violated := verify(t, model, strings.Fields(config)...)
			require.True(t, violated, "%s", out)
		})
	}
}

func TestRingModel(t *testing.T) {
	searchAll(t, "ring.pml",
		"-DCAP=1", "-DCAP=2", "-DCAP=3", "-DCAP=2 -DSELECTS", "-DCAP=1 -DREFUSES",
		"-DCAP=2 -DREFUSES",
		"-DCAP=1 -DCLOSES", "-DCAP=2 -DCLOSES", "-DCAP=2 -DCLOSES -DSELECTS")
	findAll(t, "ring.pml",
		"-DBUG_EVICT_UNCOUNTED", "-DBUG_TOKEN_NOT_PASSED_ON",
		"-DBUG_SEND_WAKES_NOBODY", "-DCLOSES -DBUG_CLOSE_WAKES_ONE",
		"-DBUG_CONTEXT_BEFORE_LOOKING", "-DCLOSES -DBUG_CLOSE_DISCARDS",
		"-DREFUSES -DBUG_REFUSAL_KEEPS_TOKEN")
}

func TestBroadcastModel(t *testing.T) {
	searchAll(t, "broadcast.pml", "-DSENDS=1", "-DSENDS=1 -DGIVES_UP",
		"-DSENDS=1 -DGIVES_UP -DCLOSES", "-DSELECTS", "-DSENDS=1 -DSELECTS -DCLOSES")
	findAll(t, "broadcast.pml", "-DSENDS=1 -DCLOSES -DBUG_TOKEN_NOT_PASSED_ON",
		"-DSENDS=1 -DGIVES_UP -DBUG_NOT_QUEUED_AGAIN",
		"-DSENDS=1 -DSELECTS -DBUG_WALK_FORGETS_READY",
		"-DSELECTS -DBUG_WALK_FORGETS_EMPTY")
}

func TestSupervisorModel(t *testing.T) {
	searchAll(t, "supervisor.pml",
		"-DFAILURES=4", "-DREMOVES", "-DCANCELS", "-DCANCELS -DREMOVES")
	findAll(t, "supervisor.pml",
		"-DBUG_NO_NUDGE", "-DBUG_PLAN_NOT_OWNED", "-DREMOVES -DBUG_REMOVED_IS_STARTED",
		"-DCANCELS -DBUG_PLANS_OUTLIVE_THE_SET")
}
