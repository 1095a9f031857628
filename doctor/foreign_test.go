package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Text of another tool that cannot be read is known, and there is a remedy.
func TestParseRemedies(t *testing.T) {
	for text, want := range map[string]string{
		"      flat  flat%   sum%        cum   cum%\n":            "-traces",
		"> | flat flat% sum% cum cum% |\n":                        "-traces",
		"Total: 9\nROUTINE ======================== main.f\n":     "pprof -list",
		"PeriodType: goroutine count\nSamples:\n":                 "pprof -raw",
		"* thread #1\n  * frame #0: 0x465a63 app`runtime.futex\n": "threads",
		"    Stack trace of thread 12345:\n":                      "threads",
		"Thread 0 Crashed::  Dispatch queue: main\n":              "threads",
		"Call graph:\n    2026 Thread_1708656\n":                  "threads",
		"--------------------- thread# 4 / lwp# 4 -----\n":        "threads",
		"coroutine root [blocked on chan-1.Receive]:\n":           "Temporal",
		"main.main;main.f;runtime.mallocgc 2978\n":                "flame graph",
		"  7  100%  100%  9  100%  runtime.gopark\n":              "-traces",
		"  7  100%  100%  9  100%  | main.f\n":                    "-traces",
		"heap profile: 1: 8192 [1: 8192] @ heap/1048576\n":        "heap profile",
		"threadcreate profile: total 11\n":                        "threads",
		"--- contention:\ncycles/second=1\n":                      "blocking",
		"--- mutex:\nsampling period=1\n12 3 @ 0x6d2f15\n":        "locks",
		"threadcreate profile: total 8\n8 @ \n#\t0x0\n":           "threads",
		"conns profile: total 12\n12 @ 0x6d2f15 0x6d3001\n":       "conns",
		"--- mutex:\ncycles/second=1\n":                           "locks",
		"Full thread dump OpenJDK 64-Bit\n":                       "Java",
		"digraph \"app\" {\n":                                     "-dot",
		"* 1 running  runtime.systemstack_switch\n":               "info goroutines",
		"#0  runtime.futex () at /go/src/sys.s:583\n":             "gdb",
		"#0  0x00401 in main.f ()\n":                              "gdb",
		"2026/11/24 heap profile: 1: 8192\n":                      "heap profile",
	} {
		_, err := Parse(strings.NewReader(text), "file")
		require.ErrorIs(t, err, ErrNoDump, text)
		assert.Contains(t, err.Error(), "file: ", text)
		assert.Contains(t, err.Error(), want, text)

		// Next to a dump it is reported as well.
		p := parseOne(t, sample+"\n"+text)
		assert.Equal(t, 4, p.Goroutines)
		require.Len(t, p.Troubles, 1, text)
		assert.Contains(t, p.Troubles[0].Why, want, text)
	}
	for _, text := range []string{
		"we saw a heap profile: large\n", "3 waiting for it\n", "#0 is first\n",
		"7: running late\n", "0: select\n", "Goroutine x - User: a\n",
		"(dlv) help\n", "3 times: [x\n", "0  0x1 of it\n",
	} {
		_, err := Parse(strings.NewReader(text), "file")
		assert.ErrorIs(t, err, ErrNoDump, text)
		assert.Contains(t, err.Error(), "no goroutine in it", text)
	}
}

