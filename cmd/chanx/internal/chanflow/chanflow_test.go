package chanflow

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

const source = `package main

type box struct{ ch, other chan int }

func (b *box) put(v int) { b.ch <- v }      // field
func (b *box) lone(v int) { b.other <- v }  // lone
func (b *box) next() int { return <-b.ch }
func (b *box) loop() { for { _ = b.next() } }

var global = make(chan int)

func emit() { global <- 1 }                 // global
func drain(ch <-chan int) { for range ch { } }
func hidden(c any) {}

func main() {
	b := &box{make(chan int), make(chan int)}
	go b.loop()
	b.put(1)
	b.lone(1)
	go drain(global)
	emit()
	local := make(chan int)
	go func() { <-local }()
	local <- 1                              // local
	lost := make(chan int)
	hidden(lost)
	lost <- 1                               // lost
}
`

func TestOthers(t *testing.T) {
	t.Setenv("GOWORK", "off")
	dir := t.TempDir()
	file := filepath.Join(dir, "main.go")
	require.NoError(t, os.WriteFile(file, []byte(source), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"),
		[]byte("module example.com/flow\n\ngo 1.25\n"), 0o644))
	p, err := Load(dir, nil)
	require.NoError(t, err)
	for mark, want := range map[string][]string{
		"field":  {"main.(*box).next"},
		"lone":   {},
		"global": {"main.drain"},
		"local":  {"main.main.func1"},
	} {
		got, ok := p.Others(at(mark))
		require.True(t, ok, mark)
		names := []string{}
		for _, f := range got {
			names = append(names, f.Symbol)
		}
		require.Equal(t, want, names, mark)
	}
	_, ok := p.Others(at("lost"))
	require.False(t, ok, "a channel in an interface may be received from anywhere")
	_, ok = p.Others(Site{Package: "main", File: "main.go", Line: 1, Send: true})
	require.False(t, ok)

	next, _ := p.Others(at("field"))
	callers := p.Callers(next[0])
	require.Len(t, callers, 1, "who starts a goroutine does not call it")
	require.Equal(t, "main.(*box).loop", callers[0].Symbol)
}

// at is the line that ends in a mark, on the machine that built the program.
func at(mark string) Site {
	before, _, _ := strings.Cut(source, "// "+mark)
	return Site{Package: "main", File: "/build/main.go", Send: true,
		Line: strings.Count(before, "\n") + 1}
}

func TestLoadNothing(t *testing.T) {
	_, err := Load(t.TempDir(), nil)
	require.Error(t, err)
}
