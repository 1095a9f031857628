package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	grabbed = "Previous place where the lock was grabbed\n"
	holder  = "goroutine 7 lock 0xc0000a6018\n" +
		"../cache/cache.go:31 cache.(*Cache).Flush { c.mu.Lock() } <<<<<\n" +
		"../cache/cache.go:90 cache.(*Cache).Close { c.Flush() }\n" +
		"main.go:12 main.main { c.Close() }\n\n"
	trying  = "Have been trying to lock it again for more than 30s\n"
	locker9 = "goroutine 9 lock 0xc0000a6018\n" +
		"../cache/cache.go:55 cache.(*Cache).Put { c.mu.Lock() } <<<<<\n" +
		"main.go:40 main.fill { c.Put(k, v) }\n\n"
	current = "Here is what goroutine 7 doing now\ngoroutine 7 [chan receive]:\n" +
		"example.com/app/cache.(*Cache).Flush(0xc0000a6000)\n" +
		"\t/src/app/cache/cache.go:36 +0x4d\n" +
		"example.com/app/cache.(*Cache).Close(...)\n" +
		"\t/src/app/cache/cache.go:90\nmain.main()\n\t/src/app/main.go:12 +0x2a\n\n"
)

// The first lines of a report may be missing. The holder keeps its lock where
// its current stack takes the place of the first one.
func TestDeadlockReportCut(t *testing.T) {
	whole := "POTENTIAL DEADLOCK:\n" + grabbed + holder + trying + locker9 + current
	for name, text := range map[string]string{
		"whole":              whole,
		"without the banner": grabbed + holder + trying + locker9 + current,
		"from the holder on": "It hangs:\n```\n" + holder + trying + locker9 +
			current + "```\n(scrolled off)\n",
		"paths of Windows": strings.ReplaceAll(whole, "../cache/", `..\my cache\`),
		"log": "2026/11/24 10:00:00 " + strings.ReplaceAll(strings.TrimSuffix(
			grabbed+holder+trying+locker9+current, "\n"), "\n",
			"\n2026/11/24 10:00:00 "),
	} {
		p := parseOne(t, text)
		assert.Equal(t, 2, p.Goroutines, name)
		assert.Zero(t, p.Unreadable, name)
		r := Diagnose(Rules{}, p)
		assert.Contains(t, r.Root, "everything waits for goroutine 7: it holds "+
			"(*Cache) 0xc0000a6018", name)
		require.NotEmpty(t, r.Findings, name)
	}
}

// A lock that the current stack of its holder does not show is not put into a
// later one, and another lock does not make a holder.
func TestDeadlockReportOtherStack(t *testing.T) {
	left := strings.NewReplacer("cache.(*Cache)", "log.(*Log)", "main.main",
		"main.run").Replace(current)
	p := parseOne(t, grabbed+holder+trying+locker9+left)
	assert.NotContains(t, Diagnose(Rules{}, p).Root, "goroutine 7")
	others := "Other goroutines holding locks:\n" + strings.NewReplacer("goroutine 7",
		"goroutine 8", "6018", "7018", "Flush", "Put").Replace(holder)
	p = parseOne(t, trying+locker9+others)
	assert.Equal(t, 2, p.Goroutines)
	assert.NotContains(t, Diagnose(Rules{}, p).Root, "it holds")
}

// Sentences about locks are no reports.
func TestDeadlockReportProse(t *testing.T) {
	for _, text := range []string{"goroutine 7 lock 12 is fine\n",
		"goroutine 7 lock\n", "the goroutine 9 lock 0xc0000a6018\n"} {
		_, err := Parse(strings.NewReader(text), "t")
		assert.ErrorIs(t, err, ErrNoDump, text)
	}
}

// The path of a package is in the file of a call, if that is below a root.
func TestDeadlockQualified(t *testing.T) {
	for _, c := range [][3]string{
		{"sync.(*Group).Stop", "~/go/src/example.com/app/sync/group.go:9",
			"example.com/app/sync.(*Group).Stop"},
		{"http.(*conn).serve", "/usr/local/go/src/net/http/server.go:9",
			"net/http.(*conn).serve"},
		{"ws.(*Conn).Write", `..\..\go\pkg\mod\example.com\ship-go@v0.6.0\ws\conn.go:2`,
			"example.com/ship-go/ws.(*Conn).Write"},
		{"v2.f", "/root/go/pkg/mod/example.com/a@v1.2.3/v2/f.go:7", "example.com/a/v2.f"},
		{"sync.(*Mutex).Lock", "/usr/local/go/src/sync/mutex.go:7", "sync.(*Mutex).Lock"},
		{"raft.Tick", "/go/pkg/mod/example.com/raft@v1.0.0/tick.go:2",
			"example.com/raft.Tick"},
		{"main.main", "/go/src/example.com/app/cmd/main.go:2", "main.main"},
		{"cache.Get", "../cache/cache.go:2", "cache.Get"},
		{"main.main", "/home/me/main.go:7", "main.main"},
		{"cache.Get", "cache.go:2", "cache.Get"},
	} {
		assert.Equal(t, c[2], string(qualified([]byte(c[0]), []byte(c[1]))))
	}
}