// Output of other tools may come before and after any other text.
func TestParseToolsMixed(t *testing.T) {
	const stack = "example.com/app.(*Queue).Put"
	for name, test := range map[string]struct {
		text string
		want []int
	}{
		"traces, then a dump": {"-----------+-----\n  7   runtime.gopark\n      " +
			stack + "\n-----------+-----\n\n" + sample, []int{7, 4}},
		"traces with labels": {"Type: goroutine\n-----------+-----\n  pid:  7\n" +
			"  tenant:  a b\n  7   runtime.gopark\n      " + stack +
			" (inline)\n      main.f (partial-inline)\n", []int{7}},
		"traces, then a crash": {"-----------+-----\n  7   runtime.gopark\n\n" +
			"panic: boom\n\ngoroutine 9 [running]:\nmain.f()\n\t/a.go:1 +0x1\n",
			[]int{7, 1}},
		"a profile, then delve": {"goroutine profile: total 1\n1 @ 0x1\n\nx\n" +
			"  Goroutine 3 - Start: /a.go:1 main.f (0x1) [select]\n", []int{1, 1}},
		"delve twice": {strings.Repeat("* Goroutine 1 - User: /a.go:1 main.main "+
			"(0x1) (thread 1)\n\n[1 goroutine]\n", 2), []int{1, 1}},
		"backtraces without a command": {strings.Repeat("0  0x1 in runtime.gopark\n"+
			"   at /a.go:1\n1  0x2 in main.f\n   at /b.go:2\n", 2), []int{2}},
		"a backtrace after a profile": {"goroutine profile: total 1\n1 @ 0x1\n\nx\n" +
			"0  0x1 in runtime.gopark\n   at /a.go:1\nthe end\n", []int{1, 1}},
		"groups after a profile": {"goroutine profile: total 1\n1 @ 0x1\n\nx\n" +
			"2: select [Created by main.main]\n    main a.go:1 f()\nthe end\n",
			[]int{1, 2}},
		"a report, then the usual form": {"POTENTIAL DEADLOCK:\n" +
			"Previous place where the lock was grabbed\n" +
			"goroutine 7 lock 0xc000812ba0\n/a.go:78 app.(*Cache).Get ??? <<<<<\n" +
			"/a.go:79 no symbol\n\nHave been trying to lock it again for more than 30s\n" +
			"goroutine 8 lock 0xc000812ba0\n/a.go:90 app.(*Cache).Put ??? <<<<<\n\n" +
			"Here is what goroutine 7 doing now\ngoroutine 7 [select]:\n" +
			"app.(*Cache).Get(0xc000812ba0)\n\t/a.go:80 +0x1\n\n" +
			"Other goroutines holding locks:\nsomething else\n", []int{2}},
		"a report without its beginning": {"It says:\n\n" +
			"goroutine 7 lock 0xc000812ba0\n~/a.go:78 app.(*Cache).Get { l() } <<<<<\n\n" +
			"Have been trying to lock it again for more than 30s\n" +
			"goroutine 8 lock 0xc000812ba0\n~/a.go:90 app.(*Cache).Put { l() } <<<<<\n\n" +
			"we see goroutine 9 lock it\n", []int{2}},
		"a lock taken twice by one goroutine": {"POTENTIAL DEADLOCK: Duplicate " +
			"locking, saw callers this locks in one goroutine:\n" +
			"current goroutine 7 lock &{{{17 0} 0 0 -1073741824 0}}\n" +
			"all callers to this lock in the goroutine\n" +
			"src/a.go:78 app.(*Cache).Get ??? <<<<<\n\n\n" +
			"Other goroutines holding locks:\ngoroutine 8 lock 0xc0003b6018\n" +
			"src/b.go:7 app.(*Cache).Put ??? <<<<<\n\n\n", []int{1}},
		"joined, fewer ids than goroutines": {"goroutine 7 [select]: 3 times: [[7, 9]\n" +
			"main.f()\n\t/a.go:1 +0x1\n", []int{3}},
	} {
		all, err := Parse(strings.NewReader(test.text), "x")
		require.NoError(t, err, name)
		var got []int
		for _, p := range all {
			got = append(got, p.Goroutines)
		}
		assert.Equal(t, test.want, got, name)
	}
}

