package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// waited sets how long the goroutines of s have waited.
func waited(s *Stack, minutes uint32) *Stack {
	if s.members.len() == 0 {
		born(s, 1)
	}
	all := s.members.list()
	s.members = members{}
	for _, m := range all {
		m.Minutes = minutes
		s.members.add(m)
	}
	return s
}

const inRequest = "net/http.HandlerFunc.ServeHTTP"

// TestJudge has one line per rule: what stands where, and what is thought of
// it. A severity of "" is no finding.
func TestJudge(t *testing.T) {
	for _, test := range []struct {
		name     string
		n        int
		state    string
		calls    string
		minutes  uint32
		verdict  string
		severity string
		says     string
	}{
		{"nil channel", 1, "chan send (nil chan)", "app.f", 0,
			"stuck", "warning", "nothing can ever wake it"},
		{"nil channel in requests", 10, "chan receive (nil chan)", "app.f " +
			inRequest, 0,
			"stuck", "critical", "nothing can ever wake them"},
		{"select {} of main", 1, "select (no cases)", "app.f", 0, "idle", "", ""},
		{"nine of them", 9, "select (no cases)", "app.f", 0, "idle", "", ""},
		{"ten of them", 10, "select (no cases)", "app.f", 0,
			"stuck", "warning", "nothing can ever wake them"},
		{"two in requests", 2, "select (no cases)", "app.f " + inRequest, 0,
			"stuck", "warning", "nothing can ever wake them"},
		{"finalizer", 1, "chan send", "app.f runtime.runFinalizers", 0,
			"stuck", "warning", "up every other finalizer"},
		{"old finalizer", 1, "chan send", "app.f runtime.runfinq", 0,
			"stuck", "warning", "up every other finalizer"},
		{"finalizer in a system call", 1, "syscall",
			"app.f runtime.runFinalizers", 0, "working", "", ""},
		{"finalizer in IO", 1, "IO wait", "app.f runtime.runFinalizers", 0,
			"idle", "", ""},
		{"finalizer at work", 1, "running", "app.f runtime.runFinalizers", 0,
			"working", "", ""},

		{"a call with one answer", 1, "select",
			"app.f google.golang.org/grpc.(*Server).processUnaryRPC", 60,
			"slow", "warning", "no goroutine is sending there"},
		{"that is young", 1, "select",
			"app.f google.golang.org/grpc.(*Server).processUnaryRPC", 59,
			"idle", "", ""},
		{"a stream", 1, "select",
			"app.f google.golang.org/grpc.(*Server).processStreamingRPC", 600,
			"idle", "", ""},

		{"one sender", 1, "chan send", "app.f", 0,
			"unknown", "info", "a producer ahead of its consumer looks the same"},
		{"one sender for long", 1, "chan send", "app.f", 5,
			"stuck", "warning", "no goroutine is receiving there"},
		{"one sender for four minutes", 1, "chan send", "app.f", 4,
			"unknown", "info", "looks the same"},
		{"two senders", 2, "chan send", "app.f", 0, "stuck", "warning",
			"receiving there"},
		{"a sender in a request", 1, "chan send", "app.f " + inRequest, 0,
			"stuck", "warning", "on the path of an HTTP request"},
		{"senders in requests", 10, "chan send", "app.f " + inRequest, 0,
			"stuck", "critical", "all on the path of HTTP requests"},
		{"a thousand senders", 1000, "chan send", "app.f", 0,
			"stuck", "critical", "1,000 goroutines are blocked sending"},
		{"999 senders", 999, "chan send", "app.f", 0, "stuck", "warning", "999"},

		{"one at a mutex", 1, "sync.Mutex.Lock", "sync.(*Mutex).Lock app.f", 0,
			"unknown", "info", "could hold it"},
		{"one at a mutex for long", 1, "sync.Mutex.Lock", "sync.(*Mutex).Lock app.f",
			5,
			"stuck", "warning", "could hold it"},
		{"requests at a mutex", 10, "sync.Mutex.Lock",
			"sync.(*Mutex).Lock app.f " + inRequest, 0, "stuck", "critical", "mutex"},

		{"receivers in requests", 9, "chan receive", "app.f " + inRequest, 0,
			"slow", "info", "no goroutine is sending there"},
		{"many receivers in requests", 10, "chan receive", "app.f app.g " + inRequest,
			0, "slow", "warning", "no goroutine is sending there"},
		{"many streams of events", 99, "chan receive", "app.f " + inRequest, 90,
			"unknown", "info", "no goroutine is sending there"},
		{"a method value", 99, "chan receive", "app.f app.f-fm " + inRequest, 90,
			"unknown", "info", "no goroutine is sending there"},
		{"a receiver in a request for long", 1, "chan receive", "app.f " + inRequest,
			5,
			"unknown", "info", "the longest has waited 5 minutes"},
		{"some receivers in requests for long", 9, "chan receive",
			"app.f " + inRequest, 5,
			"unknown", "info", "no goroutine is sending there"},
		{"many receivers in requests for long", 10, "chan receive",
			"app.f app.g " + inRequest, 5,
			"slow", "warning", "no goroutine is sending there"},
		{"very many for long", 100, "chan receive", "app.f " + inRequest, 5,
			"stuck", "critical", "no goroutine is sending there"},
		{"requests at a WaitGroup", 10, "sync.WaitGroup.Wait", "app.f " + inRequest,
			0,
			"slow", "warning", "no goroutine has woken them"},
		{"requests at a Cond", 10, "sync.Cond.Wait", "app.f " + inRequest, 0,
			"slow", "warning", "no goroutine has woken them"},
		{"a long poll", 9, "select", "app.f " + inRequest, 9, "idle", "", ""},
		{"many long polls", 10, "select", "app.f " + inRequest, 9,
			"unknown", "info", "a long poll looks the same"},

		{"at work", 500, "running", "app.f " + inRequest, 0, "working", "", ""},
		{"IO", 500, "IO wait", "app.f", 60, "idle", "", ""},
		{"IO in a few requests", 9, "IO wait", "app.f " + inRequest, 60, "working",
			"", ""},
		{"IO in requests", 10, "IO wait", "app.f " + inRequest, 0,
			"slow", "info", "slow rather than stuck"},
		{"IO in requests for long", 10, "IO wait", "app.f " + inRequest, 5,
			"slow", "warning", "the longest for 5 minutes"},
		{"asleep", 500, "sleep", "app.f", 60, "idle", "", ""},
		{"asleep in requests", 10, "sleep", "app.f " + inRequest, 0,
			"slow", "info", "slow rather than stuck"},
		{"system calls", 9, "syscall", "app.f", 60, "working", "", ""},
		{"many system calls", 10, "syscall", "app.f", 0, "slow", "info",
			"system call"},
		{"many system calls for long", 10, "syscall", "app.f", 5,
			"slow", "warning", "the longest for 5 minutes"},

		{"a state of a later Go", 50, "a reason of 2031", "app.f", 0, "unknown", "",
			""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := waited(standing(test.n, test.state, strings.Fields(test.calls)...),
				test.minutes)
			g, f := opinionOn(t, "app.f", Rules{}, process(s))
			assert.EqualValues(t, test.verdict, g.Verdict)
			assert.NotEmpty(t, g.Why)
			if test.severity == "" {
				assert.Nil(t, f)
				return
			}
			require.NotNil(t, f)
			assert.Equal(t, test.severity, f.Severity.String(), f.Sentence)
			assert.Contains(t, f.Sentence+strings.Join(f.Evidence, "; "), test.says)
		})
	}
}

