package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/chanx/cmd/chanx/vet"
)

// vetModule writes a module with an abandoned send, which has a fix, and a lost
// consumer, which has none.
func vetModule(t *testing.T) string {
	return sources(t, "\n", map[string]string{"lib/lib.go": `package lib

import "io"

func One(stop chan bool) int {
	ch := make(chan int)
	go func() { ch <- 1 }()
	select {
	case v := <-ch:
		return v
	case <-stop:
		return 0
	}
}

type log struct{ lines chan string }

func (l *log) put(line string) { l.lines <- line }

func newLog(w io.Writer) *log {
	l := &log{make(chan string)}
	go func() {
		for line := range l.lines {
			if _, err := io.WriteString(w, line); err != nil {
				return
			}
		}
	}()
	return l
}
`})
}

func TestVet(t *testing.T) {
	dir := vetModule(t)
	got := chanx(t, "", "vet", "-C", dir)
	require.Equal(t, exitFindings, got.code, got.stderr)
	require.Contains(t, got.stdout, "lib.go:7:17: likely abandoned send: One returns")
	require.Contains(t, got.stdout, "lib.go:25:5: likely lost consumer: channel "+
		"lines (made at lib.go:21) has no receiver after newLog$1 returns here on an "+
		"error; then (*log).put (lib.go:18) blocks forever")

	got = chanx(t, "", "vet", "-json", "-C", dir, "./...")
	require.Equal(t, exitFindings, got.code, got.stderr)
	var r vet.Report
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &r))
	require.Equal(t, 1, r.Packages)
	require.Len(t, r.Findings, 2)
	require.True(t, r.Findings[0].Fixable)

	got = chanx(t, "", "vet", "-fix", "-C", dir)
	require.Equal(t, exitFindings, got.code, got.stderr)
	require.Contains(t, got.stderr, "fixed 1")
	require.NotContains(t, got.stdout, "abandoned")
	require.Contains(t, got.stdout, "lost consumer")
	text, err := os.ReadFile(dir + "/lib/lib.go")
	require.NoError(t, err)
	require.Contains(t, string(text), "make(chan int, 1)")
}

// TestVetTrouble: what could not be read is said, and counts for more than
// findings.
func TestVetTrouble(t *testing.T) {
	dir := vetModule(t)
	require.NoError(t, os.WriteFile(dir+"/bad.go",
		[]byte("package bad\n\nvar x int = \"no\"\n"), 0o644))
	got := chanx(t, "", "vet", "-C", dir)
	require.Equal(t, exitTrouble, got.code)
	require.Contains(t, got.stderr, "not read: example.com/app: ")
	require.Contains(t, got.stdout, "lost consumer")

	got = chanx(t, "", "vet", "-C", t.TempDir())
	require.Equal(t, exitTrouble, got.code)
	require.Contains(t, got.stderr, "is there a go.mod?")
	got = chanx(t, "", "vet", "-nonsense")
	require.Equal(t, exitTrouble, got.code)
}

func TestVetHelp(t *testing.T) {
	got := chanx(t, "", "help", "vet")
	require.Equal(t, exitClean, got.code)
	require.Contains(t, got.stdout, "usage: chanx vet")
	require.Contains(t, got.stdout, "-more")
}

// TestVetQuiet: no findings is status 0, and findings of code that is ignored
// with a reason are none.
func TestVetQuiet(t *testing.T) {
	dir := sources(t, "\n", map[string]string{"main.go": "package main\n\n" +
		"func main() {}\n"})
	got := chanx(t, "", "vet", "-C", dir)
	require.Equal(t, exitClean, got.code, got.stderr)
	require.Empty(t, got.stdout)
}
