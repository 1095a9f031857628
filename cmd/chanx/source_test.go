package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/chanx/doctor"
)

// queue is a package in which put waits for get, and get is called by loop.
const queue = `package %s

type queue struct{ ch chan int }

func (q *queue) put()     { q.ch <- 1 } // line 5
func (q *queue) get() int { return <-q.ch }

func (q *queue) loop() {
	for {
		q.get()
		work() // line 11
	}
}

func work() {}

// Run is what uses it.
func Run() {
	q := &queue{make(chan int)}
	go q.loop()
	q.put()
}
`

// sources writes a module with these files besides its go.mod.
func sources(t *testing.T, mod string, files map[string]string) string {
	t.Helper()
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", "-mod=mod")
	dir := t.TempDir()
	if mod != "" {
		files["go.mod"] = "module example.com/app\n\ngo 1.25\n" + mod
	}
	for name, text := range files {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return dir
}

// blockedAt is a dump of twelve requests that send at a line of a package,
// and of what else there is.
func blockedAt(t *testing.T, pkg, file string, line int, others string) string {
	t.Helper()
	var b strings.Builder
	for i := range 12 {
		fmt.Fprintf(&b, "goroutine %d [chan send]:\n%s.(*queue).put(0xc0)\n\t%s:%d "+
			"+0x1\n"+
			"net/http.HandlerFunc.ServeHTTP(0x1)\n\t/go/server.go:2286 +0x1\n\n",
			i+10, pkg, file, line)
	}
	return write(t, "dump.txt", b.String()+others)
}

const busyLoop = "goroutine 5 " +
	"[syscall]:\nsyscall.Syscall(0x1)\n\t/go/asm.s:1 +0x1\n" +
	"main.work(0x1)\n\t/build/main.go:15 +0x1\n" +
	"main.(*queue).loop(0xc0)\n\t/build/main.go:11 +0x1\n"

// TestSource: the source names the receiver, and the loop that calls it.
func TestSource(t *testing.T) {
	dir := sources(t, "\n", map[string]string{
		"main.go": fmt.Sprintf(queue, "main") + "\nfunc main() { Run() }\n"})
	for name, test := range map[string]struct{ others, receiver, says string }{
		"busy": {busyLoop, "present", "main.(*queue).loop receives there and is busy"},
		"gone": {"", "missing", "main.(*queue).get, which should, is in no stack"},
	} {
		got := diagnose(t, "-json", "-src", dir,
			blockedAt(t, "main", "/build/main.go", 5, test.others))
		require.Empty(t, got.stderr, name)
		f := parse(t, got.stdout).Findings[0]
		require.EqualValues(t, test.receiver, f.Receiver, name)
		require.EqualValues(t, "high", f.Confidence, name)
		require.Contains(t, f.Sentence, test.says, name)
	}
}

// TestSourceOfDependency: what is blocked may be in another module.
func TestSourceOfDependency(t *testing.T) {
	dep := t.TempDir()
	require.NoError(t, os.WriteFile(dep+"/q.go", []byte(fmt.Sprintf(queue, "dep")),
		0o644))
	require.NoError(t, os.WriteFile(dep+"/go.mod",
		[]byte("module example.com/dep\n\ngo 1.25\n"), 0o644))
	dir := sources(t, "\nrequire example.com/dep v0.0.0\n\nreplace "+
		"example.com/dep => "+
		filepath.ToSlash(dep)+"\n", map[string]string{"main.go": "package main\n\n" +
		"import \"example.com/dep\"\n\nfunc main() { dep.Run() }\n"})
	got := diagnose(t, "-json", "-src", dir,
		blockedAt(t, "example.com/dep", "/mod/dep@v1/q.go", 5, ""))
	f := parse(t, got.stdout).Findings[0]
	require.EqualValues(t, "high", f.Confidence, got.stderr)
	require.Contains(t, f.Sentence, "dep.(*queue).get, which should, is in no "+
		"stack")
}

// TestSourceIsWrong: it is said what is the matter, and the rest is judged.
func TestSourceIsWrong(t *testing.T) {
	dump := blockedAt(t, "main", "/build/main.go", 4, "")
	dir := sources(t, "\n", map[string]string{
		"main.go":    fmt.Sprintf(queue, "main") + "\nfunc main() { Run() }\n",
		"bad/bad.go": "package bad\n\nvar x int = \"no\"\n"})
	got := diagnose(t, "-json", "-src", dir, dump)
	require.Equal(t, exitFindings, got.code)
	require.Contains(t, got.stderr, "/build/main.go:4: is it the source of what "+
		"ran?")
	require.Contains(t, got.stderr, "left out: example.com/app/bad")
	require.Equal(t, 12, parse(t, got.stdout).Findings[0].Count)

	empty := sources(t, "", map[string]string{"readme": "no Go"})
	got = diagnose(t, "-json", "-src", empty, dump)
	require.Equal(t, exitTrouble, got.code, "what was asked for was not looked at")
	require.Contains(t, got.stderr, "-src "+empty)
	require.Equal(t, 12, parse(t, got.stdout).Findings[0].Count)

	got = diagnose(t, "-src", dump, dump)
	require.Equal(t, exitTrouble, got.code)
	require.Contains(t, got.stderr, "a file: give the directory of its go.mod")

	// Where nothing is blocked on a channel, nothing is loaded.
	idle := write(t, "idle.txt", idleDump)
	require.Equal(t, exitClean, diagnose(t, "-src", empty, idle).code)
}

// TestSourceUntrusted: nothing of a tree is run and no toolchain is fetched
// for it, whatever its files ask for.
func TestSourceUntrusted(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "ran")
	t.Setenv("CGO_ENABLED", "1")
	t.Setenv("GOTOOLCHAIN", "auto")
	t.Setenv("CC", write(t, "cc", "#!/bin/sh\ntouch "+marker+"\nexit 1\n"))
	require.NoError(t, os.Chmod(os.Getenv("CC"), 0o755))
	dir := sources(t, "\n", map[string]string{
		"main.go": fmt.Sprintf(queue, "main") + "\nfunc main() { Run() }\n",
		"c/c.go":  "package c\n\n// int x;\nimport \"C\"\n\nvar X = C.x\n",
		"d/d.go":  "package d\n\nimport \"example.com/app/c\"\n\nvar Y = c.X\n",
	})
	// A monitor of the file system is a program that git runs.
	require.NoError(t, os.MkdirAll(dir+"/.git/objects", 0o755))
	require.NoError(t, os.MkdirAll(dir+"/.git/refs", 0o755))
	require.NoError(t, os.WriteFile(dir+"/.git/HEAD",
		[]byte("ref: refs/heads/main\n"), 0o644))
	require.NoError(t, os.WriteFile(dir+"/.git/config",
		[]byte("[core]\n\tfsmonitor = touch "+marker+"\n"), 0o644))
	got := diagnose(t, "-json", "-src", dir,
		blockedAt(t, "main", "/build/main.go", 5, ""))
	require.Equal(t, "high", string(parse(t, got.stdout).Findings[0].Confidence))
	require.NoFileExists(t, marker)

	newer := sources(t, "toolchain go1.99.0\n", map[string]string{
		"main.go": fmt.Sprintf(queue, "main") + "\nfunc main() { Run() }\n"})
	got = diagnose(t, "-json", "-src", newer,
		blockedAt(t, "main", "/build/main.go", 5, ""))
	require.Equal(t, exitFindings, got.code, "%s", got.stderr)
	require.NotContains(t, got.stderr, "download")
}