// main.main asleep is how a demonstration stays alive, not who should receive.
func TestJudgeSleepingMain(t *testing.T) {
	g, _ := opinionOn(t, "main.main", Rules{},
		process(standing(1, "sleep", "time.Sleep", "main.main")))
	assert.EqualValues(t, "idle", g.Verdict)
	for _, sender := range []string{"main.put", "main.main.func1"} {
		g, f := opinionOn(t, sender, Rules{}, process(
			standing(2, "chan send", sender),
			standing(1, "sleep", "time.Sleep", "main.main")))
		assert.EqualValues(t, "stuck", g.Verdict)
		assert.EqualValues(t, "missing", f.Receiver, "not unknown because main is asleep")
	}
	for _, s := range []*Stack{
		standing(1, "running", "main.main"),
		standing(1, "sleep", "time.Sleep", "main.work"),
	} {
		_, f := opinionOn(t, "main.put", Rules{}, process(
			in("/put.go", standing(2, "chan send", "main.put")), in("/put.go", s)))
		busy := s.Frames[len(s.Frames)-1].Func == "main.work"
		assert.EqualValues(t, busy, f.Receiver == "unknown", "%v", s.Frames)
	}
	_, f := opinionOn(t, "main.main.func1", Rules{}, process(
		standing(2, "chan send", "main.main.func1"),
		standing(1, "running", "main.main")))
	assert.EqualValues(t, "present", f.Receiver, "main is at work")
}

