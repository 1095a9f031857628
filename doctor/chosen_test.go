package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The author of an extract of one goroutine shows the one that is stuck, unless
// it is in a loop or reads a connection; with the runtime's around it, too.
func TestChosenAlone(t *testing.T) {
	const selects = "goroutine 834 [select, 9 minutes]:\n" +
		"app.(*consumer).Receive(0xc0001a6000)\n\t/src/consumer.go:251 +0x196\n" +
		"created by app.Get\n\t/src/get.go:160 +0xe3\n\n"
	const timers = "goroutine 169 [syscall]:\nruntime.notetsleepg(0xd018c0, 0x70c335)\n" +
		"\t/go/lock.go:227 +0x34\nruntime.timerproc(0xd018a0)\n\t/go/time.go:311 +0x2ea\n" +
		"created by runtime.(*timersBucket).addtimerLocked\n\t/go/time.go:169 +0x10e\n\n"
	const call = "goroutine 106 [syscall, 66 minutes]:\n" +
		"syscall.Syscall6(0x2d, 0x4)\n\t/go/asm.s:44 +0x5\n" +
		"syscall.Recvfrom(0x4)\n\t/go/unix.go:252 +0xaf\n" +
		"nl.(*Socket).Receive(0xc420755260)\n\t/src/nl.go:613 +0x9b\n\n"
	for name, dump := range map[string]string{"a select": selects,
		"and the runtime's": timers + selects, "a system call": call} {
		r := Diagnose(Rules{}, parseOne(t, dump))
		require.Len(t, r.Findings, 1, name)
		assert.Equal(t, Warning, r.Findings[0].Severity, name)
		assert.Equal(t, ConfidenceLow, r.Findings[0].Confidence, name)
		assert.Contains(t, r.Root, "picked from a dump", name)
	}
	for name, dump := range map[string]string{
		"a loop":        strings.Replace(selects, "Receive(", "loop(", 1),
		"with another":  selects + strings.NewReplacer("Receive", "Get", "834", "835").Replace(selects),
		"two of a kind": selects + strings.Replace(selects, "834", "835", 1),
		"just now":      strings.Replace(selects, ", 9 minutes", "", 1),
		"whole dump":    mainGoroutine + selects,
	} {
		for _, f := range Diagnose(Rules{}, parseOne(t, dump)).Findings {
			assert.Less(t, f.Severity, Warning, name)
		}
	}
}

// An extract shows a goroutine that waits for a WaitGroup and one that its function
// has started: neither has gone on for minutes.
func TestChosenTogether(t *testing.T) {
	const dump = "goroutine 116 [semacquire, 2 minutes]:\n" +
		"sync.runtime_Semacquire(0x2c51a86c)\n\t/go/sema.go:56 +0x2e\n" +
		"sync.(*WaitGroup).Wait(0x2c51a860)\n\t/go/waitgroup.go:129 +0x7a\n" +
		"app.(*Client).Query(0x1987c770)\n\t/src/client.go:124 +0x197\n" +
		"created by app.(*Client).lookup\n\t/src/client.go:229 +0xe7\n\n" +
		"goroutine 184 [chan receive, 2 minutes]:\n" +
		"app.(*Client).lookup(0x1987c770)\n\t/src/client.go:236 +0x148\n" +
		"app.(*Client).Query.func1(0x2b2f41b0)\n\t/src/client.go:116 +0x8d\n" +
		"created by app.(*Client).Query\n\t/src/client.go:112 +0x16f\n\n"
	r := Diagnose(Rules{}, parseOne(t, dump))
	_, f := findingOf(r, "app.(*Client).Query")
	require.NotNil(t, f, r.Root)
	assert.Equal(t, Warning, f.Severity)
	assert.Equal(t, ConfidenceLow, f.Confidence)

	for name, text := range map[string]string{
		"started elsewhere": strings.Replace(dump, "by app.(*Client).Query",
			"by app.(*Client).Close", 1),
		"at work": strings.Replace(dump, "chan receive", "IO wait", 1),
		"a younger one": strings.Replace(strings.Replace(dump, "receive, 2 minutes",
			"receive", 1), "semacquire, 2", "semacquire, 3", 1),
		"just now":   strings.ReplaceAll(dump, ", 2 minutes", ""),
		"whole dump": mainGoroutine + dump,
	} {
		assert.Empty(t, Diagnose(Rules{}, parseOne(t, text)).Findings, name)
	}
}

