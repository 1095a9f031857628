package doctor

import (
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
