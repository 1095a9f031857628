package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// locker is the text of a goroutine that waits for the lock at +0x10 of an
// object, in a method of a type, below other calls.
func locker(id, minutes int, typ string, object uint64, below ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "goroutine %d [sync.Mutex.Lock, %d minutes]:\n", id, minutes)
	fmt.Fprintf(&b, "internal/sync.(*Mutex).lockSlow(%#x)\n\t/go/mutex.go:1 +0x1\n"+
		"sync.(*Mutex).Lock(...)\n\t/go/mutex.go:2\n"+
		"app.(*%s).Get(%#x)\n\t/app/%s.go:7 +0x1\n", object+0x10, typ, object, typ)
	for _, call := range below {
		fmt.Fprintf(&b, "%s\n\t/app/app.go:9 +0x1\n", call)
	}
	b.WriteString("created by app.Start in goroutine 1\n\t/app/app.go:5 +0x1\n\n")
	return b.String()
}

const mainGoroutine = "goroutine 1 [select, 90 minutes]:\nmain.main()\n" +
	"\t/main.go:8 +0x1\n\n"

func judged(t *testing.T, dump string) *Report {
	t.Helper()
	return Diagnose(Rules{}, parseOne(t, mainGoroutine+dump))
}

func findingOf(r *Report, function string) (int, *Finding) {
	for i := range r.Findings {
		if r.Findings[i].Function == function {
			return i, &r.Findings[i]
		}
	}
	return -1, nil
}

// Blocked senders wait for the goroutine that started them if it is elsewhere,
// and not if a sibling may collect.
func TestGraphParents(t *testing.T) {
	const senders = "goroutine 20 [chan send, 9 minutes]:\napp.(*J).run.func1()\n" +
		"\t/app/J.go:9 +0x1\ncreated by app.(*J).run in goroutine 10\n\t/app/J.go:8 " +
		"+0x1\n\n"
	parent := "goroutine 10 [%s, 9 minutes]:\n%sapp.(*J).run(0xc000100000)\n" +
		"\t/app/J.go:20 +0x1\ncreated by app.Start in goroutine 1\n\t/app/app.go:5 " +
		"+0x1\n\n"
	_, f := findingOf(judged(t, senders+fmt.Sprintf(parent, "syscall", "")),
		"app.(*J).run.func1")
	assert.Equal(t, ReceiverPresent, f.Receiver)
	assert.Equal(t, Warning, f.Severity)

	r := judged(t, senders+fmt.Sprintf(parent, "sync.WaitGroup.Wait",
		"sync.(*WaitGroup).Wait(0xc000100040)\n\t/go/wg.go:1 +0x1\n"))
	assert.Contains(t, r.Root, "deadlock: goroutines 20 and 10 wait for each other")
	assert.Contains(t, r.Root, "20 waits for 10 to receive, 10 waits for 20 to end")

	collector := "goroutine 21 [IO wait]:\napp.(*J).collect(0xc000100000)\n" +
		"\t/app/J.go:40 +0x1\ncreated by app.(*J).run in goroutine 10\n\t/app/J.go:7 " +
		"+0x1\n\n"
	r = judged(t, senders+collector+fmt.Sprintf(parent, "sync.WaitGroup.Wait",
		"sync.(*WaitGroup).Wait(0xc000100040)\n\t/go/wg.go:1 +0x1\n"))
	assert.NotContains(t, r.Root, "deadlock")

	// The creator that takes the snapshot has not returned.
	taking := "goroutine 10 [running]:\nruntime/pprof.writeGoroutineStacks()\n" +
		"\t/go/pprof.go:1 +0x1\napp.(*J).run(0xc000100000)\n\t/app/J.go:20 +0x1\n\n"
	_, f = findingOf(judged(t, senders+taking), "app.(*J).run.func1")
	assert.NotContains(t, f.Sentence, "returned")
	_, f = findingOf(judged(t, senders), "app.(*J).run.func1")
	assert.Contains(t, f.Sentence, "the goroutine that created it has returned")
}

