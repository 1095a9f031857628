package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A method that stops an object waits for the goroutines that the object has
// started: one in a call without a timeout is the cause.
func TestJoined(t *testing.T) {
	const text = "goroutine 622 [semacquire, 768 minutes]:\n" +
		"sync.runtime_Semacquire(0xc000410598)\n\t/go/sema.go:56 +0x39\n" +
		"sync.(*WaitGroup).Wait(0xc000410590)\n\t/go/waitgroup.go:130 +0x64\n" +
		"app.(*cluster).stop(0xc000410540)\n\t/src/cluster.go:151 +0x82\n" +
		"app.(*server).lead(0xc00026c600)\n\t/src/server.go:412 +0x32\n\n" +
		"goroutine 867 [%s, 900 minutes]:\n%s(0xc003ee1320)\n\t/go/transport.go:2101 +0x56a\n" +
		"app.check(0xc008f56d40)\n\t/src/util.go:287 +0x1b8\n" +
		"app.(*cluster).background(%s, 0xdf8475800)\n\t/src/cluster.go:660 +0x1f6\n" +
		"created by %s\n\t/src/cluster.go:137 +0x1e4\n\n"
	const trip, starter = "net/http.(*http2ClientConn).RoundTrip", "app.(*cluster).start"
	dump := fmt.Sprintf(text, "select", trip, "0xc000410540", starter)
	r := judged(t, dump)
	assert.Contains(t, r.Root, "everything waits for goroutine 867: it has been waiting "+
		"for the other side of a connection in app.check")
	require.Len(t, r.Findings, 2)
	_, f := findingOf(r, "app.(*cluster).stop")
	require.NotNil(t, f)
	assert.Contains(t, f.Sentence, "; it waits for goroutine 867, which is waiting for "+
		"the other side of a connection")

	for name, other := range map[string]string{
		"another value":  fmt.Sprintf(text, "select", trip, "0xc000410740", starter),
		"another's":      fmt.Sprintf(text, "select", trip, "0xc000410540", "app.serve"),
		"waits for work": fmt.Sprintf(text, "select", "app.wait", "0xc000410540", starter),
	} {
		assert.NotContains(t, judged(t, other).Root, "867", name)
	}
	r = judged(t, strings.Replace(dump, "cluster).stop", "cluster).join", 1))
	assert.Empty(t, r.Findings, "who does not stop anything may wait for days")
}

// Where inlining has hidden the addresses, just one goroutine may be meant.
func TestJoinedByName(t *testing.T) {
	const stop = "goroutine 18 [sync.WaitGroup.Wait, 90 minutes]:\n" +
		"sync.(*WaitGroup).Wait(0x1)\n\t/go/waitgroup.go:118 +0x64\n" +
		"app.(*cluster).Stop(...)\n\t/src/cluster.go:65\n" +
		"app.run.func2()\n\t/src/run.go:130 +0x37\ncreated by app.run in goroutine 1\n" +
		"\t/src/run.go:130 +0x58d\n\n"
	worker := func(id int, root, by string) string {
		return fmt.Sprintf("goroutine %d [select, 95 minutes]:\n"+
			"net/http.(*persistConn).roundTrip(0xc003ee1320)\n\t/go/t.go:2101 +0x56a\n"+
			"app.get(0x0?)\n\t/src/cluster.go:64 +0x25\n%s\n\t/src/cluster.go:60 +0x45\n"+
			"created by app.%s in goroutine 1\n\t/src/cluster.go:54 +0x65\n\n", id, root, by)
	}
	for _, root := range []string{"app.(*cluster).background(0x0?)",
		"app.(*cluster).start.func1()"} {
		r := judged(t, stop+worker(8, root, "(*cluster).start"))
		assert.Contains(t, r.Root, "everything waits for goroutine 8: ", root)
		assert.Len(t, r.Findings, 2)
	}
	for name, other := range map[string]string{
		"two": worker(8, "app.(*cluster).background(0x0?)", "(*cluster).start") +
			worker(9, "app.(*cluster).background(0x0?)", "(*cluster).start"),
		"another type": worker(8, "app.(*server).background(0x0?)", "(*server).start"),
		"a function":   worker(8, "app.background(0x0?)", "(*cluster).start"),
	} {
		assert.NotContains(t, judged(t, stop+other).Root, "everything waits for", name)
	}
}

// What stops an object holds the lock that a goroutine of the object waits for:
// most likely the two wait for each other.
func TestJoinedDeadlock(t *testing.T) {
	const text = "goroutine 31 [sync.WaitGroup.Wait, 1 minutes]:\n" +
		"sync.(*WaitGroup).Wait(0xc0008aa3b8)\n\t/go/waitgroup.go:206 +0xa8\n" +
		"app.(*peer).stop(0xc0008aa008)\n\t/src/peer.go:289 +0xe4\n%s" +
		"goroutine 30 [sync.Mutex.Lock, 1 minutes]:\n" +
		"sync.(*Mutex).Lock(0xc0006a45a0)\n\t/go/mutex.go:46 +0x170\n" +
		"app.(*backend).port(0xc0006a4508)\n\t/src/backend.go:567 +0x54\n" +
		"app.(*peer).receive(0xc0008aa008)\n\t/src/peer.go:547 +0x5fc\n" +
		"created by app.(*peer).start in goroutine 4\n\t/src/peer.go:239 +0x28c\n\n"
	const held = "app.(*backend).reset(0xc0006a4508)\n\t/src/backend.go:662 +0x4cc\n\n"
	r := judged(t, fmt.Sprintf(text, held))
	assert.Contains(t, r.Root, "most likely a deadlock: goroutines 30 and 31 wait")

	const literal = "app.reconfigure.func2()\n\t/src/reconfigure.go:54 +0x34\n" +
		"created by app.reconfigure in goroutine 29\n\t/src/reconfigure.go:53 +0x1\n\n"
	const parent = "goroutine 29 [chan receive, 1 minutes]:\n" +
		"app.reconfigure(0xc0003c6288)\n\t/src/reconfigure.go:66 +0x1b8\n" + held
	for _, dump := range []string{fmt.Sprintf(text, literal) + parent,
		parent + fmt.Sprintf(text, literal)} {
		r = judged(t, dump)
		assert.Contains(t, r.Root, "goroutines 30 and 29 and 31 wait for each other")
	}

	// A goroutine that waits for the same end, to report it, does no work.
	r = judged(t, strings.Replace(parent+fmt.Sprintf(text, literal),
		"app.(*peer).stop(0xc0008aa008)\n\t/src/peer.go:289 +0xe4\n", "", 1))
	assert.NotContains(t, r.Root, "deadlock")
}
