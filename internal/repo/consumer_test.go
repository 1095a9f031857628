package repo_test

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// consumerMain uses something of every file of the root package.
const consumerMain = `package main

import (
	"context"
	"fmt"
	"time"

	"CHANX"
)

func main() {
	ch := make(chan int, 1)
	fmt.Println(chanx.TrySend(ch, 1), chanx.TrySend(ch, 2))
	fmt.Println(chanx.RecvTimeout(ch, time.Second))
	fmt.Println(chanx.SendTimeout(ch, 3, time.Second))
	fmt.Println(chanx.TryRecv(ch))

	ring := chanx.NewRing[int](2)
	for i := range 3 {
		ring.Send(i)
	}
	fmt.Println(ring.TryRecv())

	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	worker := func(context.Context) error { return chanx.ErrStop }
	fmt.Println(s.Add("worker", worker, chanx.RestartPolicy{}))
	fmt.Println(s.Run(context.Background()), s.Status()[0].State)
}
`

const consumerOutput = `true false
1 <nil>
<nil>
3 <nil>
1 <nil>
<nil>
<nil> stopped
`

// newConsumer returns a module that requires chanx from this directory, with
// the requirements and sums that the go command would write into it.
func newConsumer(t *testing.T) (scratchModule, rootMod) {
	t.Helper()
	m := newScratchModule(t)
	root := readRootMod(t)
	here, err := os.Getwd()
	require.NoError(t, err)
	m.write("go.mod", fmt.Sprintf(`module consumer

go %s

require %s v0.0.0

require %s %s // indirect

replace %[2]s => %[5]s
`, root.Go, root.Module.Path, syncModule, root.version(t, syncModule),
		strconv.Quote(filepath.ToSlash(here))))
	sum, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	m.write("go.sum", string(sum))
	return m, root
}

// A listedPackage is what go list tells of a package.
type listedPackage struct {
	ImportPath string
	Standard   bool
	Module     *struct{ Path string }
}

// listDeps returns a package and all that it imports, directly or not.
func listDeps(m scratchModule, pkg string) (deps []listedPackage) {
	m.t.Helper()
	out := json.NewDecoder(strings.NewReader(m.run("list", "-deps",
		"-json=ImportPath,Standard,Module", pkg)))
	for {
		var p listedPackage
		err := out.Decode(&p)
		if err == io.EOF {
			return deps
		}
		require.NoError(m.t, err)
		deps = append(deps, p)
	}
}

// TestConsumerDependencies holds the promise that who imports chanx gets the
// standard library and x/sync with it, and neither HTTP nor a test framework.
// Package log comes with log/slog, which LogValue needs.
func TestConsumerDependencies(t *testing.T) {
	m, root := newConsumer(t)
	m.write("main.go", strings.ReplaceAll(consumerMain, "CHANX",
		root.Module.Path))
	modules := map[string]bool{}
	seen := map[string]bool{}
	for _, p := range listDeps(m, root.Module.Path) {
		seen[p.ImportPath] = true
		if !p.Standard {
			modules[p.Module.Path] = true
		}
	}
	assert.Equal(t, map[string]bool{root.Module.Path: true, syncModule: true},
		modules)
	for _, heavy := range []string{"net", "net/http", "testing", "flag"} {
		assert.False(t, seen[heavy], "imports %s", heavy)
	}
	assert.True(t, seen["context"], "go list saw nothing")

	health := listDeps(m, root.Module.Path+"/chanxhttp")
	for _, p := range health {
		seen[p.ImportPath] = true
		assert.True(t, p.Standard || modules[p.Module.Path], p.ImportPath)
	}
	assert.True(t, seen["net/http"], "go list saw nothing")
}

// TestConsumerRuns builds and runs that program, and asks the binary itself
// which modules it is made of.
func TestConsumerRuns(t *testing.T) {
	m, root := newConsumer(t)
	bin := buildConsumer(m, root)
	info, err := buildinfo.ReadFile(bin)
	require.NoError(t, err)
	var modules []string
	for _, dep := range info.Deps {
		modules = append(modules, dep.Path)
	}
	assert.ElementsMatch(t, []string{root.Module.Path, syncModule}, modules)

	out, err := exec.Command(bin).CombinedOutput()
	require.NoError(t, err)
	assert.Equal(t, consumerOutput, string(out))
}

func buildConsumer(m scratchModule, root rootMod) (bin string) {
	m.t.Helper()
	m.write("main.go", strings.ReplaceAll(consumerMain, "CHANX",
		root.Module.Path))
	bin = filepath.Join(m.dir, "consumer")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	m.run("build", "-o", bin, ".")
	return bin
}

// TestConsumerInlines looks for the functions that are meant to be inlined: a
// binary in which all their calls are inlined has none. They are near the limit
// of the inliner, which may change with the version of Go.
func TestConsumerInlines(t *testing.T) {
	if !strings.HasPrefix(runtime.Version(), "go1.26") {
		t.Skip("the inliner of another Go")
	}
	m, root := newConsumer(t)
	symbols := m.run("tool", "nm", buildConsumer(m, root))
	pkg := root.Module.Path + "."
	for _, name := range []string{
		"TrySend", "TryRecv", "SendTimeout", "RecvTimeout",
	} {
		assert.NotContains(t, symbols, pkg+name+"[")
	}
	assert.Contains(t, symbols, pkg+"recvWait[", "nm saw nothing")
}