// A goroutine that waits for a lock in the function that sends is no receiver,
// and a loop that sleeps between two rounds holds no lock.
func TestGraphFellowsAndLoops(t *testing.T) {
	const send = "goroutine 20 [chan send]:\napp.(*Node).handle(0xc000100000)\n" +
		"\t/app/node.go:31 +0x1\napp.(*Node).run(0xc000100000)\n" +
		"\t/app/node.go:50 +0x1\n\n"
	const lock = "goroutine 21 [sync.RWMutex.RLock]:\n" +
		"sync.(*RWMutex).RLock(...)\n\t/go/rwmutex.go:1\n" +
		"app.(*Node).handle(0xc000100000)\n\t/app/node.go:10 +0x1\n" +
		"app.(*Node).run(0xc000100000)\n\t/app/node.go:50 +0x1\n\n"
	r := Diagnose(Rules{}, parseOne(t, send+lock))
	assert.NotContains(t, r.Root, "goroutine 21")
	_, f := findingOf(r, "app.(*Node).handle")
	require.NotNil(t, f)
	for _, f := range r.Findings {
		assert.NotContains(t, f.Sentence, "likely receiver")
		assert.Equal(t, Warning, f.Severity, f.Sentence)
	}

	const waits = "goroutine %d [sync.Mutex.Lock]:\nsync.(*Mutex).Lock(...)\n" +
		"\t/go/mutex.go:1\napp.(*Index).Get(0xc0002%02x000)\n" +
		"\t/app/index.go:10 +0x1\ncreated by app.Start\n\t/app/app.go:1 +0x1\n\n"
	const sleeps = "goroutine 30 [sleep]:\ntime.Sleep(0x1)\n\t/go/time.go:1 +0x1\n" +
		"app.(*Index).save(0xc000300000)\n\t/app/index.go:60 +0x1\n" +
		"created by app.Start\n\t/app/app.go:2 +0x1\n\n"
	r = judged(t, fmt.Sprintf(waits, 20, 1)+fmt.Sprintf(waits, 21, 2)+sleeps)
	require.NotEmpty(t, r.Findings)
	assert.NotContains(t, r.Findings[0].Sentence, "may hold it")
}

// Before Go 1.17 the words name the group of a goroutine and of the one that
// waits for it.
func TestGraphErrgroupByItsAddress(t *testing.T) {
	r := judged(t, "goroutine 7 [chan send, 60 minutes]:\n"+
		"main.send(0xc0001)\n\t/src/a.go:7 +0x1\n"+
		"golang.org/x/sync/errgroup.(*Group).Go.func1(0xc0013fdce0, 0xc000)\n"+
		"\t/src/errgroup.go:57 +0x1\n"+
		"created by golang.org/x/sync/errgroup.(*Group).Go\n\t/src/errgroup.go:54 +0x1\n\n"+
		"goroutine 6 [semacquire, 60 minutes]:\n"+
		"sync.(*WaitGroup).Wait(0xc0013fdce8)\n\t/src/waitgroup.go:130 +0x1\n"+
		"golang.org/x/sync/errgroup.(*Group).Wait(0xc0013fdce0)\n\t/src/errgroup.go:40 +0x1\n"+
		"main.wait(0xc0002)\n\t/src/a.go:9 +0x1\n")
	assert.Contains(t, r.Root, "everything waits for goroutine 7")
}

// A debugger prints no words: then the package tells the group, if one goroutine
// of it waits.
func TestGraphErrgroupByItsPackage(t *testing.T) {
	frames := func(id int, state string, calls ...string) string {
		text := fmt.Sprintf("  Goroutine %d - User: /src/a.go:7 %s (0x1) [%s]\n", id,
			calls[len(calls)-1], state)
		for i, call := range calls {
			text += fmt.Sprintf("\t %d  0x1 in %s\n\t     at /src/a.go:%d\n", i, call, id)
		}
		return text
	}
	sends := frames(7, "chan send", "runtime.gopark", "runtime.chansend1",
		"example.com/app.(*Engine).run", groupCall)
	waits := func(id int) string {
		return frames(id, "semacquire", "runtime.gopark", "sync.(*WaitGroup).Wait",
			groupWait, "example.com/app.(*Engine).Shutdown", "main.main")
	}
	assert.Contains(t, judged(t, sends+waits(5)).Root,
		"everything waits for goroutine 7")
	assert.NotContains(t, judged(t, sends+waits(5)+waits(8)).Root,
		"everything waits for goroutine 7")
}

