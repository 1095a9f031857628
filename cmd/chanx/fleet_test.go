package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// largeDump has n distinct stacks of 20 calls, and twelve blocked requests.
func largeDump(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "goroutine %d [select]:\n", 1000+i)
		for call := range 20 {
			fmt.Fprintf(&b, "example.com/shop/service%d.(*Worker).step%d(0xc0)\n"+
				"\t/src/shop/service%d/worker_with_a_long_name.go:%d +0x1\n", i, call,
				i, call+1)
		}
		b.WriteByte('\n')
	}
	return b.String() + requests(12)
}

// hangUp ends each connection as soon as it is made.
func hangUp(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		c.Close()
	}
}

// TestFleet1000 looks at a thousand servers on the loopback, one in a hundred
// of which is down: no more than askAtOnce at a time, and in memory that follows
// the program, not the number of its instances.
func TestFleet1000(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a thousand sockets")
	}
	const n = 1000
	dump := largeDump(200)
	var busy, most atomic.Int32
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := busy.Add(1)
		defer busy.Add(-1)
		for old := most.Load(); now > old; old = most.Load() {
			most.CompareAndSwap(old, now)
		}
		if r.URL.Path != "/debug/pprof/goroutine" {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, dump)
	})
	var targets []string
	var servers sync.WaitGroup
	defer servers.Wait()
	for i := range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Skipf("%d sockets at most: %v", i, err)
		}
		targets = append(targets, l.Addr().String())
		if i%100 == 99 {
			// Not a closed port, which another process may be given.
			servers.Go(func() { hangUp(l) })
			defer l.Close()
			continue
		}
		server := &http.Server{Handler: handler}
		servers.Go(func() { server.Serve(l) })
		defer server.Close()
	}
	peak := watchHeap(t)
	// The servers share the processors with the command, and with other tests.
	got := diagnose(t, append([]string{"-json", "-form", "2", "-timeout", "20m"},
		targets...)...)
	used := peak()
	require.Equal(t, exitFindings, got.code, got.stderr)
	r := parse(t, got.stdout)
	require.Len(t, r.Targets, n)
	require.Len(t, r.Instances, n-n/100)
	require.Equal(t, 212*(n-n/100), r.Goroutines)
	blocked := 0
	for _, f := range r.Findings {
		if f.Operation == "chan send" {
			blocked += f.Count
			require.Len(t, f.Instances, n-n/100)
			require.Equal(t, 1, strings.Count(f.Sentence, " instances"), f.Sentence)
		}
	}
	require.Equal(t, 12*(n-n/100), blocked)
	require.LessOrEqual(t, most.Load(), int32(askAtOnce))
	t.Logf("%d servers, %d kB each: %d MB of heap at most", n, len(dump)>>10,
		used>>20)
	// The dumps are 500 MB; one program's frames, a thousand lists of stacks,
	// and what 32 readers hold, twice until it is collected.
	require.Less(t, used, uint64(300<<20))
}

// watchHeap returns what tells how much the heap has grown at most since.
func watchHeap(t *testing.T) (peak func() uint64) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, most := m.HeapAlloc, uint64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-done
		return most - min(most, before)
	}
}