// What the runtime says for certain does not hide who the receiver is.
func TestJudgeLeakedSenders(t *testing.T) {
	leaked := standing(2, "chan send", "app.(*W).Put")
	leaked.Leaked = true
	_, f := opinionOn(t, "app.(*W).Put", Rules{}, process(leaked,
		standing(1, "select", "app.(*W).loop")))
	assert.EqualValues(t, "missing", f.Receiver)
	require.Len(t, f.Evidence, 1)
	assert.Contains(t, f.Evidence[0], "app.(*W).loop is alive and parked")
	_, f = opinionOn(t, "app.(*W).Put", Rules{}, process(leaked,
		standing(1, "running", "app.(*W).loop")))
	assert.EqualValues(t, "present", f.Receiver)
	finalizer := standing(1, "chan send", "app.f", "runtime.runFinalizers")
	_, f = opinionOn(t, "app.f", Rules{}, process(finalizer))
	assert.EqualValues(t, "medium", f.Confidence)
	blocked := standing(1, "sync.Mutex.Lock", "app.f", "runtime.runFinalizers")
	_, f = opinionOn(t, "app.f", Rules{}, process(blocked))
	assert.EqualValues(t, "missing", f.Receiver)
}

// Behind a receiver that is alive and busy, senders are a warning once there
// are many requests or very many of them; behind a lock likewise.
func TestJudgeSlow(t *testing.T) {
	busy := standing(1, "running", "app.(*W).loop")
	for _, test := range []struct {
		senders *Stack
		want    Severity
	}{
		{standing(9, "chan send", "app.(*W).Put", inRequest), Info},
		{standing(10, "chan send", "app.(*W).Put", inRequest), Warning},
		{standing(999, "chan send", "app.(*W).Put"), Info},
		{standing(1000, "chan send", "app.(*W).Put"), Warning},
		{standing(9, "sync.Mutex.Lock", "sync.(*Mutex).Lock", "app.(*W).Put"), Info},
	} {
		g, f := opinionOn(t, "app.(*W).Put", Rules{}, process(test.senders, busy))
		assert.EqualValues(t, "present", f.Receiver)
		assert.EqualValues(t, "slow", g.Verdict)
		assert.Equal(t, test.want, f.Severity, "%d", test.senders.Count)
	}
}

// IO is slow for the requests that wait for it, not for the others.
func TestJudgeIOOfBoth(t *testing.T) {
	g, f := opinionOn(t, "app.read", Rules{}, process(
		standing(50, "IO wait", "app.read"),
		standing(9, "IO wait", "app.read", inRequest)))
	assert.Equal(t, 59, g.Count)
	assert.EqualValues(t, "working", g.Verdict)
	assert.Nil(t, f)
}

// The Done of context.Background is nil, and a literal that waits for it does
// so by design, unless there are many of it.
func TestJudgeNeverDone(t *testing.T) {
	judge := func(n int, calls ...string) *Finding {
		_, f := opinionOn(t, calls[0], Rules{}, process(
			standing(n, "chan receive (nil chan)", calls...)))
		return f
	}
	assert.Nil(t, judge(9, "app.run.func1"))
	assert.NotNil(t, judge(10, "app.run.func1"), "many of them")
	assert.NotNil(t, judge(1, "app.run.func1", "app.start"), "further in")
	assert.NotNil(t, judge(1, "app.run"), "no literal")
	assert.NotNil(t, judge(1, "app.run.func1", inRequest), "a request")
}

