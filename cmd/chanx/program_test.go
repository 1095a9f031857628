package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx/doctor"
)

// program is testdata/stuck, compiled, while TestProgram runs.
var program string

func compile(t *testing.T) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "stuck.exe")
	out, err := exec.Command("go", "build", "-trimpath", "-o", program,
		"./testdata/stuck").CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// start runs a program that prints its address when it is ready and ends
// with its standard input. It returns the URL of its server.
func start(t *testing.T, file string, args ...string) string {
	t.Helper()
	cmd := exec.Command(file, args...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		stdin.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	address, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	return "http://" + strings.TrimSpace(address)
}

// stuck runs testdata/stuck with so many requests blocked.
func stuck(t *testing.T, requests string) string {
	t.Helper()
	return start(t, program, requests)
}

// save stores what is at url, as curl -o does.
func save(t *testing.T, url, name string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return write(t, name, string(body))
}

// report is what -json prints, by the published names.
type report struct {
	Targets    []string          `json:"targets"`
	Time       time.Time         `json:"time"`
	Instances  []doctor.Instance `json:"instances"`
	Goroutines int               `json:"goroutines"`
	Unreadable int               `json:"unreadable"`
	Findings   []struct {
		Severity    string         `json:"severity"`
		Operation   string         `json:"operation"`
		Function    string         `json:"function"`
		File        string         `json:"file"`
		Line        int            `json:"line"`
		Count       int            `json:"count"`
		RequestPath bool           `json:"request_path"`
		Receiver    string         `json:"receiver"`
		Confidence  string         `json:"confidence"`
		Sentence    string         `json:"sentence"`
		Evidence    []string       `json:"evidence"`
		Instances   map[string]int `json:"instances"`
	} `json:"findings"`
}

// parse reads the output of -json and refuses anything after the object. Fields
// that the contract does not name may come with any release.
func parse(t *testing.T, out string) report {
	t.Helper()
	var r report
	d := json.NewDecoder(strings.NewReader(out))
	require.NoError(t, d.Decode(&r), out)
	_, err := d.Token()
	require.ErrorIs(t, err, io.EOF)
	return r
}

// requireIncident checks the verdict about testdata/stuck with 12 requests.
func requireIncident(t *testing.T, got outcome) {
	t.Helper()
	require.Equal(t, exitFindings, got.code, got.stderr)
	r := parse(t, got.stdout)
	require.NotEmpty(t, r.Findings)
	f := r.Findings[0]
	require.Equal(t, "critical", f.Severity)
	require.EqualValues(t, "chan send", f.Operation)
	require.Equal(t, "main.(*writer).Write", f.Function)
	require.Equal(t, "log.go", filepath.Base(f.File))
	require.Equal(t, sendLine(t), f.Line)
	require.Equal(t, 12, f.Count)
	require.True(t, f.RequestPath)
	require.EqualValues(t, "missing", f.Receiver)
	require.EqualValues(t, "high", f.Confidence)
	require.Contains(t, f.Sentence, "main.newWriter.func1")
	require.Greater(t, r.Goroutines, 12)
	require.Zero(t, r.Unreadable)
}

// sendLine finds the line by its text, so that the program may be edited.
func sendLine(t *testing.T) int {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	src, err := os.ReadFile(filepath.Join(filepath.Dir(here),
		"testdata/stuck/log.go"))
	require.NoError(t, err)
	before, _, ok := strings.Cut(string(src), "w.rec <- record")
	require.True(t, ok)
	return strings.Count(before, "\n") + 1
}
