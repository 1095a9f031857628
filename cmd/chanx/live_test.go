package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestProgram runs the tests that need testdata/stuck, which is compiled once.
func TestProgram(t *testing.T) {
	compile(t)
	t.Run("IncidentLive", testIncidentLive)
	t.Run("IncidentSaved", testIncidentSaved)
	t.Run("HealthyLive", testHealthyLive)
	t.Run("NotTheBinary", testNotTheBinary)
	t.Run("MovedBinary", testMovedBinary)
	t.Run("Ignore", testIgnore)
	t.Run("Text", testText)
}

// testIncidentLive asks a real process that has the incident's defect in
// every way there is.
func testIncidentLive(t *testing.T) {
	url := stuck(t, "12")
	for name, args := range map[string][]string{
		"auto":             {url},
		"slash":            {url + "/"},
		"index":            {url + "/debug/pprof/"},
		"profile":          {url + "/debug/pprof/goroutine"},
		"form 0":           {"-form", "0", url},
		"form 1":           {"-form", "1", url},
		"form 2":           {"-form", "2", url},
		"debug=0":          {url + "/debug/pprof/goroutine?debug=0"},
		"debug=1":          {url + "/debug/pprof/goroutine?debug=1"},
		"debug=2":          {url + "/debug/pprof/goroutine?debug=2"},
		"never stopped":    {"-max-stop", "0", url},
		"source":           {"-src", "testdata/stuck", url},
		"flags at the end": {url, "-min-severity", "critical"},
		"several looks":    {"-for", "5ms", url},
		"series": {"-as", "series", url + "/debug/pprof/goroutine?debug=2",
			url},
	} {
		t.Run(name, func(t *testing.T) {
			requireIncident(t, diagnose(t, append([]string{"-json"}, args...)...))
		})
	}
}

// testIncidentSaved reads the same from files.
func testIncidentSaved(t *testing.T) {
	url := stuck(t, "12") + "/debug/pprof/goroutine?debug="
	zero, one, two := save(t, url+"0", "0.pb.gz"), save(t, url+"1", "1.txt"),
		save(t, url+"2", "goroutines.txt")
	exe := program
	for name, args := range map[string][]string{
		"debug=0":              {zero},
		"debug=0, unpacked":    {gunzip(t, zero)},
		"debug=0, twice":       {compress(t, zero)},
		"debug=1, binary":      {"-binary", exe, one},
		"debug=1, gz, binary":  {"-binary", exe, compress(t, one)},
		"debug=2":              {two},
		"debug=2, gz":          {compress(t, two)},
		"text, then protobuf":  {two, zero},
		"protobuf, then text":  {zero, two},
		"all three, binary":    {"-binary", exe, zero, two, one},
		"source":               {"-src", "testdata/stuck", zero},
		"one healthy, a fleet": {"-as", "fleet", write(t, "idle.txt", idleDump), two},
	} {
		t.Run(name, func(t *testing.T) {
			requireIncident(t, diagnose(t, append([]string{"-json"}, args...)...))
		})
	}
	t.Run("standard input", func(t *testing.T) {
		for _, file := range []string{zero, two} {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			requireIncident(t, chanx(t, string(data), "doctor", "-json", "-"))
		}
	})
	t.Run("debug=1, no binary", func(t *testing.T) {
		got := diagnose(t, "-json", one)
		require.EqualValues(t, "chan send", parse(t, got.stdout).Findings[0].Operation)
		require.Contains(t, got.stderr, "-binary FILE")
	})
}

func gunzip(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	var b bytes.Buffer
	_, err = b.ReadFrom(z)
	require.NoError(t, err)
	return write(t, "unpacked", b.String())
}

func compress(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	return write(t, "compressed", gzipped(t, string(data)))
}

func gzipped(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.String()
}

// testHealthyLive: nothing is stuck in the same program without the defect. A
// look may find a goroutine just before it gets a lock, the next one does not.
func testHealthyLive(t *testing.T) {
	url := stuck(t, "0")
	for _, form := range []string{"auto", "0", "1", "2"} {
		got := diagnose(t, "-form", form, "-min-severity", "info", url)
		for looks := 1; got.code == exitFindings && looks < 20; looks++ {
			got = diagnose(t, "-form", form, "-min-severity", "info", url)
		}
		require.Equal(t, exitClean, got.code, "form %s:\n%s%s", form, got.stdout,
			got.stderr)
		require.Contains(t, got.stdout, "nothing stuck")
	}
}

// testNotTheBinary: names from another program would be worse than none.
func testNotTheBinary(t *testing.T) {
	one := save(t, stuck(t, "12")+"/debug/pprof/goroutine?debug=1", "1.txt")
	self, err := os.Executable()
	require.NoError(t, err)
	got := diagnose(t, "-binary", self, one)
	require.Equal(t, exitTrouble, got.code)
	require.Contains(t, got.stderr, "not the program of this dump")
}

// testMovedBinary: where the program is loaded at random addresses, as on
// most systems but Linux, the addresses still find their names.
func testMovedBinary(t *testing.T) {
	one := save(t, stuck(t, "12")+"/debug/pprof/goroutine?debug=1", "1.txt")
	moved := write(t, "moved.txt", shifted(t, one, 0x7f3a_0000_0000))
	requireIncident(t, diagnose(t, "-json", "-binary", program, moved))
}

// shifted is the profile in a file with all addresses moved.
func shifted(t *testing.T, file string, by uint64) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return shift(string(data), by)
}

// testIgnore: an ignored function is no finding, wherever it is on the stack.
func testIgnore(t *testing.T) {
	two := save(t, stuck(t, "12")+"/debug/pprof/goroutine?debug=2", "2.txt")
	for _, pattern := range []string{
		"main.(*writer).Write", "(*writer).Write", "main.*", "main.main.func1",
	} {
		got := diagnose(t, "-json", "-ignore", pattern, two)
		for _, f := range parse(t, got.stdout).Findings {
			require.NotEqual(t, "main.(*writer).Write", f.Function, pattern)
		}
	}
	requireIncident(t, diagnose(t, "-json", "-ignore", "writer", two))
}

// testText compares the report of the live program, but for what differs
// from run to run and from one Go to the next.
func testText(t *testing.T) {
	url := stuck(t, "12")
	got := diagnose(t, "-form", "0", url)
	text := strings.ReplaceAll(got.stdout, url, "http://HOST:PORT")
	first, _, ok := strings.Cut(text, "            runtime.gopark")
	require.True(t, ok, text)
	golden(t, "stuck.golden", goroutines.ReplaceAllStringFunc(first,
		func(s string) string {
			if strings.Contains(s, " of ") {
				return "N of N goroutines"
			}
			return "N goroutines in"
		}))
}