// What goleak reports is a leak, whatever it waits for: the tests had ended.
func TestGoleakIsLeak(t *testing.T) {
	const report = "goleak: Errors on successful test run: found unexpected " +
		"goroutines:\n[Goroutine 59 in state select, with app.send on top of the " +
		"stack:\n%sapp.send(0x1)\n\t/app/app.go:7 +0x1\n" +
		"created by app.Start\n\t/app/app.go:5 +0x1\n]\n"
	for _, header := range []string{"", "goroutine 59 [select]:\n"} {
		r := Diagnose(Rules{}, parseOne(t, fmt.Sprintf(report, header)))
		require.Len(t, r.Findings, 1)
		assert.Equal(t, Warning, r.Findings[0].Severity)
		assert.Contains(t, r.Findings[0].Sentence,
			"found alive after the tests had ended")
	}
	r := Diagnose(Rules{}, parseOne(t, fmt.Sprintf(report, "")+
		"\ngoroutine 60 [select]:\napp.other()\n\t/app/app.go:9 +0x1\n"))
	require.Len(t, r.Findings, 1, "it does not report 60")
}

// The header of goroutines that another tool has joined has their number.
func TestParseJoined(t *testing.T) {
	snap := parseOne(t, "Showing 2 unique goroutines out of 49 total:\n\n"+
		"48 goroutines [semacquire, 4 minutes]:\nsync.(*RWMutex).RLock(0x1)\n"+
		"    /go/rwmutex.go:36 +0x5e\nmain.(*Model).Request(0x2)\n"+
		"    /a.go:316 +0x86\ncreated by main.f\n    /a.go:319 +0xc7\n\n"+
		"1 goroutines [chan receive]:\nmain.g()\n    /a.go:90 +0x96\n\n"+
		"3 goroutines [were] seen\n")
	assert.Equal(t, 49, snap.Goroutines)
	require.Len(t, snap.Stacks, 2)
	assert.Equal(t, 4, snap.Stacks[0].longest())
	assert.Equal(t, RWMutex, operationOf(snap.Stacks[0]))
	assert.Zero(t, snap.Unreadable)
}

// Delve counts a wait from the start of the machine, or since 1970.
func TestWaitReason(t *testing.T) {
	for s, want := range map[string]string{
		"chan send 1580":                    "chan send",
		"chan send 457314h58m45.572259763s": "chan send",
		"select":                            "select",
		"sync.Mutex.Lock 12":                "sync.Mutex.Lock",
		"chan receive (nil chan)":           "chan receive (nil chan)",
	} {
		assert.Equal(t, want, waitReason(s))
	}
}

// Markdown takes the stars of two receivers for emphasis.
func TestStarred(t *testing.T) {
	for name, want := range map[string]string{
		"sync.(_RWMutex).RLock": "sync.(*RWMutex).RLock",
		"sync.(RWMutex).RLock":  "sync.(*RWMutex).RLock",
		"a.b/c.(_T).f.func1":    "a.b/c.(*T).f.func1",
		"sync.(*RWMutex).RLock": "sync.(*RWMutex).RLock",
		"main.f":                "main.f",
		"a.(*r).(a/b.get)-fm":   "a.(*r).(a/b.get)-fm",
		"a.(r).(a/b.get)-fm":    "a.(*r).(a/b.get)-fm",
		"main.(":                "main.(",
	} {
		assert.Equal(t, want, string(starred([]byte(name))))
	}
}

// A letter may stand for an id, the file on the line of the call, and its
// author's remark behind it.
func TestParseRetyped(t *testing.T) {
	snap := parseOne(t, "goroutine A [chan send, 3 minutes]:\n"+
		"  ddl.(*worker).run.func1()   pkg/ddl/index.go:1434  // doneCh <- err\n\n"+
		"goroutine B [chan receive, 7 minutes]:\n"+
		"  pools.(*Pool).Close()   pkg/pool.go:7\n\n")
	assert.Equal(t, 2, snap.Goroutines)
	require.Len(t, snap.Stacks[0].Frames, 1)
	assert.Equal(t, Frame{Func: "ddl.(*worker).run.func1",
		File: "pkg/ddl/index.go", Line: 1434}, snap.Stacks[0].Frames[0])
	assert.Zero(t, snap.Unreadable)
}

