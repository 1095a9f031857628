package doctor

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lockWaiter writes goroutine id, which waits for the lock of the cache at an
// address.
func lockWaiter(b *strings.Builder, id int, lock uint64, parent int) {
	fmt.Fprintf(b, "goroutine %d [sync.Mutex.Lock, %d minutes]:\n"+
		"sync.(*Mutex).lockSlow(%#x)\n\t/go/mutex.go:1 +0x1\n"+
		"sync.(*Mutex).Lock(...)\n\t/go/mutex.go:2\n"+
		"app.(*Cache).Get(%#[3]x)\n\t/app.go:1 +0x1\n"+
		"created by app.(*Batch).Run in goroutine %d\n\t/app.go:9 +0x1\n\n",
		id, 2+id%5, lock, parent)
}

const (
	cacheLock = 0xc000100000

	// cacheHolder has the cache, and waits for a disk.
	cacheHolder = "goroutine 7 [chan receive, 8 minutes]:\n" +
		"app.(*Disk).read(0xc000900000)\n\t/app.go:20 +0x1\n" +
		"app.(*Cache).Fill(0xc000100000)\n\t/app.go:21 +0x1\n" +
		"created by main.main in goroutine 1\n\t/main.go:1 +0x1\n\n"

	// batchWaits is a goroutine that waits for those that it created.
	batchWaits = "goroutine %d [sync.WaitGroup.Wait, 8 minutes]:\n" +
		"sync.(*WaitGroup).Wait(%#x)\n\t/go/wg.go:1 +0x1\n" +
		"app.(*Batch).Run(%#[2]x)\n\t/app.go:30 +0x1\n" +
		"created by main.main in goroutine 1\n\t/main.go:1 +0x1\n\n"
)

// judgedScene returns the judged process of a dump.
func judgedScene(t *testing.T, text string) *scene {
	t.Helper()
	sc := newScene(Rules{}.withDefaults(), parseOne(t, text))
	sc.judge()
	return sc
}

// Those that wait for one lock are one node, except for those that others wait
// for: their batches are behind them.
func TestWaitersShareANode(t *testing.T) {
	const n = 5000
	for _, batches := range []int{0, 1, 3} {
		var b strings.Builder
		b.WriteString(cacheHolder)
		for i := range batches {
			fmt.Fprintf(&b, batchWaits, 20+i, uint64(0xc000800000)+uint64(i)<<12)
		}
		for i := range n {
			parent := 1
			if i%1000 == 500 {
				parent = 20 + i/1000
			}
			lockWaiter(&b, 100+i, cacheLock, parent)
		}
		sc := judgedScene(t, b.String())
		assert.LessOrEqual(t, len(sc.graph.order), 2+2*batches)
		roots := sc.graph.roots()
		require.Len(t, roots, 1)
		assert.Equal(t, uint64(7), roots[0].id())
		assert.Equal(t, n+batches, roots[0].behind)
		w := roots[0].wait(0)
		require.Len(t, w.Waiting, 1)
		assert.Equal(t, Wait{Count: n, Behind: batches, Minutes: 6,
			Operation: Mutex, Function: "app.(*Cache).Get", File: "/app.go", Line: 1,
			For: "(*Cache) 0xc000100000", Waiting: w.Waiting[0].Waiting}, *w.Waiting[0])
	}
}

// The last goroutine of a node is known again when the others have been taken
// out of it; few are known one by one.
func TestWaitersApart(t *testing.T) {
	for _, n := range []int{maxSome, maxSome + 2} {
		var b strings.Builder
		b.WriteString(cacheHolder)
		for i := range n {
			fmt.Fprintf(&b, batchWaits, 20+i, uint64(0xc000800000)+uint64(i)<<12)
			lockWaiter(&b, 100+i, cacheLock, 20+i)
		}
		sc := judgedScene(t, b.String())
		for _, node := range sc.graph.order {
			assert.Equal(t, 1, node.count)
			assert.NotZero(t, node.id())
		}
		roots := sc.graph.roots()
		require.Len(t, roots, 1)
		assert.Equal(t, 2*n, roots[0].behind)
		for i := range n {
			require.NotNil(t, sc.graph.nodes[ref{sc.now.Stacks[2], i}].to)
		}
	}
}

// A goroutine that is inside of one lock while it waits for another is no part
// of the node of the others.
func TestHolderWaitsAmongMany(t *testing.T) {
	var b strings.Builder
	b.WriteString(cacheHolder)
	for i := range 6 {
		lockWaiter(&b, 100+i, cacheLock, 1)
	}
	inside := strings.NewReplacer("goroutine 102", "goroutine 200",
		"created by", "app.(*Store).Put(0xc000200000)\n\t/app.go:3 +0x1\ncreated by")
	var one strings.Builder
	for i := range 7 {
		one.Reset()
		lockWaiter(&one, 200+i, cacheLock, 1)
		store := "0xc000300000"
		if i == 3 {
			store = "0xc000200000"
		}
		b.WriteString(strings.ReplaceAll(inside.Replace(one.String()),
			"0xc000200000", store))
	}
	for i := range 3 {
		one.Reset()
		lockWaiter(&one, 300+i, 0xc000200000, 1)
		b.WriteString(strings.ReplaceAll(one.String(), "Cache).Get", "Store).Len"))
	}
	sc := judgedScene(t, b.String())
	roots := sc.graph.roots()
	require.Len(t, roots, 1)
	assert.Equal(t, 6+7+3, roots[0].behind)
	for _, n := range sc.graph.order {
		if n.id() == 203 {
			assert.Equal(t, 3, n.behind)
			return
		}
	}
	assert.Fail(t, "goroutine 203 has no node")
}

