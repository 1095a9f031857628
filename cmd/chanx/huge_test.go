package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// flood is a dump of any size, made while it is read.
type flood struct {
	left  int // goroutines
	total int
	queue []byte
	peak  uint64 // of the heap
}

func (f *flood) Read(b []byte) (int, error) {
	for len(f.queue) < 64<<10 && f.left > 0 {
		f.queue = fmt.Appendf(f.queue, "goroutine %d [chan send, %d minutes]:\n"+
			"main.(*writer).Write(0xc000%06x)\n\t/src/log.go:%d +0x5c\n"+
			"net/http.HandlerFunc.ServeHTTP(0xc000%06x)\n\t/go/server.go:2286 +0x29\n"+
			"created by net/http.(*Server).Serve in goroutine 1\n\t/go/server.go:3464 "+
			"+0x485\n\n",
			f.left+1, f.left%60, f.left, 100+f.left%200, f.left)
		if f.left--; f.left%(f.total/16) == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			f.peak = max(f.peak, m.HeapAlloc)
		}
	}
	if len(f.queue) == 0 {
		return 0, io.EOF
	}
	n := copy(b, f.queue)
	f.queue = f.queue[:copy(f.queue, f.queue[n:])]
	return n, nil
}

// TestHuge: a dump is never in memory as a whole. A hundred megabytes of 200
// places need a number per goroutine.
func TestHuge(t *testing.T) {
	const goroutines = 400_000
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	in := &flood{left: goroutines, total: goroutines}
	var stdout, stderr strings.Builder
	code := run([]string{"doctor", "-json", "-"}, in, &stdout, &stderr)
	require.Equal(t, exitFindings, code, stderr.String())
	r := parse(t, stdout.String())
	require.Equal(t, goroutines, r.Goroutines)
	require.Zero(t, r.Unreadable)
	require.Len(t, r.Findings, 200)
	// Some 30 bytes each, and twice until they are collected.
	require.Less(t, in.peak-min(in.peak, before.HeapAlloc),
		uint64(goroutines*33*2+16<<20))
}

// TestCutAndInterleaved: what can be read of a damaged file is judged, and what
// cannot is counted.
func TestCutAndInterleaved(t *testing.T) {
	whole := requests(40)
	cut := write(t, "cut.txt", whole[:len(whole)-len(whole)/80])
	got := diagnose(t, cut)
	require.Equal(t, exitFindings, got.code)
	require.Contains(t, got.stdout, "cut short: all counts are lower bounds")
	require.Contains(t, got.stdout, "the input ends within a goroutine")

	lines := strings.SplitAfter(whole, "\n")
	for i := 5; i < len(lines); i += 7 {
		lines[i] = "2026/11/24 12:00:00 GET /health 200\n" + lines[i]
	}
	mixed := write(t, "mixed.txt", strings.Join(lines, ""))
	r := parse(t, diagnose(t, "-json", mixed).stdout)
	require.Equal(t, 40, r.Findings[0].Count)
	got = diagnose(t, mixed)
	require.Equal(t, exitFindings, got.code)
	if r.Unreadable > 0 {
		require.Contains(t, got.stdout, "line ")
	}
}
