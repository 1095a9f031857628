package chanflow

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// forms has one channel per way that Go has to hand one on. The mark at the
// end of a line names the case.
const forms = `package main

import "example.com/flow/lib"

type wrap struct{ inner struct{ ch chan int } }
type bus[T any] struct{ ch chan T }
type sink interface{ take() chan int }
type one struct{ ch chan int }
type alias = one
type value struct{ ch chan int }
type twice struct{ ch chan int }
type named chan int

func (o *one) take() chan int { return o.ch }
func (b *bus[T]) recv() T { return <-b.ch }
func (w wrap) recv() { <-w.inner.ch }

func viaMap(m map[string]chan int)     { <-m["a"] }
func viaMapOK(m map[string]chan int)   { ch, ok := m["a"]; if ok { <-ch } }
func viaRange(m map[string]chan int)   { for _, ch := range m { <-ch } }
func viaSlice(s []chan int)            { <-s[0] }
func viaArray(a [2]chan int)           { <-a[1] }
func viaPart(s []chan int)             { <-s[1:][0] }
func viaPointer(p *chan int)           { <-*p }
func viaSelect(ch chan int, q chan bool) { select { case <-ch: case <-q: } }
func viaOK(ch chan int)                { _, _ = <-ch }
func viaNamed(ch named)                { <-ch }
func viaElement(c chan chan int)       { ch := <-c; <-ch }
func viaElementOK(c chan chan int)     { ch, ok := <-c; if ok { <-ch } }
func viaElementSelect(c chan chan int, q chan bool) {
	select { case ch := <-c: <-ch; case <-q: }
}
func two() (int, chan int)             { return 1, shared }
func viaResults()                      { _, ch := two(); <-ch }
func viaSink(s sink)                   { <-s.take() }
func viaClosure(ch chan int) func()    { return func() { <-ch } }
func viaAppend(s []chan int)           { <-s[0] }
func viaCopy(s []chan int)             { <-s[0] }
func viaPhi(ch chan int)               { <-ch }
func viaSent(c chan chan int)          { <-(<-c) }
func viaSeq(ch chan int)               { for range seq { <-ch } }
func viaBoth(ch chan int)              { func() { seq(nil) }(); for range seq { <-ch } }
func seq(yield func(int) bool)         { yield(1) }
func viaLib(ch chan int)               { lib.Drain(ch) }
func held() value                      { return kept }
func viaValue()                        { <-held().ch }
func both() [2]chan int                { return pair }
func viaArrayValue()                   { <-both()[1] }
func viaTwice(o *twice)                { <-o.ch }

var shared = make(chan int)

func main() {
	w := wrap{}; w.inner.ch = make(chan int); w.recv()
	w.inner.ch <- 1                                        // nested field: main.wrap.recv
	b := &bus[int]{make(chan int)}; b.recv()
	b.ch <- 1                                              // generic: main.(*bus[...]).recv
	m := map[string]chan int{"a": make(chan int)}; viaMap(m)
	m["a"] <- 1                                            // map: main.viaMap
	mo := map[string]chan int{}; mo["a"] = make(chan int); viaMapOK(mo)
	mo["a"] <- 1                                           // map with ok: main.viaMapOK
	mr := map[string]chan int{"a": make(chan int)}; viaRange(mr)
	mr["a"] <- 1                                           // range: main.viaRange
	s := []chan int{make(chan int)}; viaSlice(s)
	s[0] <- 1                                              // slice: main.viaSlice
	a := [2]chan int{1: make(chan int)}; viaArray(a)
	a[1] <- 1                                              // array: main.viaArray
	part := []chan int{nil, make(chan int)}; viaPart(part)
	part[1] <- 1                                           // part: main.viaPart
	p := make(chan int); viaPointer(&p)
	p <- 1                                                 // pointer: main.viaPointer
	sel := make(chan int); viaSelect(sel, nil)
	sel <- 1                                               // select: main.viaSelect
	ok := make(chan int); viaOK(ok)
	ok <- 1                                                // comma ok: main.viaOK
	n := make(chan int); viaNamed(n)
	n <- 1                                                 // conversion: main.viaNamed
	c := make(chan chan int); e := make(chan int); viaElement(c); c <- e
	e <- 1                                                 // element: main.viaElement
	co := make(chan chan int); eo := make(chan int); viaElementOK(co); co <- eo
	eo <- 1                                                // element ok: main.viaElementOK
	cs := make(chan chan int); es := make(chan int); viaElementSelect(cs, nil)
	select { case cs <- es: default: }
	es <- 1                                                // element select: main.viaElementSelect
	viaResults()
	shared <- 1                                            // results: main.viaResults
	o := &alias{make(chan int)}; viaSink(o)
	o.ch <- 1                                              // interface: main.viaSink
	cl := make(chan int); viaClosure(cl)()
	cl <- 1                                                // closure: main.viaClosure.func1
	ap := make(chan int); viaAppend(append([]chan int{}, ap))
	ap <- 1                                                // append: main.viaAppend
	from := []chan int{make(chan int)}; to := make([]chan int, 1); copy(to, from); viaCopy(to)
	from[0] <- 1                                           // copy: main.viaCopy
	x, y := make(chan int), make(chan int); ph := x; if len(m) > 1 { ph = y }; viaPhi(ph)
	y <- 1                                                 // phi: main.viaPhi
	cc := make(chan chan int); r := make(chan int); cc <- r; viaSent(cc)
	r <- 1                                                 // request: main.viaSent
	sq := make(chan int); viaSeq(sq)
	sq <- 1                                                // loop body: main.viaSeq-range1
	bo := make(chan int); viaBoth(bo)
	bo <- 1                                                // body after closure: main.viaBoth-range1
	li := make(chan int); viaLib(li)
	li <- 1                                                // other package: example.com/flow/lib.Drain
	kept.ch = make(chan int); viaValue()
	kept.ch <- 1                                           // struct result: main.viaValue
	pair[1] = make(chan int); viaArrayValue()
	pair[1] <- 1                                           // array result: main.viaArrayValue
	tw := make(chan int); ot := &twice{tw}; ot.ch = tw; viaTwice(ot)
	tw <- 1                                                // stored twice: main.viaTwice
	gone := make(chan int); viaSelect(make(chan int), nil)
	gone <- 1                                              // nobody:
	def := make(chan int); select { case <-def: default: }
	def <- 1                                               // only a try: main.main
	func() { f := func() { <-shared2 }; f() }()
	shared2 <- 1                                           // nested closure: main.main.func1.1
}

var shared2 = make(chan int)
var kept value
var pair [2]chan int
`