// Rare stacks come first where there are too many objects, and the rest is
// said.
func TestTooManyLocks(t *testing.T) {
	var b strings.Builder
	b.WriteString(cacheHolder)
	for i := range maxSets + 1000 {
		lockWaiter(&b, 100+i, 0xc100000000+uint64(i)<<12, 1)
	}
	text := strings.ReplaceAll(b.String(), "app.(*Cache).Get", "app.(*Conn).Write")
	b.Reset()
	for i := range 3 {
		fmt.Fprintf(&b, "goroutine %d [sync.Mutex.Lock]:\n"+
			"sync.(*Mutex).Lock(0xc000100000)\n\t/go/mutex.go:2\n"+
			"app.(*Cache).Len(0xc000100000)\n\t/app.go:5 +0x1\n\n", 10+i)
	}
	sc := judgedScene(t, text+b.String())
	assert.Equal(t, 1001, sc.graph.skipped(), "all but one of the sets are theirs")
	assert.Contains(t, sc.notes(), "the arguments of 1,001 goroutines were not compared")
	require.Len(t, sc.graph.roots(), 1)
	assert.Equal(t, 3, sc.graph.roots()[0].behind)
}

// A million goroutines that wait for one lock are judged in the memory of
// a few.
func TestBytesOfAWaiter(t *testing.T) {
	const n = 50_000
	for name, test := range map[string]struct{ step, most uint64 }{
		"one lock":    {0, 1},
		"a lock each": {1 << 12, 400},
	} {
		var b strings.Builder
		b.WriteString(cacheHolder)
		for i := range uint64(n) {
			lockWaiter(&b, 100+int(i), cacheLock+i*test.step, 1)
		}
		sc := newScene(Rules{}.withDefaults(), parseOne(t, b.String()))
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		sc.judge()
		runtime.GC()
		runtime.ReadMemStats(&after)
		assert.Less(t, int(after.HeapAlloc)-int(before.HeapAlloc),
			int(n*test.most)+1<<20, name)
		runtime.KeepAlive(sc)
	}
}

// A reader that may hold the lock it waits for does so behind a writer. A literal
// in a method has the method's receiver, and the owner's other lock is not this.
func TestWaitSetReaderBehindWriter(t *testing.T) {
	const writer = "goroutine 510 [sync.RWMutex.Lock, 44 minutes]:\n" +
		"sync.runtime_SemacquireRWMutex(0x6af923?, 0x10?, 0x0?)\n\t/go/sema.go:87 +0x25\n" +
		"sync.(*RWMutex).Lock(0x1?)\n\t/go/rwmutex.go:152 +0x6a\n" +
		"app.(*Channel).Join.func1(0xc0005dd240)\n\t/src/channel.go:800 +0x47\n" +
		"app.(*Channel).Join(0xc000292200, 0x1)\n\t/src/channel.go:819 +0x746\n" +
		"app.serve(0x1)\n\t/src/serve.go:8 +0x1\n\n"
	const reader = "goroutine 702 [sync.RWMutex.RLock, 44 minutes]:\n" +
		"sync.runtime_SemacquireRWMutexR(0xc00098a580?)\n\t/go/sema.go:82 +0x25\n" +
		"sync.(*RWMutex).RLock(...)\n\t/go/rwmutex.go:71\n" +
		"app.(*Channel).Members(0xc000292200)\n\t/src/getters.go:528 +0x5b\n" +
		"app.(*Channel).Send(0xc000292200, 0x7)\n\t/src/channel.go:1265 +0x2ab\n" +
		"app.serve(0x1)\n\t/src/serve.go:8 +0x1\n\n"
	const other = "goroutine 888 [sync.Mutex.Lock, 43 minutes]:\n" +
		"sync.(*Mutex).lockSlow(0xc0002922a8)\n\t/go/mutex.go:171 +0x15d\n" +
		"sync.(*Mutex).Lock(...)\n\t/go/mutex.go:90\n" +
		"app.(*Channel).Quit.func1(0xc000734200)\n\t/src/channel.go:1412 +0x65\n" +
		"app.(*Channel).Quit(0xc000292200)\n\t/src/channel.go:1420 +0x3c\n" +
		"app.serve(0x1)\n\t/src/serve.go:8 +0x1\n\n"
	for _, dump := range []string{writer + reader + other, other + reader + writer,
		reader + writer} {
		r := Diagnose(Rules{}, parseOne(t, mainGoroutine+dump))
		assert.Contains(t, r.Root, "goroutine 702, which may wait for itself")
		assert.Contains(t, r.Root, ", behind goroutine 510, which waits to write")
		_, f := findingOf(r, "app.(*Channel).Quit.func1")
		if f != nil {
			assert.NotContains(t, f.Sentence, "waits to write", "another lock")
		}
	}
	r := Diagnose(Rules{}, parseOne(t, mainGoroutine+reader))
	assert.NotContains(t, r.Root, "which waits to write")
}
