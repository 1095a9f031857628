package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Closing something for hours is reported if there is no other warning.
func TestJudgeClosing(t *testing.T) {
	const closing = "goroutine 60 [select, 200 minutes]:\n" +
		"amqp.(*Connection).answer(0xc000138000)\n\t/src/connection.go:600 +0x1\n" +
		"amqp.(*Connection).Close(0xc000138000)\n\t/src/connection.go:330 +0x1\n\n"
	r := judged(t, closing)
	require.Len(t, r.Findings, 1)
	assert.Contains(t, r.Root, "does not take that long")
	assert.Empty(t, judged(t, strings.Replace(closing, "200", "4", 1)).Findings)
	assert.Empty(t, judged(t, strings.Replace(closing, ").Close", ").Run", 1)).Findings)
	assert.Len(t, judged(t, strings.Replace(closing, "select", "syscall", 1)).Findings, 1,
		"a library of C closes, too")
	for name, n := range map[string]int{"(*App).engageStopProcedure.func2": 1,
		"(*App).stop": 1, "(*App).waitForShutdown": 0, "(*App).closeLoop": 0,
		"(*App).startStopReplication.func1": 0,
		"(*App).untilStopped":               0, "(*App).StopNotify": 0, "(*App).closest": 0,
		"gracefulShutdown": 0, "shutdown": 0, "(*App).shutdownGracefully": 0} {
		started := strings.Replace(closing, "(*Connection).Close", name, 1)
		assert.Empty(t, judged(t, started).Findings, name)
		assert.Len(t, judged(t, strings.TrimSpace(started)+
			"\namqp.start(0x1)\n\t/src/a.go:9 +0x1\n").Findings, n, name)
	}
	r = judged(t, closing+"goroutine 7 [chan send, 200 minutes]:\n"+
		"main.f(0x1)\n\t/src/a.go:7 +0x1\n")
	require.Len(t, r.Findings, 1)
	assert.Equal(t, ChanSend, r.Findings[0].Operation)
}

// Someone who picks a goroutine that closes something from a dump need not have
// waited for long; and a write takes a moment.
func TestJudgeOverdue(t *testing.T) {
	const closing = "goroutine 60 [sync.Cond.Wait, %d minutes]:\n" +
		"sync.(*Cond).Wait(0xc00064c2c0)\n\t/go/cond.go:56 +0x1\n" +
		"app.(*Node).Stop(0xc0002c8d20)\n\t/src/node.go:224 +0x1\n\n"
	const writing = "goroutine 60 [syscall, %d minutes]:\n" +
		"%s(0x2a, 0xc03a51a800)\n\t/go/z.go:1 +0x1\n" +
		"store.(*DB).flush(0xc0008e43e0)\n\t/src/db.go:91 +0x1\n\n"
	for minutes, n := range map[int]int{1: 1, 0: 0} {
		r := Diagnose(Rules{}, parseOne(t, fmt.Sprintf(closing, minutes)))
		assert.Len(t, r.Findings, n)
	}
	assert.Empty(t, judged(t, fmt.Sprintf(closing, 4)).Findings, "a whole dump")
	r := judged(t, fmt.Sprintf(writing, 5, "syscall.write"))
	require.Len(t, r.Findings, 1)
	assert.Contains(t, r.Root, "a write does not take that long")
	assert.Empty(t, judged(t, fmt.Sprintf(writing, 4, "syscall.write")).Findings)
	assert.Empty(t, judged(t, fmt.Sprintf(writing, 500, "syscall.read")).Findings)
	pipe := strings.Replace(writing, "syscall,", "IO wait,", 1)
	const poll = "internal/poll.(*pollDesc).wait"
	assert.Len(t, judged(t, fmt.Sprintf(pipe, 60, poll+"Write")).Findings, 1)
	assert.Empty(t, judged(t, fmt.Sprintf(pipe, 59, poll+"Write")).Findings)
	assert.Empty(t, judged(t, fmt.Sprintf(pipe, 500, poll+"Read")).Findings)
	assert.Empty(t, judged(t, strings.Replace(fmt.Sprintf(pipe, 500, poll+"Write"),
		"store.(*DB).flush", inRequest, 1)).Findings, "a client that does not read")
}
