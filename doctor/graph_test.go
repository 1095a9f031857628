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

// Three goroutines that wait for each other are one finding, and the others are
// behind them.
func TestGraphCycleOfThree(t *testing.T) {
	const a, b, c = 0xc000100000, 0xc000200000, 0xc000300000
	inside := func(typ string, object uint64) string {
		return fmt.Sprintf("app.(*%s).Do(%#x)", typ, object)
	}
	r := judged(t, locker(20, 9, "A", a, inside("C", c))+
		locker(21, 9, "B", b, inside("A", a))+
		locker(22, 9, "C", c, inside("B", b))+
		locker(23, 8, "A", a)+locker(24, 8, "B", b))
	var critical []Finding
	for _, f := range r.Findings {
		if f.Severity == Critical {
			critical = append(critical, f)
		}
	}
	require.Len(t, critical, 1)
	assert.Contains(t, r.Root, "deadlock: goroutines 20 and 21 and 22 wait for each "+
		"other (20 ↔ 21 ↔ 22): 20 waits for (*A) 0xc000100000, which 21 holds")
	assert.Contains(t, r.Root, "2 behind them")
	require.NotEmpty(t, r.Waits)
	assert.True(t, r.Waits[0].Cycle)
	assert.Equal(t, 2, r.Waits[0].Behind)
}

// Two locks of one object may be taken in either order.
func TestGraphTwoLocksOfOneObject(t *testing.T) {
	const object = 0xc000100000
	second := strings.Replace(locker(21, 9, "A", object), "lockSlow(0xc000100010)",
		"lockSlow(0xc000100020)", 1)
	r := judged(t, locker(20, 9, "A", object)+strings.Replace(second, "Get", "Set",
		1))
	assert.Contains(t, r.Root, "most likely a deadlock: goroutines 20 and 21 wait "+
		"for each other (20 ↔ 21): 20 waits for (*A) 0xc000100000, which 21 may hold")
	require.NotEmpty(t, r.Findings)
	for _, f := range r.Findings {
		assert.Equal(t, ReceiverPresent, f.Receiver, f.Sentence)
		// Either may have come to its lock without the other one.
		assert.Equal(t, ConfidenceMedium, f.Confidence, f.Sentence)
		assert.Equal(t, ConfidenceMedium, f.ReceiverConfidence, f.Sentence)
	}
}