// Requests that read from their own clients are not slow, however old.
func TestJudgeIOOfClients(t *testing.T) {
	for calls, want := range map[string]bool{
		"net/http.(*body).Read app.read":                     false,
		"github.com/gorilla/websocket.(*Conn).read app.read": false,
		"nhooyr.io/websocket.(*Conn).Read app.read":          false,
		"net.(*conn).Read io.copyBuffer io.Copy app.tunnel":  false,
		"net.(*conn).Read app.read":                          true,
		"app.read":                                           true,
	} {
		calls := append(strings.Fields(calls), inRequest)
		s := waited(standing(50, "IO wait", calls...), 90)
		r := Diagnose(Rules{}, process(s))
		assert.Equal(t, want, len(r.Findings) == 1, calls)
	}
}

func TestJudgeRequestPath(t *testing.T) {
	for others, want := range map[int]bool{1: true, 2: true, 3: false} {
		_, f := opinionOn(t, "app.f", Rules{}, process(
			standing(2, "chan send", "app.f", inRequest),
			standing(others, "chan send", "app.f")))
		assert.Equal(t, want, f.RequestPath, "%d others", others)
	}
	_, f := opinionOn(t, "app.f", Rules{}, process(standing(1, "chan send",
		"app.f")))
	assert.False(t, f.RequestPath)
}

// What the garbage collector or the runtime knows needs no second opinion.
func TestJudgeKnownForCertain(t *testing.T) {
	leaked := standing(1, "select", "app.f")
	leaked.Leaked = true
	_, f := opinionOn(t, "app.f", Rules{}, process(leaked))
	require.NotNil(t, f)
	assert.EqualValues(t, "high", f.Confidence)
	assert.Contains(t, f.Sentence, "nothing can ever wake it")

	p := process(standing(1, "chan receive", "app.f"),
		standing(1, "chan send", "app.g"))
	p.Banner = "fatal error: all goroutines are asleep - deadlock!"
	_, f = opinionOn(t, "app.f", Rules{}, p)
	require.NotNil(t, f)
	assert.Equal(t, Critical, f.Severity)
	assert.Contains(t, f.Sentence, "the runtime found that no goroutine can go on")
	_, f = opinionOn(t, "app.g", Rules{}, p)
	assert.Contains(t, f.Sentence, "no goroutine is receiving there; the "+
		"runtime found")
}

// A test that timed out is not idle where it waits, and one sender is enough.
func TestJudgeTestTimeout(t *testing.T) {
	p := process(standing(1, "chan receive", "app.TestX", "testing.tRunner"),
		standing(1, "chan send", "app.put"), standing(1, "chan receive",
			"app.worker"))
	p.Banner = "panic: test timed out after 1s"
	_, f := opinionOn(t, "app.TestX", Rules{}, p)
	require.NotNil(t, f)
	assert.Contains(t, f.Sentence, "the test that timed out waits here")
	_, f = opinionOn(t, "app.put", Rules{}, p)
	assert.Equal(t, Warning, f.Severity)
	_, f = opinionOn(t, "app.worker", Rules{}, p)
	assert.Nil(t, f)
	p.Banner = ""
	_, f = opinionOn(t, "app.TestX", Rules{}, p)
	assert.Nil(t, f)
}

// select {} is how main stays forever, not how a test does; nor main if the
// runtime finds that there is nothing to stay for.
func TestJudgeEmptySelect(t *testing.T) {
	judge := func(banner string, others ...*Stack) *Finding {
		p := process(append(others, standing(1, "select (no cases)", "main.f",
			"testing.tRunner"))...)
		p.Banner = banner
		_, f := opinionOn(t, "main.f", Rules{}, p)
		return f
	}
	assert.Nil(t, judge(""))
	require.NotNil(t, judge("panic: test timed out after 3s"))
	f := judge("fatal error: all goroutines are asleep - deadlock!")
	require.NotNil(t, f)
	assert.Equal(t, Critical, f.Severity)
	assert.Nil(t, judge("fatal error: all goroutines are asleep - deadlock!",
		standing(1, "chan send", "main.put")), "the sender is the one to look at")
}

