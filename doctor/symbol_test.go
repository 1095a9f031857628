package doctor

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBuilds(t *testing.T) {
	for function, want := range map[string]bool{
		"p.NewWriter":           true,
		"p.NewWriter.func1":     true,
		"p.newFileWriter":       true,
		"p.New":                 true,
		"p.New.func1":           true,
		"p.Open":                true,
		"p.startWriter":         true,
		"p.(*Writer).Start":     true,
		"p.(*Reader).Start":     false, // of another type
		"p.NewReader":           false,
		"p.run":                 false, // the program's own, of no type
		"p.start":               false,
		"p.init":                false,
		"p.write":               false,
		"other.NewWriter":       false,
		"p.(*Writer).run.func2": true,
	} {
		assert.Equal(t, want, builds(function, "p", "Writer"), function)
	}
	assert.False(t, builds("p.New", "p", ""), "a function has no constructor")
}

func TestSymbolParts(t *testing.T) {
	for _, test := range []struct {
		symbol, pkg, short, in, typ, declared string
		closure                               int
	}{
		{"example.com/log4go.NewW.func1", "example.com/log4go",
			"log4go.NewW.func1", "NewW.func1", "", "example.com/log4go.NewW", 1},
		{"example.com/log4go.(*W).LogWrite", "example.com/log4go",
			"log4go.(*W).LogWrite", "(*W).LogWrite", "W",
			"example.com/log4go.(*W).LogWrite", 0},
		{"example.com/a.W.Put.func12", "example.com/a", "a.W.Put.func12",
			"W.Put.func12", "W", "example.com/a.W.Put", 12},
		{"main.run[go.shape.int].func2.1", "main",
			"main.run[go.shape.int].func2.1", "run[go.shape.int].func2.1", "",
			"main.run[go.shape.int]", 0},
		{"a.com/b.Map[a.com/c/d.T].Get", "a.com/b", "b.Map[a.com/c/d.T].Get",
			"Map[a.com/c/d.T].Get", "", "a.com/b.Map[a.com/c/d.T].Get", 0},
		{"a.com/b.(*Map[a.com/c/d.T]).Get", "a.com/b",
			"b.(*Map[a.com/c/d.T]).Get", "(*Map[a.com/c/d.T]).Get", "Map",
			"a.com/b.(*Map[a.com/c/d.T]).Get", 0},
		{"gopkg.in/yaml%2ev3.Decode", "gopkg.in/yaml%2ev3", "yaml.v3.Decode",
			"Decode", "", "gopkg.in/yaml%2ev3.Decode", 0},
		{"main.main.gowrap1", "main", "main.main.gowrap1", "main.gowrap1", "",
			"main.main", 0},
		{"main.f.func99999999", "main", "main.f.func99999999",
			"f.func99999999", "", "main.f", 0},
		{"main.f.func90", "main", "main.f.func90", "f.func90", "", "main.f", 90},
		{"main.f.func9x", "main", "main.f.func9x", "f.func9x", "", "main.f", 0},
		{"main.f.func10485760", "main", "main.f.func10485760", "f.func10485760",
			"", "main.f", 10485760},
		{"main.f.func10485770", "main", "main.f.func10485770", "f.func10485770",
			"", "main.f", 0},
		{"main.init.0", "main", "main.init.0", "init.0", "", "main.init", 0},
		{"cgocall", "cgocall", "cgocall", "", "", "cgocall", 0},
		{"", "", "", "", "", "", 0},
	} {
		assert.Equal(t, test.pkg, packageOf(test.symbol), test.symbol)
		assert.Equal(t, test.short, short(test.symbol), test.symbol)
		assert.Equal(t, test.in, inPackage(test.symbol), test.symbol)
		assert.Equal(t, test.typ, typeOf(test.symbol), test.symbol)
		assert.Equal(t, test.declared, declared(test.symbol), test.symbol)
		assert.Equal(t, test.closure, closure(test.symbol), test.symbol)
	}
}

func TestIsClosure(t *testing.T) {
	for name, want := range map[string]bool{
		"func1": true, "func2.1": true, "gowrap1": true, "deferwrap2": true,
		"init.0": true, "1": true, "0": true, "9.1": true, ":": false, "/": false,
		"func0": true, "func9": true, "func/": false, "func:": false, "func": false, "function": false,
		"gowrap": false, "Write": false, "": false,
	} {
		assert.Equal(t, want, isClosure(name), name)
	}
}

// A path without a dot may be the user's; only known first elements are not.
func TestIsStd(t *testing.T) {
	for symbol, want := range map[string]bool{
		"": true, "net/http.(*conn).serve": true, "runtime.gopark": true,
		"vendor/golang.org/x/net/http2.f": true, "log4go.(*W).Write": false,
		"main.main": false, "example.com/net/http.f": false,
		"golang.org/x/sync/errgroup.(*Group).Go.func1": true, "panic": true,
		"golang.org/x/synctax.f": false, "example.com/lib._Cfunc_write": true,
	} {
		assert.Equal(t, want, isStd(symbol), symbol)
	}
}

func TestBase(t *testing.T) {
	assert.Equal(t, "a.go", base("/src/x/a.go"))
	assert.Equal(t, "a.go", base(`C:\src\x\a.go`))
	assert.Equal(t, "a.go", base("a.go"))
}

func TestSymbolOfAnInternalPackage(t *testing.T) {
	assert.True(t, isStd("internal/poll.(*FD).Read"))
	assert.False(t, isStd("internal/session.(*Service).Start"))
}

func TestSymbolOfALocker(t *testing.T) {
	for _, symbol := range []string{"app.(*MutexWrap).Lock", "app.(*mu).lock",
		"app.(*RWLock).RLock", "example.com/app.(*TMutex).Lock"} {
		assert.True(t, isLocker(symbol), symbol)
	}
	for _, symbol := range []string{"app.(*Map).Lock", "app.Lock", "app.(*mu).unlock",
		"app.(*Mutex).Block", "app.(*Clock).Tick", "ock"} {
		assert.False(t, isLocker(symbol), symbol)
	}
}