const lib = `package lib

func Drain(ch <-chan int) { for range ch { } }

// Put has no caller that is seen.
func Put(ch chan<- int) { ch <- 1 }
func Make() chan int { ch := make(chan int); ch <- 1; return ch }
`

// module writes a module of these files and returns its directory.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	t.Setenv("GOWORK", "off")
	dir := t.TempDir()
	files["go.mod"] = "module example.com/flow\n\ngo 1.25\n"
	for name, text := range files {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return dir
}

func TestForms(t *testing.T) {
	p, err := Load(module(t, map[string]string{"main.go": forms,
		"lib/lib.go": lib}), nil)
	require.NoError(t, err)
	require.Empty(t, p.Ill)
	cases := 0
	for i, line := range strings.Split(forms, "\n") {
		_, mark, marked := strings.Cut(line, " // ")
		name, want, ok := strings.Cut(mark, ":")
		if !marked || !ok {
			continue
		}
		cases++
		got, known := p.Others(Site{Package: "main", File: "/build/main.go",
			Line: i + 1, Send: true})
		require.True(t, known, name)
		var symbols []string
		for _, f := range got {
			symbols = append(symbols, f.Symbol)
		}
		require.Equal(t, strings.TrimSpace(want), strings.Join(symbols, " "), name)
	}
	require.Equal(t, 31, cases)
}

// TestEscapes: where a channel comes from or goes to callers that are not
// seen, the absence of a receiver is not known.
func TestEscapes(t *testing.T) {
	p, err := Load(module(t, map[string]string{"main.go": forms,
		"lib/lib.go": lib}), nil)
	require.NoError(t, err)
	for line, text := range strings.Split(lib, "\n") {
		if strings.Contains(text, "ch <- 1") {
			_, known := p.Others(Site{Package: "example.com/flow/lib", File: "lib.go",
				Line: line + 1, Send: true})
			require.False(t, known, text)
		}
	}
}