// A profile whose operations have no names is worth a warning only where
// many requests stand.
func TestJudgeUnnamed(t *testing.T) {
	for n, want := range map[int]bool{9: false, 10: true} {
		s := standing(n, "", "app.f", inRequest)
		s.Frames = append([]Frame{{PC: 0x43e0c5}}, s.Frames...)
		g, f := opinionOn(t, "app.f", Rules{}, process(s))
		assert.EqualValues(t, "unknown", g.Verdict)
		assert.Equal(t, want, f != nil)
		if f != nil {
			assert.EqualValues(t, "low", f.Confidence)
			assert.EqualValues(t, "unknown", f.Receiver)
			assert.Contains(t, f.Sentence, "take one with debug=2")
		}
	}
	for n, want := range map[int]bool{999: false, 1000: true} {
		s := standing(n, "", "app.f")
		s.Frames = append([]Frame{{PC: 0x43e0c5}}, s.Frames...)
		_, f := opinionOn(t, "app.f", Rules{}, process(s))
		assert.Equal(t, want, f != nil, "a thousand, wherever they came in")
	}
}

// Thresholds are the caller's.
func TestJudgeThresholds(t *testing.T) {
	p := process(waited(standing(4, "chan send", "app.f", inRequest), 2))
	_, f := opinionOn(t, "app.f", Rules{}, p)
	assert.Equal(t, Warning, f.Severity)
	_, f = opinionOn(t, "app.f", Rules{Many: 4}, p)
	assert.Equal(t, Critical, f.Severity)
	p = process(waited(standing(1, "chan send", "app.f"), 2))
	_, f = opinionOn(t, "app.f", Rules{Minutes: 2}, p)
	assert.Equal(t, Warning, f.Severity)
	for _, bad := range []Rules{{Many: -1}, {Minutes: -1}} {
		assert.PanicsWithValue(t, "doctor: Rules with a negative threshold",
			func() { Diagnose(bad) })
	}
}

// A single sender in an extract is a finding after a minute, in a whole dump
// after Minutes.
func TestJudgeSenderInExtract(t *testing.T) {
	const send = "goroutine 20 [chan send, 1 minutes]:\napp.run.func1()\n" +
		"\t/app/run.go:31 +0x1\ncreated by app.run\n\t/app/run.go:20 +0x1\n\n"
	_, f := opinionOn(t, "app.run.func1", Rules{}, parseOne(t, send))
	require.NotNil(t, f)
	assert.Equal(t, Warning, f.Severity)

	_, f = opinionOn(t, "app.run.func1", Rules{}, parseOne(t, mainGoroutine+send))
	require.NotNil(t, f)
	assert.Equal(t, Info, f.Severity)

	young := strings.Replace(send, ", 1 minutes", "", 1)
	_, f = opinionOn(t, "app.run.func1", Rules{}, parseOne(t, young))
	require.NotNil(t, f)
	assert.Equal(t, Info, f.Severity)
}

// Who picks two goroutines without times from a dump shows a lock and its holder
// because they stay; in a whole dump they may have met by chance.
func TestJudgeLockInExtract(t *testing.T) {
	const pair = "goroutine 20 [sync.Mutex.Lock]:\nsync.(*Mutex).Lock(0xc000200000)\n" +
		"\t/go/src/mutex.go:90 +0x1\napp.(*Screen).render(0xc000200000)\n" +
		"\t/app/screen.go:51 +0x1\ncreated by app.run\n\t/app/run.go:20 +0x1\n\n" +
		"goroutine 21 [syscall]:\nsyscall.write(0x1)\n\t/go/src/sys.go:7 +0x1\n" +
		"app.(*Screen).flush(0xc000200000)\n\t/app/screen.go:43 +0x1\n" +
		"created by app.run\n\t/app/run.go:21 +0x1\n\n"
	_, f := opinionOn(t, "app.(*Screen).render", Rules{}, parseOne(t, pair))
	require.NotNil(t, f)
	assert.Equal(t, Warning, f.Severity)
	_, f = opinionOn(t, "app.(*Screen).render", Rules{},
		parseOne(t, mainGoroutine+pair))
	require.NotNil(t, f)
	assert.Equal(t, Info, f.Severity)
}