// A single goroutine that waits for others to end was chosen after two minutes
// already, and a caller of one that waits for a lock is no better guess than a
// goroutine that was left out.
func TestChosenAloneWaits(t *testing.T) {
	const joins = "goroutine 512 [semacquire, 3 minutes]:\n" +
		"sync.runtime_Semacquire(0xc004b91f50)\n\t/go/sema.go:56 +0x42\n" +
		"sync.(*WaitGroup).Wait(0xc004b91f48)\n\t/go/waitgroup.go:130 +0x64\n" +
		"sink.(*worker).drain(...)\n\t/src/sink.go:499\n" +
		"sink.flush(0xc000c3e080)\n\t/src/sink.go:476 +0x601\n" +
		"created by sink.open\n\t/src/sink.go:20 +0x66\n\n"
	r := Diagnose(Rules{}, parseOne(t, joins))
	_, f := findingOf(r, "sink.(*worker).drain")
	require.NotNil(t, f)
	assert.Equal(t, Warning, f.Severity)
	assert.Equal(t, ConfidenceLow, f.Confidence)
	for name, dump := range map[string]string{
		"a minute":     strings.Replace(joins, "3 minutes", "1 minutes", 1),
		"whole dump":   mainGoroutine + joins,
		"with another": joins + strings.NewReplacer("512", "513", "drain", "wait").Replace(joins),
	} {
		assert.Empty(t, Diagnose(Rules{}, parseOne(t, dump)).Findings, name)
	}

	const locks = "goroutine 17 [semacquire, 2871 minutes]:\n" +
		"sync.runtime_SemacquireMutex(0xc03f81e8c4, 0x1)\n\t/go/sema.go:71 +0x47\n" +
		"sync.(*Mutex).Lock(...)\n\t/go/mutex.go:81\n" +
		"les.(*server).serve.func2(0x5d0c1ab9f0e7216a)\n\t/src/server.go:237 +0x362\n" +
		"les.(*server).serve.func4(0xc10b3fe4e0)\n\t/src/server.go:429 +0x265\n" +
		"created by les.(*server).serve\n\t/src/server.go:410 +0xa39\n\n"
	r = Diagnose(Rules{}, parseOne(t, locks))
	require.Len(t, r.Findings, 1)
	assert.Equal(t, ReceiverUnknown, r.Findings[0].Receiver)
	assert.Contains(t, r.Root, "the holder is not in this input, or among "+
		"its own callers")
}

// The author of a part of a profile has not picked each of its records.
func TestPickedAlone(t *testing.T) {
	record := func(i int, call string) string {
		return fmt.Sprintf("1 @ 0x437230 0x406fff 0x406575 0x9%d3c0 0x4671f1\n"+
			"#\t0x9%d3bf\t%s+0xcb\t/src/main.go:%d\n\n", i, i, call, 159+i)
	}
	send := strings.Replace(record(0, "main.run.func2"), "#", "#\t0x406574\t"+
		"runtime.chansend1+0x2a\t/go/chan.go:127\n#", 1)
	few := send + record(1, "app.serve")
	many := few
	for i := 2; i < 10; i++ {
		many += record(i, fmt.Sprintf("app.serve%d", i))
	}
	for text, want := range map[string]Severity{few: Warning, many: Info} {
		_, f := findingOf(Diagnose(Rules{}, parseOne(t, text)), "main.run.func2")
		require.NotNil(t, f)
		assert.Equal(t, want, f.Severity)
	}
}

// A goroutine that someone picked from a dump after hours is not called in
// order, whatever it waits for; nor is that a warning.
func TestJudgeChosen(t *testing.T) {
	const reading = "goroutine 16446281 [IO wait, 318 minutes]:\n" +
		"net.(*conn).Read(0xc0001e44a0)\n\t/go/src/net.go:177 +0x1\n" +
		"db.(*Conn).handshake(0xc001ce2000)\n\t/src/client.go:230 +0x1\n\n"
	r := Diagnose(Rules{}, parseOne(t, reading))
	require.Len(t, r.Findings, 1)
	assert.Equal(t, Info, r.Findings[0].Severity)
	assert.Contains(t, r.Root, "picked from a dump, after 318 minutes")
	assert.NotContains(t, r.tally(), "nothing stuck")
	assert.Empty(t, judged(t, reading).Findings, "a whole dump has idle readers")
}

// Goroutines of a kind that make up an extract were chosen because they are too
// many.
func TestJudgeChosenMany(t *testing.T) {
	extract := func(n int, call string) *Report {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "goroutine %d [chan receive, %d minutes]:\n"+
				call+"(0xc429ab9a40)\n\t/src/ui.go:37 +0xa0\n"+
				"created by app.(*ui).socket.func1\n\t/src/ui.go:36 +0x18c\n\n",
				700+100*i, 300-10*i)
		}
		return Diagnose(Rules{}, parseOne(t, b.String()))
	}
	const socket = "app.(*ui).socket.func1.1"
	r := extract(10, socket)
	require.Len(t, r.Findings, 1)
	assert.Equal(t, Warning, r.Findings[0].Severity)
	assert.Equal(t, ConfidenceLow, r.Findings[0].Confidence)
	assert.Equal(t, Info, extract(9, socket).Findings[0].Severity)
	assert.Equal(t, Info, extract(10, "app.(*ui).worker").Findings[0].Severity)
}

// An extract without times of a sender and a goroutine that waits shows two ends
// of one stall; the main goroutine most often waits for a signal.
func TestChosenWith(t *testing.T) {
	const send = "goroutine 74 [chan send]:\napp.(*collector).Error(0xc0001ca008)\n" +
		"\t/src/t.go:29 +0x80\ncreated by app.Forever\n\t/src/t.go:73 +0xfc\n\n"
	const wait = "goroutine 73 [chan receive]:\napp.(*Trigger).Stop(...)\n" +
		"\t/src/trigger.go:68\napp.use(0x8e9200)\n\t/src/t.go:154 +0x1af\n\n"
	for text, want := range map[string]Severity{
		wait + send: Warning,
		send:        Info,
		"panic: boom\n\ngoroutine 5 [running]:\napp.crash(0x1)\n\t/src/c.go:1 +0x1\n\n" +
			wait + send + "goroutine 80 [chan re": Info,
		strings.ReplaceAll(wait, "app.use", "main.main") + send:               Warning,
		"goroutine 1 [chan receive]:\nmain.main()\n\t/m.go:3 +0x1\n\n" + send: Info,
	} {
		r := Diagnose(Rules{}, parseOne(t, text))
		require.NotEmpty(t, r.Findings, text)
		assert.Equal(t, want, r.Findings[0].Severity, text)
	}
}