// TestSourcePatterns: names in a dump are import paths or nothing. The go
// command would take others for files, for whole trees, for queries.
func TestSourcePatterns(t *testing.T) {
	s := &source{}
	for _, symbol := range []string{
		"example.com/app.F", "example.com/a.b/c.(*T).F", "net/http.F", "main.f",
		"a.b/....F", "a.b/c/....F", "file=a.b/c.F", "a.b/pattern=c.F", "a.b/@v1.F",
		"./a.F", "../../etc/a.F", "-a.b/toolexec=x.F", "a.b/c d.F", "a.b//c.F",
		"a.b/$(x).F", "a.b/\x1bc.F",
	} {
		s.stacks = append(s.stacks, &doctor.Stack{Frames: []doctor.Frame{
			{Func: symbol}}})
	}
	require.Equal(t, []string{"example.com/app", "example.com/a.b/c"},
		s.elsewhere()[:2])
	for _, pkg := range s.elsewhere() {
		require.Regexp(t, `^[a-z]+(\.[a-z]+)+(/[a-z.]+)+$`, pkg)
		require.NotContains(t, pkg, "..")
	}
	for i := range 1000 {
		s.stacks = append(s.stacks, &doctor.Stack{Frames: []doctor.Frame{
			{Func: fmt.Sprintf("example.com/p%d.F", i)}}})
	}
	require.Len(t, s.elsewhere(), maxElsewhere)
}