// A third of a process behind one lock is worth a warning without any time.
func TestJudgeQueueOfAProfile(t *testing.T) {
	profile := func(waiting, others int) *Report {
		write := "1 @ 0x1 0x2\n#\t0x1\tsyscall.write+0x1\t/go/src/z.go:9\n" +
			"#\t0x2\tzap.(*locked).Write+0x1\t/src/zap.go:66\n\n"
		lock := fmt.Sprintf("%d @ 0x3 0x4\n#\t0x3\tsync.(*Mutex).Lock+0x1\t/go/src/m.go:9\n"+
			"#\t0x4\tzap.(*locked).Write+0x1\t/src/zap.go:65\n\n", waiting)
		return Diagnose(Rules{}, parseOne(t, fmt.Sprintf("goroutine profile: total %d\n",
			waiting+others+1)+lock+write+record(others, "app.run", 0x43a105, 0x44a10f)))
	}
	r := profile(34, 20)
	require.NotEmpty(t, r.Findings)
	assert.Equal(t, Warning, r.Findings[0].Severity)
	assert.Equal(t, ReceiverPresent, r.Findings[0].Receiver)
	assert.Equal(t, Info, profile(34, 200).Findings[0].Severity)
	assert.Equal(t, Info, profile(19, 2).Findings[0].Severity)
}

// A lock that no goroutine is seen to hold is not held for minutes.
// Where several goroutines stand inside the type in a profile, one at most
// holds the lock, and the others show that callers get past it.
func TestJudgeLockBeforeMany(t *testing.T) {
	for n, want := range map[int]Severity{1: Warning, 2: Info, 12: Info} {
		_, f := opinionOn(t, "app.(*DB).begin", Rules{}, process(
			standing(1, "", "runtime.gopark", "sync.runtime_SemacquireMutex",
				"sync.(*Mutex).Lock", "app.(*DB).begin", "app.work"),
			standing(n, "", "runtime.gopark", "runtime.chanrecv1", "app.(*DB).Batch",
				"app.put", "app.work")))
		require.NotNil(t, f, n)
		assert.Equal(t, want, f.Severity, n)
	}
}

// To accept connections is in order, but not if the runtime says that no goroutine
// can go on and there is no other one.
func TestAsleep(t *testing.T) {
	const banner = "fatal error: all goroutines are asleep - deadlock!\n\n"
	const accepts = "goroutine 1 [%]:\n" +
		"sync.runtime_Syncsemacquire(0x10626430, 0x1)\n\t/go/sema.goc:257 +0x120\n" +
		"sync.(*Cond).Wait(0x10626428, 0x10626420)\n\t/go/cond.go:62 +0x100\n" +
		"net.(*netFD).accept(0x10652240)\n\t/go/fd_unix.go:406 +0x340\n" +
		"net.(*TCPListener).Accept(0x1060e2c8)\n\t/go/tcpsock.go:234 +0x80\n" +
		"main.main()\n\t/src/main.go:22 +0xa0\n\n"
	const other = "goroutine 7 [chan receive]:\nmain.work()\n\t/src/main.go:9 +0x1\n" +
		"created by main.main\n\t/src/main.go:20 +0x1\n\n"
	for _, state := range []string{"semacquire", "sync.Cond.Wait", "select"} {
		dump := strings.Replace(accepts, "%", state, 1)
		r := Diagnose(Rules{}, parseOne(t, banner+dump))
		require.Len(t, r.Findings, 1, state)
		assert.Equal(t, "main.main", r.Findings[0].Function)
		assert.Equal(t, Critical, r.Findings[0].Severity)
		assert.Contains(t, r.Root, "goroutine 1 ")

		assert.Empty(t, Diagnose(Rules{}, parseOne(t, dump)).Findings, state)
		r = Diagnose(Rules{}, parseOne(t, banner+dump+other))
		require.Len(t, r.Findings, 1, state)
		assert.Equal(t, "main.work", r.Findings[0].Function)
	}
}