// A goroutine in the loop of an object that is ready for its next job does not
// hold the object's lock; nor does one in another instance.
func TestGraphNotTheHolder(t *testing.T) {
	const object = 0xc000100000
	for name, other := range map[string]string{
		"its loop": "goroutine 30 [select, 9 minutes]:\napp.(*A).loop(0xc000100000)\n" +
			"\t/app/A.go:30 +0x1\ncreated by app.Start in goroutine 1\n\t/app/app.go:6 " +
			"+0x1\n\n",
		"another instance": "goroutine 30 [IO wait, 9 minutes]:\n" +
			"app.(*A).Flush(0xc000900000)\n\t/app/A.go:30 +0x1\n" +
			"app.(*B).Do(0xc000200000)\n\t/app/B.go:3 +0x1\n\n",
	} {
		_, f := findingOf(judged(t, locker(20, 9, "A", object)+other), "app.(*A).Get")
		require.NotNil(t, f, name)
		assert.NotContains(t, f.Sentence, "holds", name)
		assert.NotEqual(t, ConfidenceHigh, f.ReceiverConfidence, name)
	}
	_, f := findingOf(judged(t, locker(20, 9, "A", object)+
		"goroutine 30 [IO wait, 9 minutes]:\napp.(*A).Flush(0xc000100000)\n"+
		"\t/app/A.go:30 +0x1\napp.(*B).Do(0xc000200000)\n\t/app/B.go:3 +0x1\n\n"),
		"app.(*A).Get")
	assert.Contains(t, f.Sentence, "goroutine 30 holds (*A) 0xc000100000 and is "+
		"waiting for IO in app.(*A).Flush (A.go:30) for 9 minutes")
	assert.Equal(t, ConfidenceHigh, f.ReceiverConfidence)
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

// The receiver of the method that locks is often doubtful, because nothing
// needs it after the lock. A lock at the beginning of its object tells it.
func TestGraphCycleDoubtful(t *testing.T) {
	const a, b = 0xc000100000, 0xc000100010 // so close that a lock may be in either
	waiting := func(id int, typ string, lock uint64, below string) string {
		return fmt.Sprintf("goroutine %d [sync.Mutex.Lock, 13 minutes]:\n"+
			"internal/sync.(*Mutex).lockSlow(%#x)\n\t/go/mutex.go:1 +0x1\n"+
			"sync.(*Mutex).Lock(...)\n\t/go/mutex.go:2\n"+
			"app.(*%s).use(0xbebc200?)\n\t/app/%s.go:7 +0x1\n%s"+
			"created by app.Start in goroutine 1\n\t/app/app.go:5 +0x1\n\n",
			id, lock, typ, typ, below)
	}
	both := func(typ string, object uint64) string {
		return fmt.Sprintf("app.(*%s).both(%#x)\n\t/app/%s.go:9 +0x1\n", typ, object,
			typ)
	}
	dump := waiting(5, "B", b, both("A", a)) + waiting(6, "A", a, both("B", b))
	for i := range 20 {
		dump += waiting(30+i, "A", a, "") + waiting(60+i, "B", b, "")
	}
	r := judged(t, dump)
	assert.Contains(t, r.Root, "deadlock: goroutines")
	assert.Contains(t, r.Root, "5 waits for (*B) 0xc000100010, which 6 holds")
	assert.Contains(t, r.Root, "6 waits for (*A) 0xc000100000, which 5 holds")
	assert.Contains(t, r.Root, "40 behind them")
}

// A cycle that is known by names only is no proof.
func TestGraphNamesProveNoDeadlock(t *testing.T) {
	r := Diagnose(Rules{}, process(
		standing(20, "chan send", "app.(*W).Put", inRequest),
		standing(1, "sync.Mutex.Lock", "sync.(*Mutex).Lock", "app.(*W).take",
			"app.(*W).run")))
	assert.NotContains(t, r.Root, "deadlock")
}

// A thousand of what a library keeps for each pool are a thousand pools.
func TestPoolsLeak(t *testing.T) {
	for n, want := range map[int]bool{999: false, 1000: true} {
		s := standing(n, "select", "database/sql.(*DB).connectionOpener")
		r := Diagnose(Rules{}, process(s))
		assert.Equal(t, want, len(r.Findings) == 1, "%d", n)
		if want {
			assert.Contains(t, r.Findings[0].Sentence, "was opened and not closed")
		}
	}
	r := Diagnose(Rules{}, process(standing(5000, "IO wait",
		"internal/poll.(*FD).Read", "net/http.(*conn).serve")))
	assert.Empty(t, r.Findings, "a connection for each client")
}

// A library that waits for something to be given back is not idle.
func TestResources(t *testing.T) {
	for call, what := range map[string]string{
		"golang.org/x/sync/semaphore.(*Weighted).Acquire": "a semaphore.Weighted",
		"golang.org/x/sync/errgroup.(*Group).Go":          "a free place in an errgroup",
		"database/sql.(*DB).conn":                         "a database connection",
		"github.com/jackc/pgx/v5/pgxpool.(*Pool).Acquire": "a database connection",
		"example.com/a/vendor/golang.org/x/sync/semaphore.(*Weighted).Acquire": "" +
			"a semaphore.Weighted",
	} {
		_, f := opinionOn(t, "app.f", Rules{}, process(waited(
			standing(1, "select", call, "app.f"), 5)))
		require.NotNil(t, f, call)
		assert.Contains(t, f.Sentence, "1 goroutine is waiting for "+what, call)
		g, f := opinionOn(t, "app.f", Rules{}, process(
			standing(9, "select", call, "app.f")))
		assert.Nil(t, f, call)
		assert.Equal(t, VerdictWorking, g.Verdict)
	}
	assert.Empty(t, resource(standing(1, "select",
		"database/sql.(*DB).connectionOpener", "app.f")))
}

// A goroutine that panics is neither idle nor stuck.
func TestPanicking(t *testing.T) {
	g, f := opinionOn(t, "app.TestX", Rules{}, process(standing(1, "running",
		"testing.tRunner.func1.2", "panic", "app.TestX", "testing.tRunner")))
	assert.Equal(t, VerdictWorking, g.Verdict)
	require.NotNil(t, f)
	assert.Equal(t, Info, f.Severity)
	assert.Contains(t, f.Sentence, "it panics")
}

// What is behind a call of a test or of main alone ends with the process; a
// WaitGroup whose workers are gone does not end.
func TestWaitGroupWithoutWorkers(t *testing.T) {
	wait := "goroutine 20 [sync.WaitGroup.Wait, 30 minutes]:\n" +
		"sync.(*WaitGroup).Wait(0xc000100040)\n\t/go/wg.go:1 +0x1\n" +
		"app.(*J).finish(0xc000100000)\n\t/app/J.go:20 +0x1\n" +
		"created by app.Start in goroutine 1\n\t/app/app.go:5 +0x1\n\n"
	worker := "goroutine 30 [select]:\napp.(*J).work(0xc000100000)\n\t/app/J.go:30 " +
		"+0x1\ncreated by app.(*J).finish in goroutine 20\n\t/app/J.go:19 +0x1\n\n"
	_, f := findingOf(judged(t, wait), "app.(*J).finish")
	require.NotNil(t, f)
	assert.Contains(t, f.Sentence, "no goroutine is left that it or its creator has "+
		"started")
	_, f = findingOf(judged(t, wait+worker), "app.(*J).finish")
	assert.Nil(t, f)
}

// A goroutine that waits for a child process is idle by design and may hold a
// lock all the same.
func TestGraphHolderWaitsForChild(t *testing.T) {
	const child = "goroutine 30 [syscall, 12 minutes]:\n" +
		"syscall.Syscall6(0x3d, 0x514)\n\t/go/asm.s:1 +0x1\n" +
		"os.(*Process).wait(0xc000010000)\n\t/go/exec_unix.go:22 +0x1\n" +
		"os/exec.(*Cmd).Wait(0xc000020000)\n\t/go/exec.go:1 +0x1\n" +
		"app.(*Unit).Start(%#x)\n\t/app/unit.go:30 +0x1\n" +
		"app.serve(0xc000030000)\n\t/app/app.go:1 +0x1\n\n"
	const unit = 0xc000100000
	waits := locker(20, 11, "Unit", unit) + locker(21, 10, "Unit", unit)
	r := judged(t, waits+fmt.Sprintf(child, int64(unit)))
	assert.Contains(t, r.Root, "goroutine 30: it holds (*Unit) 0xc000100000")
	assert.Contains(t, r.Root, "2 behind it")

	r = judged(t, waits+fmt.Sprintf(child, int64(unit+0x1000)))
	assert.NotContains(t, r.Root, "goroutine 30", "another one")
}

// Several goroutines behind one whose write is blocked are a finding at once:
// the other side does not read. Behind one that reads, they are none.
func TestGraphHolderWrites(t *testing.T) {
	const io = "goroutine 30 [IO wait]:\n" +
		"internal/poll.runtime_pollWait(0x7f00, 0x77)\n\t/go/netpoll.go:1 +0x1\n" +
		"internal/poll.(*pollDesc).%s(0xc000010000)\n\t/go/fd.go:1 +0x1\n" +
		"net.(*conn).Do(0xc000020000)\n\t/go/net.go:1 +0x1\n" +
		"app.(*Conn).Flush(0xc000100000)\n\t/app/conn.go:30 +0x1\n" +
		"app.serve(0xc000030000)\n\t/app/app.go:1 +0x1\n\n"
	waits := strings.ReplaceAll(locker(20, 0, "Conn", 0xc000100000)+
		locker(21, 0, "Conn", 0xc000100000), ", 0 minutes", "")
	r := judged(t, waits+fmt.Sprintf(io, "waitWrite"))
	require.NotEmpty(t, r.Findings)
	assert.Equal(t, Warning, r.Findings[0].Severity)
	assert.Contains(t, r.Findings[0].Sentence, "the other side does not read")

	r = judged(t, waits+fmt.Sprintf(io, "waitRead"))
	require.NotEmpty(t, r.Findings)
	assert.Equal(t, Info, r.Findings[0].Severity)

	r = judged(t, waits+strings.Replace(fmt.Sprintf(io, "waitWrite"), "net.(*conn).Do",
		"net.(*netFD).connect", 1))
	require.NotEmpty(t, r.Findings)
	assert.Equal(t, Info, r.Findings[0].Severity, "a connection waits to be writable, too")
	assert.NotContains(t, r.Findings[0].Sentence, notRead)

	one := waits[:strings.Index(waits, "goroutine 21")]
	write := "goroutine 30 [syscall%s]:\nsyscall.Syscall(0x1, 0x2)\n\t/go/a.s:1 +0x1\n" +
		"syscall.write(0x2, 0xc03a51a800)\n\t/go/z.go:1 +0x1\n" +
		"app.(*Conn).Flush(0xc000100000)\n\t/app/conn.go:30 +0x1\n" +
		"app.serve(0xc000030000)\n\t/app/app.go:1 +0x1\n\n"
	r = judged(t, one+fmt.Sprintf(write, ", 1 minutes"))
	require.Len(t, r.Findings, 1)
	assert.Equal(t, Warning, r.Findings[0].Severity)
	assert.Contains(t, r.Findings[0].Sentence, "the other side does not read")
	assert.Contains(t, r.Root, "goroutine 30")
	r = judged(t, one+fmt.Sprintf(write, ""))
	require.Len(t, r.Findings, 1)
	assert.Equal(t, Info, r.Findings[0].Severity, "a write that began just now")

	r = judged(t, one+fmt.Sprintf(io, "waitWrite"))
	require.NotEmpty(t, r.Findings)
	assert.Equal(t, Info, r.Findings[0].Severity, "one waits")
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

// Two goroutines in the same call of the library on the same value: the one
// that does not wait holds its lock. Reading a connection holds no lock that a
// write to it waits for.
func TestGraphLockOfTheLibrary(t *testing.T) {
	const waiting = "goroutine 9 [semacquire, 10 minutes]:\n" +
		"sync.runtime_SemacquireMutex(0xc000b52b70, 0x0, 0x1)\n\t/go/src/sema.go:71 +0x1\n" +
		"sync.(*Mutex).Lock(0xc000b52b6c)\n\t/go/src/mutex.go:81 +0x1\n" +
		"net/http.(*body).Read(0xc000b52b40, 0xc003, 0x2)\n\t/go/src/transfer.go:834 +0x1\n" +
		"app.handle(0xc0001)\n\t/src/app.go:9 +0x1\n\n"
	holder := func(call string) string {
		return "goroutine 8 [IO wait, 10 minutes]:\n" +
			"net.(*conn).Read(0xc00000e888)\n\t/go/src/net.go:184 +0x1\n" +
			call + "(0xc000b52b40, 0xc004, 0x2)\n\t/go/src/transfer.go:839 +0x1\n" +
			"net/http.(*persistConn).writeLoop(0xc001c0e000)\n\t/go/src/transport.go:2213 +0x1\n"
	}
	assert.Contains(t, judged(t, waiting+holder("net/http.(*body).Read")).Root,
		"everything waits for goroutine 8: it holds")
	assert.Contains(t, judged(t, strings.ReplaceAll(waiting+holder("log.(*Logger).Output"),
		"net/http.(*body).Read", "log.(*Logger).SetPrefix")).Root,
		"everything waits for goroutine 8: it holds", "a Logger has one lock")
	r := judged(t, waiting+holder("net/http.(*body).Other"))
	assert.NotContains(t, r.Root, "goroutine 8")
	assert.Equal(t, ReceiverUnknown, r.Findings[0].Receiver)
}

// Without addresses it may be another value's.
func TestGraphLockOfTheLibraryByName(t *testing.T) {
	r := judged(t, "goroutine 9 [sync.Mutex.Lock, 10 minutes]:\n"+
		"log.(*Logger).output(...)\n\t/go/src/log.go:9 +0x1\n"+
		"app.handle()\n\t/src/app.go:9 +0x1\n\n"+
		"goroutine 8 [syscall, 10 minutes]:\n"+
		"os.(*File).Write(...)\n\t/go/src/file.go:9 +0x1\n"+
		"log.(*Logger).output(...)\n\t/go/src/log.go:12 +0x1\n"+
		"app.other()\n\t/src/app.go:19 +0x1\n")
	require.NotEmpty(t, r.Findings)
	assert.Equal(t, ConfidenceLow, r.Findings[0].ReceiverConfidence)
	assert.Contains(t, r.Findings[0].Sentence,
		"a goroutine in log.(*Logger).output may hold it")
}

// A File's lock is not in the File: that both are in a call on the same one tells.
func TestGraphLockBehindAFile(t *testing.T) {
	dump := func(file string) *Report {
		return judged(t, "goroutine 9 [semacquire, 14 minutes]:\n"+
			"sync.runtime_Semacquire(0x111b2254)\n\t/go/sema.go:47 +0x1\n"+
			"sync.(*Mutex).Lock(0x111b2250)\n\t/go/mutex.go:83 +0x1\n"+
			"os.(*File).write(0x111ce0d8)\n\t/go/file.go:395 +0x1\n"+
			"app.Log(0x1)\n\t/src/app.go:9 +0x1\n\n"+
			"goroutine 8 [syscall, 14 minutes]:\n"+
			"syscall.WriteConsole(0x7)\n\t/go/z.go:1231 +0x1\n"+
			"os.(*File).write("+file+")\n\t/go/file.go:397 +0x1\n"+
			"app.Log(0x1)\n\t/src/app.go:9 +0x1\n")
	}
	r := dump("0x111ce0d8")
	assert.Contains(t, r.Root, "everything waits for goroutine 8")
	assert.Equal(t, ConfidenceMedium, r.Findings[0].ReceiverConfidence)
	r = dump("0x111ce0f8")
	assert.NotContains(t, r.Root, "everything waits")
	assert.Equal(t, ConfidenceLow, r.Findings[0].ReceiverConfidence)
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