// TestSenders is the other direction: who sends, or closes, where a goroutine
// receives.
func TestSenders(t *testing.T) {
	const text = `package main

var ch, end = make(chan int), make(chan int)

func put()  { ch <- 1 }
func stop() { close(end) }
func main() {
	put()
	stop()
	<-ch  // ch
	<-end // end
}
`
	p, err := Load(module(t, map[string]string{"main.go": text}), nil)
	require.NoError(t, err)
	for mark, want := range map[string]string{"ch": "main.put",
		"end": "main.stop"} {
		before, _, _ := strings.Cut(text, "// "+mark)
		got, known := p.Others(Site{Package: "main", File: "main.go",
			Line: strings.Count(before, "\n") + 1})
		require.True(t, known)
		require.Len(t, got, 1)
		require.Equal(t, want, got[0].Symbol)
	}
}

// TestInside: a line of a closure is not the function's around it.
func TestInside(t *testing.T) {
	const text = `package main

func main() {
	ch := make(chan int)
	go func() {
		<-ch
	}()
	ch <- 1
	<-ch
}
`
	p, err := Load(module(t, map[string]string{"main.go": text}), nil)
	require.NoError(t, err)
	got, known := p.Others(Site{Package: "main", File: "main.go", Line: 8,
		Send: true})
	require.True(t, known)
	require.Len(t, got, 2)
	outer, inner := got[0], got[1]
	require.Equal(t, "main.main", outer.Symbol)
	require.Equal(t, "main.main.func1", inner.Symbol)
	for _, test := range []struct {
		pkg, file    string
		line         int
		outer, inner bool
	}{
		{"main", "/build/main.go", 8, true, false},
		{"main", "/build/main.go", 6, false, true},
		{"main", `C:\build\main.go`, 6, false, true},
		{"main", "/build/main.go", 11, false, false},
		{"main", "/build/main.go", 2, false, false},
		{"main", "/build/other.go", 8, false, false},
		{"other", "/build/main.go", 8, false, false},
	} {
		require.Equal(t, test.outer, p.Inside(outer, test.pkg, test.file, test.line),
			test)
		require.Equal(t, test.inner, p.Inside(inner, test.pkg, test.file, test.line),
			test)
	}
}

// TestIll: a package that does not compile is left out and named; the others
// are analysed.
func TestIll(t *testing.T) {
	dir := module(t, map[string]string{"main.go": forms, "lib/lib.go": lib,
		"bad/bad.go": "package bad\n\nvar x int = \"no\"\n"})
	p, err := Load(dir, []string{"example.com/none/of/it"})
	require.NoError(t, err)
	ill := strings.Join(p.Ill, "\n")
	require.Contains(t, ill, "example.com/flow/bad: ")
	require.Contains(t, ill, "example.com/none/of/it: ")
	_, err = Load(module(t, map[string]string{"bad.go": "package bad\n\nvar x " +
		"int = \"no\"\n"}), nil)
	require.ErrorContains(t, err, "no Go package that compiles")
	_, err = Load("/no/such/directory", nil)
	require.Error(t, err)
}

// TestSameName: of two commands with a main.go, the one whose path is more
// alike is meant.
func TestSameName(t *testing.T) {
	const a = "package main\n\nvar ch = make(chan int)\n\nfunc main() { get(); " +
		"ch <- 1 }\nfunc get() { <-ch }\n"
	b := strings.ReplaceAll(a, "get", "fetch")
	p, err := Load(module(t, map[string]string{"cmd/a/main.go": a,
		"cmd/b/main.go": b}), nil)
	require.NoError(t, err)
	for file, want := range map[string]string{
		"/build/cmd/a/main.go": "main.get", "/build/cmd/b/main.go": "main.fetch",
	} {
		got, known := p.Others(Site{Package: "main", File: file, Line: 5, Send: true})
		require.True(t, known)
		require.Len(t, got, 1, file)
		require.Equal(t, want, got[0].Symbol)
	}
}

func TestCommon(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"/x/cmd/a/main.go", "/build/cmd/a/main.go", 3},
		{"/x/a/main.go", "/x/a/main.go", 3},
		{"main.go", "/build/main.go", 1},
		{"/x/main.go", `C:\y\main.go`, 1},
		{"/x/main.go", "/x/other.go", 0},
		{"", "/x", 0},
	} {
		require.Equal(t, test.want, common(test.a, test.b), "%s %s", test.a, test.b)
	}
}
