package doctor

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A goroutine in a write or in a call over the network that holds up others is
// the one to look at; without others, or for a moment, it is at work.
func TestAwaited(t *testing.T) {
	dump := func(minutes int, state, calls string) string {
		return fmt.Sprintf("goroutine 14 [%s, %d minutes]:\n%s"+
			"app.(*sink).send(0xc000100000)\n\t/src/sink.go:70 +0x1\n"+
			"app.(*sink).Log(0xc000100000)\n\t/src/sink.go:49 +0x1\n\n", state, minutes, calls)
	}
	lock := func(minutes int) string {
		return fmt.Sprintf("goroutine 15 [semacquire, %d minutes]:\n"+
			"sync.runtime_SemacquireMutex(0xc00010000c)\n\t/go/sema.go:77 +0x1\n"+
			"sync.(*Mutex).Lock(0xc000100008)\n\t/go/mutex.go:83 +0x1\n"+
			"app.(*sink).Log(0xc000100000)\n\t/src/sink.go:47 +0x1\n\n", minutes)
	}
	const (
		write = "internal/poll.runtime_pollWait(0x7fdadf1a07a0, 0x77)\n\t/go/n.go:9 +0x1\n" +
			"internal/poll.(*pollDesc).waitWrite(...)\n\t/go/fd.go:9\n" +
			"net.(*conn).Write(0xc000200000)\n\t/go/net.go:9 +0x1\n"
		trip = "net/http.(*persistConn).roundTrip(0xc000300000)\n\t/go/transport.go:9 +0x1\n"
		read = "internal/poll.runtime_pollWait(0x7fdadf1a07a0, 0x72)\n\t/go/n.go:9 +0x1\n" +
			"net.(*conn).Read(0xc000200000)\n\t/go/net.go:9 +0x1\n"
	)
	for state, calls := range map[string]string{"IO wait": write, "select": trip} {
		r := judged(t, lock(9)+dump(9, state, calls))
		assert.Contains(t, r.Root, "everything waits for goroutine 14")
		require.Len(t, r.Findings, 2)
		_, f := findingOf(r, "app.(*sink).send")
		require.NotNil(t, f, state)
		assert.Equal(t, Warning, f.Severity)
		assert.Contains(t, f.Sentence, "; 1 goroutine behind it")

		assert.Empty(t, judged(t, dump(9, state, calls)).Findings, "alone")
		_, f = findingOf(judged(t, lock(4)+dump(4, state, calls)), "app.(*sink).send")
		assert.Nil(t, f, "a moment")
	}
	_, f := findingOf(judged(t, lock(9)+dump(9, "IO wait", read)), "app.(*sink).send")
	assert.Nil(t, f)
	const syslog = "log/syslog.(*Writer).write(0xc000500000)\n\t/go/syslog.go:9 +0x1\n"
	assert.Len(t, judged(t, lock(9)+dump(9, "IO wait", write+syslog)).Findings, 2)
}
