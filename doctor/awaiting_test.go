package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Requests that wait for both directions of a tunnel are as old as it, and no
// warning; requests that wait for another read are one.
func TestAwaitingTunnels(t *testing.T) {
	for call, want := range map[string]Severity{"io.copyBuffer": Info,
		"app.answer": Warning} {
		var b strings.Builder
		for i := range 15 {
			fmt.Fprintf(&b, "goroutine %d [sync.WaitGroup.Wait, 90 minutes]:\n"+
				"sync.(*WaitGroup).Wait(0xc0001%04x)\n\t/go/waitgroup.go:206 +0x1\n"+
				"app.(*S).tunnel(0xc0002)\n\t/src/a.go:374 +0x1\n"+
				"net/http.HandlerFunc.ServeHTTP(0xc0003)\n\t/go/server.go:2 +0x1\n\n"+
				"goroutine %d [IO wait, 90 minutes]:\nnet.(*conn).Read(0xc0004%04x)\n"+
				"\t/go/net.go:9 +0x1\n%s(0x1)\n\t/go/io.go:9 +0x1\n"+
				"app.(*S).tunnel.func1()\n\t/src/a.go:370 +0x1\n"+
				"created by app.(*S).tunnel in goroutine %d\n\t/src/a.go:369 +0x1\n\n",
				100+i, 8*i, 200+i, 8*i, call, 100+i)
		}
		r := judged(t, b.String())
		require.NotEmpty(t, r.Findings, call)
		assert.Equal(t, want, r.Findings[0].Severity, call)
	}
}

// A profile shows no edges between goroutines: a function most likely waits for
// its own literals.
func TestAwaitingLiteralsInAProfile(t *testing.T) {
	wait := standing(15, "", "sync.runtime_SemacquireWaitGroup",
		"sync.(*WaitGroup).Wait", "app.tunnel", inRequest)
	for literal, want := range map[string]Severity{"app.tunnel.func1": Info,
		"app.other.func1": Warning} {
		_, f := opinionOn(t, "app.tunnel", Rules{}, process(wait, standing(15, "",
			"internal/poll.runtime_pollWait", "net.(*conn).Read", literal)))
		require.NotNil(t, f, literal)
		assert.Equal(t, want, f.Severity, literal)
	}
}

// In a process old enough, requests in a receive for less than a minute are
// those of the moment.
func TestJudgeYoungRequests(t *testing.T) {
	young := standing(60, "chan receive", "app.f", "app.g", inRequest)
	old := waited(standing(1, "chan receive", "app.idle"), 7)
	_, f := opinionOn(t, "app.f", Rules{}, process(young, old))
	require.NotNil(t, f)
	assert.Equal(t, Info, f.Severity)
	_, f = opinionOn(t, "app.f", Rules{}, process(young))
	assert.Equal(t, Warning, f.Severity, "the process may be young itself")
}

func TestJudgeLongPoll(t *testing.T) {
	g, _ := opinionOn(t, "app.f", Rules{}, process(
		standing(9, "select", "app.f", inRequest)))
	assert.Equal(t, "requests waiting in a select may be long polls", g.Why)
}

// A request that has waited for long is a warning, even one, and even where
// the receiver may be alive.
func TestJudgeOneOldRequest(t *testing.T) {
	for minutes, want := range map[uint32]Severity{4: Info, 5: Warning} {
		g, f := opinionOn(t, "app.f", Rules{}, process(
			waited(standing(1, "chan send", "app.f", inRequest), minutes),
			standing(1, "running", "app.work")))
		require.NotNil(t, f)
		assert.EqualValues(t, "unknown", f.Receiver)
		assert.EqualValues(t, "unknown", g.Verdict)
		assert.Equal(t, want, f.Severity)
	}
	_, f := opinionOn(t, "app.f", Rules{}, process(
		waited(standing(2, "chan send", "app.f"), 5),
		standing(1, "running", "app.work")))
	assert.Equal(t, Warning, f.Severity, "no request, but for so long")
}
