package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestIncident diagnoses the server of examples/incident that hangs, live and
// saved, in all three forms of the profile.
func TestIncident(t *testing.T) {
	program, url := holdIncident(t)
	profile := url + "/debug/pprof/goroutine?debug="
	zero, one, two := save(t, profile+"0", "0.pb.gz"),
		save(t, profile+"1", "1.txt"), save(t, profile+"2", "2.txt")
	for name, args := range map[string][]string{
		"live":           {url},
		"live, form 0":   {"-form", "0", url},
		"live, form 1":   {"-form", "1", url},
		"live, form 2":   {"-form", "2", url},
		"saved, debug=0": {zero},
		"saved, debug=1": {"-binary", program, one},
		"saved, debug=2": {two},
	} {
		t.Run(name, func(t *testing.T) {
			got := diagnose(t, append([]string{"-json"}, args...)...)
			require.Equal(t, exitFindings, got.code, got.stderr)
			f := parse(t, got.stdout).Findings[0]
			require.Equal(t, "critical", f.Severity)
			require.EqualValues(t, "chan send", f.Operation)
			require.Equal(t, "main.(*traceWriter).LogWrite", f.Function)
			require.Equal(t, "before.go", filepath.Base(f.File))
			require.Equal(t, incidentLine(t), f.Line)
			require.Equal(t, strings.Count(string(read(t, two)),
				"main.(*traceWriter).LogWrite("), f.Count)
			require.Greater(t, f.Count, 128, "a phase of them at least")
			require.True(t, f.RequestPath)
			require.EqualValues(t, "missing", f.Receiver)
		})
	}
}

// holdIncident builds the example and has it replayed and held. It returns
// the program and the address of the server that hangs.
func holdIncident(t *testing.T) (file, url string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "incident.exe")
	out, err := exec.Command("go", "build", "-o", file,
		"../../examples/incident").CombinedOutput()
	require.NoError(t, err, "%s", out)
	cmd := exec.Command(file, "-hold", "10m", "-requests", "128", "-timeout", "1s")
	dir := t.TempDir() // what is killed does not tidy up
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "TMP="+dir)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	late := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	t.Cleanup(func() {
		late.Stop()
		cmd.Process.Kill()
		cmd.Wait()
	})
	var said strings.Builder
	address := regexp.MustCompile(`^before hangs, .* at (http://\S+)$`)
	for lines := bufio.NewScanner(io.TeeReader(stderr, &said)); lines.Scan(); {
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			late.Stop()
			return file, m[1]
		}
	}
	require.Fail(t, "not held within a minute", said.String())
	return "", ""
}

// incidentLine finds the line by its text, so that the program may be edited.
func incidentLine(t *testing.T) int {
	t.Helper()
	before, _, ok := strings.Cut(
		string(read(t, "../../examples/incident/before.go")), "w.rec <- r")
	require.True(t, ok)
	return strings.Count(before, "\n") + 1
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return text
}
