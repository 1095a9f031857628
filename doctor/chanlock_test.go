package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A goroutine further on in the call that waits for a lock made of a channel has
// it: the call of the value itself, or the one that has called its Lock.
func TestChanLockTurn(t *testing.T) {
	dump := func(state, lock, chain string) *Report {
		return judged(t, "goroutine 30 [select, 13 minutes]:\n"+
			"app/event.(*Feed).Send(0xc0003f5d70)\n\t/src/feed.go:160 +0x1\n"+
			"app.(*Chain).Insert("+chain+")\n\t/src/chain.go:1749 +0x1\n"+
			"app.sync.func1()\n\t/src/sync.go:9 +0x1\n\n"+
			"goroutine 31 ["+state+", 12 minutes]:\n"+
			"app/syncx."+lock+"(...)\n\t/src/mutex.go:32\n"+
			"app.(*Chain).Insert(0xc0003f5800)\n\t/src/chain.go:1744 +0x1\n"+
			"app.sync.func2()\n\t/src/sync.go:19 +0x1\n\n"+
			"goroutine 32 ["+state+", 12 minutes]:\n"+
			"app/syncx."+lock+"(...)\n\t/src/mutex.go:32\n"+
			"app.(*Chain).Insert(0xc0003f5800)\n\t/src/chain.go:1744 +0x1\n"+
			"app.sync.func3()\n\t/src/sync.go:29 +0x1\n\n")
	}
	for _, state := range []string{"chan receive", "select"} {
		r := dump(state, "(*ClosableMutex).TryLock", "0xc0003f5800")
		require.Len(t, r.Findings, 1)
		assert.Equal(t, ReceiverPresent, r.Findings[0].Receiver)
		assert.Contains(t, r.Findings[0].Sentence, "goroutine 30 is further on in the "+
			"same call: blocked in a select in event.(*Feed).Send")
		assert.Contains(t, r.Root, "everything waits for goroutine 30")
	}
	for lock, chain := range map[string]string{"(*Inbox).Next": "0xc0003f5800",
		"(*ClosableMutex).TryLock": "0xc000400000"} { // another instance
		_, f := findingOf(dump("chan receive", lock, chain), "app/syncx."+lock)
		assert.Nil(t, f, lock)
	}
}

// Requests that all wait for a token, while no other goroutine could give one
// back, are stuck; one that is at work will.
func TestChanLockTokens(t *testing.T) {
	dump := func(n int, call string, others ...string) *Report {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "goroutine %d [chan receive]:\napp."+call+"(...)\n"+
				"\t/src/tokens.go:24\napp.(*Fs).Put(0xc0004902d0)\n\t/src/ftp.go:%d +0x1\n"+
				"net/http.HandlerFunc.ServeHTTP(0xc0002a4550)\n\t/go/server.go:2 +0x1\n\n",
				100+i, 245)
		}
		return judged(t, b.String()+strings.Join(others, ""))
	}
	other := "goroutine 50 [%s]:\napp.(*Fs).copy(0xc0004902d0)\n\t/src/ftp.go:9 +0x1\n\n"
	for _, call := range []string{"(*TokenDispenser).Get", "(*Pool).acquireSlot",
		"(*semaphore).take"} {
		r := dump(2, call, fmt.Sprintf(other, "select"))
		require.Len(t, r.Findings, 1, call)
		assert.Equal(t, Warning, r.Findings[0].Severity)
		assert.Contains(t, r.Findings[0].Sentence, "all requests wait for their turn there")
	}
	for _, r := range []*Report{dump(1, "(*TokenDispenser).Get"),
		dump(2, "(*Queue).Get"), dump(2, "(*TokenDispenser).Get",
			fmt.Sprintf(other, "IO wait"))} {
		require.NotEmpty(t, r.Findings)
		assert.Equal(t, Info, r.Findings[0].Severity)
	}
}

// Goroutines that begin with a send to a channel of a few values, while others
// are further on in the same function, wait for a place in a semaphore.
func TestChanLockSemaphore(t *testing.T) {
	dump := func(n, minutes, line int, state string) *Report {
		var b strings.Builder
		wait := "chan send"
		if minutes > 0 {
			wait += fmt.Sprintf(", %d minutes", minutes)
		}
		for i := range n {
			fmt.Fprintf(&b, "goroutine %d [%s]:\napp.(*S).Analyze.func6.1()\n"+
				"\t/src/analysis.go:315 +0xb0\n"+
				"created by app.(*S).Analyze in goroutine 3\n\t/src/analysis.go:310 +0x1\n\n",
				100+i, wait)
		}
		fmt.Fprintf(&b, "goroutine 50 [%s]:\napp.parse(0x1)\n\t/src/parse.go:9 +0x1\n"+
			"app.(*S).Analyze.func6.1()\n\t/src/analysis.go:%d +0xb0\n"+
			"created by app.(*S).Analyze in goroutine 3\n\t/src/analysis.go:310 +0x1\n\n",
			state, line)
		return judged(t, b.String())
	}
	for _, state := range []string{"running", "sync.WaitGroup.Wait", "IO wait"} {
		r := dump(13, 0, 341, state)
		require.Len(t, r.Findings, 1, state)
		assert.Equal(t, Info, r.Findings[0].Severity, state)
		assert.Contains(t, r.Findings[0].Sentence,
			"goroutine 50 is further on in the same call", state)
	}
	assert.Equal(t, Warning, dump(1000, 0, 341, "running").Findings[0].Severity)
	for name, r := range map[string]*Report{"for long": dump(13, 5, 341, "select"),
		"before":   dump(13, 0, 300, "select"),
		"all send": dump(13, 0, 341, "chan send")} {
		assert.NotContains(t, r.Root, "further on", name)
	}
}