func TestGraphOnceWithinItself(t *testing.T) {
	dump := func(outer string) string {
		return "goroutine 9 [sync.Mutex.Lock, 10 minutes]:\n" +
			"sync.(*Mutex).Lock(...)\n\t/go/src/mutex.go:81 +0x1\n" +
			"sync.(*Once).doSlow(0xc0003b2000, 0x1)\n\t/go/src/once.go:70 +0x1\n" +
			"app.get(0x1)\n\t/src/a.go:9 +0x1\n" +
			"app.load(0x1)\n\t/src/a.go:19 +0x1\n" +
			"sync.(*Once).doSlow(" + outer + ", 0x1)\n\t/go/src/once.go:74 +0x1\n" +
			"app.first(0x1)\n\t/src/a.go:29 +0x1\n"
	}
	r := judged(t, dump("0xc0003b2000"))
	assert.Contains(t, r.Root, "waits for itself: it holds (*Once) 0xc0003b2000 in "+
		"app.first")
	assert.Equal(t, Critical, r.Findings[0].Severity)
	assert.NotContains(t, judged(t, dump("0xc0003b4000")).Root, "itself")
}

// A goroutine inside a value does not hold a lock that is a variable of the
// package.
func TestGraphLockOfThePackage(t *testing.T) {
	dump := func(lock string) *Report {
		return judged(t, "goroutine 60 [sync.Mutex.Lock, 9 minutes]:\n"+
			"sync.(*Mutex).Lock("+lock+")\n\t/go/src/mutex.go:81 +0x1\n"+
			"app.(*Instance).Stop(0xc0001c2000)\n\t/src/a.go:150 +0x1\n\n"+
			"goroutine 2 [semacquire, 9 minutes]:\n"+
			"sync.(*WaitGroup).Wait(0xc0005c2010)\n\t/go/src/waitgroup.go:130 +0x1\n"+
			"app.(*Instance).Wait(0xc0001c2000)\n\t/src/a.go:120 +0x1\n"+
			"app.run(0x1)\n\t/src/a.go:20 +0x1\n")
	}
	assert.Contains(t, dump("0xc0001c2008").Root, "goroutine 2")
	assert.NotContains(t, dump("0x2f0c340").Root, "goroutine 2")
}

// A goroutine that was started with the WaitGroup as an argument is among those
// that it waits for, also where the traceback does not say who created it.
func TestGraphStartedWithWaitGroup(t *testing.T) {
	const dump = "goroutine 198 [semacquire, 1 minutes]:\n" +
		"sync.runtime_Semacquire(0xc0003a20d8)\n\t/go/sema.go:56 +0x42\n" +
		"sync.(*WaitGroup).Wait(0xc0003a20d0)\n\t/go/waitgroup.go:130 +0x64\n" +
		"app.(*pool).connect(0xc0000c2f70, 0x3)\n\t/src/pool.go:486 +0x17b\n" +
		"created by app.(*pool).fill\n\t/src/pool.go:420 +0x1c9\n\n" +
		"goroutine 206 [semacquire, 1 minutes]:\n" +
		"sync.runtime_SemacquireMutex(0xc0000c2fb4)\n\t/go/sema.go:71 +0x47\n" +
		"sync.(*Mutex).Lock(0xc0000c2fb0)\n\t/go/mutex.go:81 +0x7d\n" +
		"app.(*pool).fail(0xc0000c2f70)\n\t/src/pool.go:578 +0x58\n" +
		"app.(*conn).Close(0xc000402f00)\n\t/src/conn.go:535 +0x36f\n" +
		"app.(*pool).connect.func1(0xc0000c2f70, 0xc0003a20d0)\n" +
		"\t/src/pool.go:475 +0x78\ncreated by app.(*pool).connect\n" +
		"\t/src/pool.go:472 +0x14f\n\n"
	r := Diagnose(Rules{}, parseOne(t, dump))
	require.NotEmpty(t, r.Findings)
	assert.Equal(t, Critical, r.Findings[0].Severity)
	assert.Contains(t, r.Root, "206 waits for (*pool) 0xc0000c2f70, which 198 holds")
	assert.Contains(t, r.Root, "198 waits for 206 to end")

	r = Diagnose(Rules{}, parseOne(t, strings.Replace(dump, "0xc0003a20d0)\n\t/src/pool.go:475",
		"0xc0003b20d0)\n\t/src/pool.go:475", 1)))
	assert.NotContains(t, r.Root, "198 waits for 206", "another WaitGroup")
}
