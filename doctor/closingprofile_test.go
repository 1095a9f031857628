package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// profileOf is a profile with debug=1 of one goroutine for each list of calls,
// innermost first.
func profileOf(goroutines ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "goroutine profile: total %d\n", len(goroutines))
	for i, calls := range goroutines {
		fmt.Fprintf(&b, "1 @ 0x%d\n", i+1)
		for j, call := range strings.Fields(calls) {
			fmt.Fprintf(&b, "#\t0x%d\t%s+0x1\t/src/a%d.go:%d\n", j+1, call, i, j+1)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// The main goroutine closes an object, whose package may be named sync, and a
// goroutine of the object is in a read that nothing ends.
func TestClosingMain(t *testing.T) {
	const (
		closes = "sync.runtime_Semacquire sync.(*WaitGroup).Wait " +
			"example.com/app/sync.(*Watcher).Close.func1 sync.(*Once).doSlow " +
			"sync.(*Once).Do example.com/app/sync.(*Watcher).Close main.main runtime.main"
		reads = "internal/poll.runtime_pollWait net.(*conn).Read bufio.(*Reader).fill " +
			"example.com/redis.(*Reader).ReadLine " +
			"example.com/app/sync.(*subscription).process " +
			"example.com/app/sync.(*Watcher).Subscribe.func1"
		idles = "runtime.gopark runtime.selectgo example.com/redis.(*Pool).reaper"
	)
	r := Diagnose(Rules{}, parseOne(t, profileOf(closes, reads, idles)))
	require.Len(t, r.Findings, 1, r.Root)
	f := r.Findings[0]
	assert.Equal(t, "example.com/app/sync.(*Watcher).Close.func1", f.Function)
	assert.Equal(t, WaitGroup, f.Operation)
	assert.Equal(t, Warning, f.Severity)
	assert.Equal(t, ConfidenceLow, f.Confidence)
	assert.Contains(t, f.Sentence, "most likely for 1 goroutine to end: waiting for "+
		"IO in redis.(*Reader).ReadLine")
	assert.Contains(t, r.Root, "redis.(*Reader).ReadLine")

	swap := func(in, old, by string) string { return strings.ReplaceAll(in, old, by) }
	for name, dump := range map[string]string{
		"waits for jobs": profileOf(closes, swap(reads, "Subscribe", "worker"), idles),
		"another type":   profileOf(closes, swap(reads, "(*Watcher)", "(*Server)"), idles),
		"a function":     profileOf(closes, swap(reads, "(*Watcher).", ""), idles),
		"does not close": profileOf(swap(closes, "Close", "Join"), reads, idles),
		"writes":         profileOf(closes, swap(reads, "net.", "internal/poll.(*pollDesc).waitWrite net."), idles),
		"for work": profileOf(closes, swap(reads, "internal/poll.runtime_pollWait "+
			"net.(*conn).Read", "runtime.selectgo"), idles),
		"another goroutine closes": profileOf(swap(closes, "main.main runtime.main",
			"main.run"), reads, idles),
		"std's of that name": profileOf(swap(closes, "example.com/app/", ""),
			swap(reads, "example.com/app/", ""), idles),
	} {
		assert.Empty(t, Diagnose(Rules{}, parseOne(t, dump)).Findings, name)
	}
}
