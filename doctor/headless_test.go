package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHeadlessStack(t *testing.T) {
	snaps, err := Parse(strings.NewReader("It hangs here:\n\n"+
		"sync.(*Mutex).Lock(0xc0000d8700)\n\t/usr/local/go/src/sync/mutex.go:81 +0x1\n"+
		"example.com/app.(*Cache).Get(0xc0000d8700, 0x1)\n"+
		"\t/src/app/cache.go:30 +0x10\n\nand it stays there\n"), "t")
	require.NoError(t, err)
	require.Len(t, snaps, 1)
	r := Diagnose(Rules{}, snaps...)
	require.Len(t, r.Findings, 1)
	assert.Equal(t, Mutex, r.Findings[0].Operation)
	assert.Equal(t, 30, r.Findings[0].Line)
	assert.Equal(t, 1, r.Unreadable, "that the header is missing is said")
	assert.True(t, r.Extract)
}

func TestHeadlessRecord(t *testing.T) {
	snaps, err := Parse(strings.NewReader(
		"sync.runtime_Semacquire+0x24\t\t/usr/local/go/src/runtime/sema.go:62\n"+
			"sync.(*WaitGroup).Wait+0x51\t/usr/local/go/src/sync/waitgroup.go:139\n"+
			"example.com/agent.(*Runner[...]).Stop+0x8a\t/src/runner.go:129\n"), "t")
	require.NoError(t, err)
	r := Diagnose(Rules{}, snaps...)
	assert.Equal(t, "cannot tell for 1 of 1 goroutine", r.Root)
	assert.Equal(t, WaitGroup, r.Groups[0].Operation)
}

// What says nothing of its operation is not called running.
func TestHeadlessWithoutRuntime(t *testing.T) {
	snaps, err := Parse(strings.NewReader("main.f(0x1)\n\t/src/a.go:7 +0x1\n"+
		"main.main()\n\t/src/a.go:9 +0x1\n"), "t")
	require.NoError(t, err)
	assert.Equal(t, 0, Diagnose(Rules{}, snaps...).Judged)
}

// A page of a program prints a function and its file; so does the stack of an
// error in a log, which is no goroutine.
func TestHeadlessWithoutParentheses(t *testing.T) {
	const rest = "app.(*Q).Put\n\t/src/app.go:9\napp.run\n\t/src/app.go:19\n"
	p := parseOne(t, "    <> app\n      runtime.gopark\n      /go/src/proc.go:402\n"+
		"      runtime.chansend1\n      /go/src/chan.go:9\n"+rest)
	assert.Equal(t, ChanSend, operationOf(p.Stacks[0]))
	_, err := Parse(strings.NewReader("ERROR it failed\n"+rest), "t")
	assert.ErrorIs(t, err, ErrNoDump)
}

func TestHeadlessIsNoNewsBesideADump(t *testing.T) {
	snaps, err := Parse(strings.NewReader("main.f(0x1)\n\t/src/a.go:7 +0x1\n"+
		"main.main()\n\t/src/a.go:9 +0x1\n\ngoroutine 2 [chan send]:\n"+
		"main.g(0x1)\n\t/src/a.go:9 +0x1\n"), "t")
	require.NoError(t, err)
	assert.Equal(t, 1, snaps[0].Goroutines)
}

func TestHeadlessIsBounded(t *testing.T) {
	var h headless
	for range 2 * maxHeadless {
		for range 2 * maxHeadlessCalls {
			h.line([]byte("main.f(0x1)"))
			h.line([]byte("\t/src/a.go:7 +0x1"))
		}
		h.line(nil)
	}
	p := h.snapshot("t")
	assert.Len(t, p.Stacks, maxHeadless)
	assert.Len(t, p.Stacks[0].Frames, maxHeadlessCalls)
}

// Editors copy a stack with the files in parentheses and the creator behind the
// first call of every goroutine.
func TestHeadlessOfAnEditor(t *testing.T) {
	for _, form := range []string{"%s(%s)\n", "%s (%s)\n", "%s at %s\n",
		"  %s   %s  <- a remark\n"} {
		text := "It hangs in:\n"
		for _, call := range [][]any{{"runtime.gopark", "proc.go:402"},
			{"runtime.chansend1", "/go/src/chan.go:145"},
			{"example.com/app.(*Queue).Put", "queue.go:31"},
			{"runtime.goexit", "asm_amd64.s:1594"},
			{"example.com/app.New", "queue.go:9"}} {
			text += fmt.Sprintf(form, call...)
		}
		p := parseOne(t, text)
		require.Len(t, p.Stacks, 1)
		assert.Equal(t, ChanSend, operationOf(p.Stacks[0]))
		assert.Equal(t, "example.com/app.(*Queue).Put", siteOf(p.Stacks[0]).Func)
		assert.Equal(t, 31, siteOf(p.Stacks[0]).Line)
		assert.Equal(t, "example.com/app.New", p.Stacks[0].CreatedBy.Func)
	}
}

// A record of a profile that lost its marks has addresses, and often no files.
func TestHeadlessOfAProfile(t *testing.T) {
	p := parseOne(t, "1. this one:\n0x55972dbfc7c8\tsync.runtime_SemacquireMutex+0x48\n"+
		"0x55972e1e70a9\tsync.(*RWMutex).RLock+0x459\n"+
		"0x55972e1e6c73\tapp.(*DB).prepare+0x23\n\n2. and:\n"+
		"0x55972e0c2b31  database/sql.(*DB).conn+0x651  /go/src/sql.go:1330\n"+
		"0x55972e1e6fd4  app.(*DB).prepare+0x384\n"+
		"0x55972e1e6fd5  app.(*DB).query+0x38\n")
	require.Len(t, p.Stacks, 2)
	assert.Equal(t, RWMutex, operationOf(p.Stacks[0]))
	assert.Equal(t, "app.(*DB).prepare", siteOf(p.Stacks[0]).Func)
	assert.Equal(t, 1330, p.Stacks[1].Frames[0].Line)
	for _, f := range Diagnose(Rules{}, p).Findings {
		assert.NotContains(t, f.Sentence, ":0", "no file is known")
	}
}

// A script that counts equal stacks leaves out the headers.
func TestHeadlessCounted(t *testing.T) {
	const stack = "sync.runtime_SemacquireMutex(0x1)\n        /go/src/sema.go:77 +0x25\n" +
		"sync.(*Mutex).Lock(...)\n        /go/src/mutex.go:90\n" +
		"app.(*Cache).Get(0xc000016008)\n        /src/cache.go:7 +0x2e\n" +
		"created by app.Start in goroutine 1\n        /src/app.go:9 +0x3c9\n"
	p := parseOne(t, "2 unique stack traces\n138 occurrences. Sample stack trace:\n"+
		stack+"\n4x the same, elsewhere:\n"+strings.ReplaceAll(stack, "Get", "Put"))
	require.Len(t, p.Stacks, 2)
	assert.Equal(t, 142, p.Goroutines)
	assert.Equal(t, 138, p.Stacks[0].Count)
	assert.Equal(t, "app.Start", p.Stacks[0].CreatedBy.Func)
	assert.Equal(t, 138, p.Stacks[0].members.len())
}

// A stack without calls has no name, and no address either.
func TestNoCallHasNoAddress(t *testing.T) {
	r := Diagnose(Rules{}, parseOne(t,
		"goroutine 7 [sync.RWMutex.Lock, 11 minutes]:\n\n"+
			"goroutine 8 [sync.RWMutex.Lock, 11 minutes]:\n\n"))
	assert.NotContains(t, r.Root, "0x0")
}