// Records of a profile with prose between them are one extract, unless one of
// them comes again.
func TestParseRecordsInProse(t *testing.T) {
	const a = "1 @ 0x10 0x20\n#\t0x1f\tapp.a+0x1\t/a.go:1\n\n"
	const b = "2 @ 0x10 0x30\n#\t0x2f\tapp.b+0x1\t/a.go:2\n\n"
	snap := parseOne(t, "The writer:\n```\n"+a+"```\nand the flusher:\n```\n"+b+
		"```\n")
	assert.Equal(t, 3, snap.Goroutines)
	assert.True(t, snap.Extract)

	snaps, err := Parse(strings.NewReader(a+"Later:\n"+a+b), "x")
	require.NoError(t, err)
	require.Len(t, snaps, 2)
	assert.Equal(t, 1, snaps[0].Goroutines)
	assert.Equal(t, 3, snaps[1].Goroutines)
	assert.True(t, snaps[1].Extract)
}

func TestForeignStacksOfAnEditor(t *testing.T) {
	p := parseOne(t, "stopped here:\n\nGoroutine 86\n"+
		"  runtime.gopark (/go/src/runtime/proc.go:364)\n"+
		"  runtime.chansend (/go/src/runtime/chan.go:259)\n"+
		"  app.(*Q).Put (<snip>/queue.go:31)\n"+
		"  created at: main.main (/src/main.go:9)\n\n"+
		"* Goroutine 87:\n  runtime.selectgo (/go/src/runtime/select.go:328)\n"+
		"  app.(*Q).run (/src/queue.go:50)\n\nGoroutine 9 is not one\n")
	require.Len(t, p.Stacks, 2)
	assert.Equal(t, uint64(86), p.Stacks[0].members.member(0).ID)
	assert.Equal(t, ChanSend, operationOf(p.Stacks[0]))
	assert.Equal(t, "main.main", p.Stacks[0].CreatedBy.Func)
	assert.Equal(t, Select, operationOf(p.Stacks[1]))
	assert.Equal(t, "app.(*Q).run", siteOf(p.Stacks[1]).Func)
}

// The leak checks of projects print their own words before each goroutine.
func TestForeignLeakCheck(t *testing.T) {
	for words, leaked := range map[string]bool{
		"end2end_test.go:1388: Leaked goroutine: ": true,
		"goroutine leak: ":                         true,
		"Leaking goroutine ":                       true,
		"not a leaked goroutine here: ":            false,
		"":                                         false,
	} {
		p := parseOne(t, "        "+words+"goroutine 2738 [select]:\n"+
			"                app.NewStream.func1(0xc82035e690)\n"+
			"                        /src/stream.go:148 +0x257\n"+
			"                created by app.NewStream\n"+
			"                        /src/stream.go:156 +0xa99\n")
		assert.Equal(t, leaked, p.leftover[2738], words)
	}
}

func TestForeignReportOfLeaktest(t *testing.T) {
	p := parseOne(t, "--- FAIL: TestJean (5.26s)\n"+
		"\tleaktest.go:150: leaktest: leaked goroutine: goroutine 10 [select]:\n"+
		"\t\tapp.(*loop).run(0x1f8cf70)\n\t\t\t/src/loop.go:17 +0x57\n"+
		"\t\tcreated by app.start\n\t\t\t/src/loop.go:9 +0x6\nFAIL\n")
	r := Diagnose(Rules{}, p)
	require.Len(t, r.Findings, 1)
	assert.Contains(t, r.Root, "found alive after the tests had ended")
}

