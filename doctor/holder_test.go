package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A holder that waits for a connection of a pool is stuck as long as the pool is
// empty.
func TestJudgeHolderWaitsForPool(t *testing.T) {
	dump := func(call string) *Finding {
		r := Diagnose(Rules{}, parseOne(t, "goroutine profile: total 2\n1 @ 0x1 0x2 0x3\n"+
			"#\t0x1\tsync.(*RWMutex).RLock+0x1\t/go/src/m.go:9\n"+
			"#\t0x2\tapp.(*Stmts).prepare+0x1\t/src/stmts.go:66\n"+
			"#\t0x3\tapp.(*Stmts).Exec+0x1\t/src/stmts.go:9\n\n1 @ 0x4 0x5\n"+
			"#\t0x4\t"+call+"+0x1\t/go/src/sql.go:9\n"+
			"#\t0x5\tapp.(*Stmts).prepare+0x1\t/src/stmts.go:73\n"+
			"#\t0x6\tapp.(*Stmts).Query+0x1\t/src/stmts.go:19\n\n"))
		_, f := findingOf(r, "app.(*Stmts).prepare")
		require.NotNil(t, f)
		return f
	}
	f := dump("database/sql.(*DB).conn")
	assert.Equal(t, Warning, f.Severity)
	assert.Contains(t, f.Sentence, "waiting for a database connection")
	assert.Equal(t, Info, dump("database/sql.(*DB).Ping").Severity)
}

func TestJudgeUnheldLock(t *testing.T) {
	lock := func(minutes string) *Report {
		return judged(t, "goroutine 60 [sync.Mutex.Lock"+minutes+"]:\n"+
			"sync.(*Mutex).Lock(0x2f0c340)\n\t/go/src/sync/mutex.go:46\n"+
			"app.(*Instance).Stop(0xc0001c2000)\n\t/src/app.go:150 +0x1\n\n")
	}
	for minutes, want := range map[string]Severity{"": Info, ", 1 minutes": Info,
		", 2 minutes": Warning} {
		r := lock(minutes)
		require.Len(t, r.Findings, 1, minutes)
		assert.Equal(t, want, r.Findings[0].Severity, minutes)
	}
}

// TestHolder: the holder of a lock is inside the same type, and not waiting
// for that lock.
func TestHolder(t *testing.T) {
	waiting := func() *Stack {
		return standing(3, "sync.Mutex.Lock", "sync.(*Mutex).Lock",
			"app.(*Cache).Get", "app.f")
	}
	for name, test := range map[string]struct {
		other    *Stack
		receiver string
		says     string
	}{
		"nobody": {standing(1, "select", "other.f"), "missing", "could hold it"},
		"busy": {standing(1, "syscall", "os.ReadFile", "app.(*Cache).Load"),
			"present",
			"app.(*Cache).Load may hold it and is in a system call (app.go:2)"},
		"blocked": {standing(1, "chan send", "app.(*Cache).Load.func1"), "present",
			"app.(*Cache).Load.func1 may hold it and is blocked sending"},
		"waits for it too": {standing(1, "sync.Mutex.Lock", "sync.(*Mutex).Lock",
			"app.(*Cache).Set"), "missing", "could hold it"},
		"of the package": {standing(1, "running", "app.work"), "unknown",
			"no goroutine is seen to hold it"},
		"accepting": {standing(1, "IO wait", "net.(*TCPListener).Accept",
			"app.(*Cache).Serve"), "missing", "could hold it"},
		"main": {standing(1, "running", "main.main"), "missing", "could hold it"},
		"the snapshot": {standing(1, "running", "runtime/pprof.f",
			"app.(*Cache).Dump"),
			"missing", "could hold it"},
	} {
		_, f := opinionOn(t, "app.(*Cache).Get", Rules{},
			process(waiting(), test.other))
		require.NotNil(t, f, name)
		assert.EqualValues(t, test.receiver, f.Receiver, name)
		assert.Contains(t, f.Sentence, test.says, name)
	}
	// A lock taken twice: the caller of the one that waits is inside already.
	twice := standing(2, "sync.Mutex.Lock", "sync.(*Mutex).Lock",
		"app.(*Cache).Get",
		"app.(*Cache).Update")
	_, f := opinionOn(t, "app.(*Cache).Get", Rules{}, process(twice))
	assert.Contains(t, f.Sentence, "app.(*Cache).Update, among their own "+
		"callers, may hold it")
	assert.EqualValues(t, "present", f.Receiver)
	twice.Count = 1
	_, f = opinionOn(t, "app.(*Cache).Get", Rules{}, process(twice))
	assert.Contains(t, f.Sentence, "app.(*Cache).Update, among its own callers")
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