// Delve prints the first goroutines of a group, and how many there are.
func TestDelveGroups(t *testing.T) {
	const put = "\tGoroutine %d - User: /src/q.go:61 app.(*Q).Put (0xfa0a14) [chan send 9s]\n"
	const run = "\tGoroutine 1 - User: /src/q.go:88 app.(*Q).Close (0xd93a85) [semacquire]\n"
	text := "(dlv) goroutines -group userloc\napp.(*Q).Put\n" + fmt.Sprintf(put, 18) +
		fmt.Sprintf(put, 19) + "\t...\n\tTotal: 31\n/src/q.go:88 in app.(*Q).Close\n" + run +
		"\tTotal: 1\n[32 goroutines]\n"
	p := parseOne(t, text)
	assert.Equal(t, 32, p.Goroutines)
	assert.Zero(t, p.Unreadable)
	require.Len(t, p.Stacks, 2)
	assert.Equal(t, 31, p.Stacks[0].Count)
	// Goroutines in several places are not counted for one of them.
	p = parseOne(t, strings.Replace(text, fmt.Sprintf(put, 18), strings.Replace(fmt.Sprintf(
		put, 18), "q.go:61", "q.go:99", 1), 1))
	assert.Equal(t, 3, p.Goroutines)
	assert.Equal(t, 29, p.Unreadable)
}

// The list of delve may be shortened by its author.
func TestDelveTotal(t *testing.T) {
	const one = "  Goroutine 7 - User: /a.go:1 main.f (0x1) [chan send]\n"
	p := parseOne(t, one+"[14 goroutines]\n")
	assert.True(t, p.Truncated)
	assert.Equal(t, 13, p.Unreadable)
	assert.Contains(t, p.Troubles[0].Why, "announces 14 goroutines and has 1")
	p = parseOne(t, one+"[1 goroutines]\n")
	assert.False(t, p.Truncated)
	assert.Zero(t, p.Unreadable)
}

// Events of services that collect errors have frames, but no goroutines. A log has
// them between other records.
func TestForeignEvents(t *testing.T) {
	for text, want := range map[string]string{
		"{\n \"frames\": [\n  {\"function\": \"f\", \"abs_path\": \"/a.go\"}\n ]\n}\n": "error",
		`{"events":[{"exceptions":[{"errorClass":"E"}]}]}`:                             "error",
		`{"$schema":"https://www.speedscope.app/file-format-schema.json","x":[]}`:      "speedscope",
	} {
		_, err := Parse(strings.NewReader(text), "t")
		require.ErrorIs(t, err, ErrNoDump)
		assert.Contains(t, err.Error(), want)
		p := parseOne(t, text+"\n"+sample)
		assert.Equal(t, 4, p.Goroutines)
		assert.Empty(t, p.Troubles)
	}
}

// What a script has counted has no stacks, and a log has many numbers.
func TestForeignCounted(t *testing.T) {
	for _, text := range []string{"   3341 sync.runtime_Semacquire(\n    491 a/b.(*D).Run(\n",
		"41 app.(*Queue).Put(...)\n"} {
		_, err := Parse(strings.NewReader(text), "t")
		require.ErrorIs(t, err, ErrNoDump)
		assert.Contains(t, err.Error(), "counted calls")
		p := parseOne(t, sample+"\n"+text)
		assert.Empty(t, p.Troubles)
	}
	for _, text := range []string{"7 files (\n", "12 a.b\n", "x 7 a.b(\n"} {
		_, err := Parse(strings.NewReader(text), "t")
		assert.Contains(t, err.Error(), "no goroutine in it", text)
	}
}

// Directories of Windows have blanks.
func TestDelvePlace(t *testing.T) {
	p := parseOne(t, "  Goroutine 2 - User: c:/program files/go/src/runtime/proc.go:367 "+
		"runtime.gopark (0x7ff691f5c796) [chan send 457422h31m33.7s]\n")
	assert.Equal(t, Frame{Func: "runtime.gopark", File: "c:/program files/go/src/runtime/" +
		"proc.go", Line: 367}, p.Stacks[0].Frames[0])
	p = parseOne(t, "  Goroutine 2 - User: ?:0 main.f (0x7) [select]\n")
	assert.Equal(t, "main.f", p.Stacks[0].Frames[0].Func)
}
