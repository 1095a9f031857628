package doctor

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// in puts the calls of s into a file.
func in(file string, s *Stack) *Stack {
	for i := range s.Frames {
		s.Frames[i].File = file
	}
	return s
}

// from says where s was created.
func from(creator string, s *Stack) *Stack {
	s.CreatedBy = Frame{Func: creator, File: "/src/app/app.go", Line: 99}
	return s
}

// writers are twenty requests blocked sending to a writer.
func writers() *Stack {
	return standing(20, "chan send", "app.(*Writer).Put", inRequest)
}

// TestReceiver: who else is alive decides what is said of the receiver.
func TestReceiver(t *testing.T) {
	for name, test := range map[string]struct {
		others     []*Stack
		receiver   string
		confidence string
		says       string
	}{
		"nobody": {nil, "missing", "medium", "no goroutine is receiving there"},
		"a sibling by number": {[]*Stack{standing(1, "select", "app.NewWriter.func3"),
			standing(1, "select", "app.NewWriter.func2")}, "missing", "medium",
			"app.NewWriter.func1, by the numbering of closures"},
		"the nearest sibling": {[]*Stack{standing(1, "select",
			"app.NewWriter.func1"), standing(1, "select", "app.NewWriter.func5"),
			standing(1, "select", "app.NewWriter.func3")}, "missing", "medium",
			"receiving there: app.NewWriter.func4, by the numbering"},
		"a sibling in a method": {[]*Stack{standing(1, "select",
			"app.(*Writer).start.func2")}, "missing", "medium",
			"app.(*Writer).start.func1, by the numbering"},
		"as many as those who wait": {[]*Stack{
			standing(20, "syscall", "app.(*Writer).run")}, "present", "medium", ""},
		"about to send": {[]*Stack{standing(1, "running", "app.(*Writer).Put")},
			"missing", "medium", ""},
		"accepting in the file": {[]*Stack{standing(1, "IO wait",
			"net.(*TCPListener).Accept", "app.serve")}, "missing", "medium", ""},
		"all siblings parked": {[]*Stack{standing(1, "select", "app.NewWriter.func1"),
			standing(1, "select", "app.NewWriter.func2")}, "missing", "medium",
			"not the receiver, or the runtime would have handed it a value"},
		"busy in IO": {[]*Stack{standing(1, "syscall", "os.(*File).Write",
			"app.(*Writer).run")},
			"present", "medium", "app.(*Writer).run, its likely receiver, is busy, " +
				"in a system call (app.go:2)"},
		"stuck itself": {[]*Stack{standing(1, "mutex", "app.(*Writer).run")},
			"present", "medium", "is itself waiting for a mutex"},
		"created by the constructor": {[]*Stack{from("app.NewWriter",
			standing(1, "syscall", "app.drain"))}, "present", "medium",
			"app.drain, its likely receiver"},
		"more than those who wait": {[]*Stack{
			standing(21, "syscall", "app.(*Writer).run")}, "missing", "medium", ""},
		"of another type": {[]*Stack{in("/src/app/other.go",
			standing(1, "syscall", "app.(*Reader).run"))}, "missing", "medium", ""},
		"a stranger in the file": {[]*Stack{standing(1, "running", "app.work")},
			"unknown", "low", "app.work of the same file is busy"},
		"a stranger in a file like it": {[]*Stack{in("/src/other/app.go",
			standing(1, "running", "app.work"))}, "missing", "medium", ""},
		"a stranger parked": {[]*Stack{standing(1, "select", "app.work")},
			"missing", "medium", ""},
		"a stranger of another package": {[]*Stack{standing(1, "running",
			"other.work")},
			"missing", "medium", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, f := opinionOn(t, "app.(*Writer).Put", Rules{},
				process(append(test.others, writers())...))
			require.NotNil(t, f)
			assert.EqualValues(t, test.receiver, f.Receiver)
			assert.EqualValues(t, test.confidence, f.ReceiverConfidence)
			assert.Contains(t, f.Sentence+"; "+strings.Join(f.Evidence, "; "), test.says)
		})
	}
}

// Each of the others is named once, by its innermost call.
func TestReceiverEvidence(t *testing.T) {
	_, f := opinionOn(t, "app.(*Writer).Put", Rules{}, process(writers(),
		standing(1, "select", "app.(*Writer).run", "app.(*Writer).main"),
		standing(1, "select", "app.(*Writer).flush"),
		standing(1, "select", "app.(*Writer).run", "app.a")))
	const parked = " is alive and parked, blocked in a select (app.go:1): not the " +
		"receiver, or the runtime would have handed it a value"
	assert.Equal(t, []string{"app.(*Writer).flush" + parked,
		"app.(*Writer).run" + parked}, f.Evidence)
}

// The closures of the function that sends are numbered in its order, but not
// all of them are goroutines, and those of main or of a handler are callbacks
// as often.
func TestReceiverBesideItself(t *testing.T) {
	for _, function := range []string{"app.(*W).Start", "app.start", "main.main"} {
		_, f := opinionOn(t, function+".func1", Rules{}, process(
			standing(5, "chan send", function+".func1"),
			standing(1, "select", function+".func3")))
		assert.NotContains(t, f.Sentence, "by the numbering", function)
	}
}

// A function that is no method has its relatives in the same function, and
// only after the line where it sends.
func TestReceiverOfFunction(t *testing.T) {
	send := standing(5, "chan send", "app.pump.func1")
	_, f := opinionOn(t, "app.pump.func1", Rules{}, process(send,
		standing(1, "syscall", "app.pump.func2")))
	assert.EqualValues(t, "present", f.Receiver)
	later := standing(1, "syscall", "app.pump.func1")
	later.Frames[0].Line = 2
	_, f = opinionOn(t, "app.pump.func1", Rules{}, process(send, later))
	assert.EqualValues(t, "present", f.Receiver)
	earlier := standing(1, "syscall", "app.pump.func1")
	for _, line := range []int{0, 1} {
		earlier.Frames[0].Line = line
		_, f = opinionOn(t, "app.pump.func1", Rules{}, process(send, earlier))
		assert.NotEqual(t, "present", f.Receiver)
	}
}

// The busy receiver makes slow requests, not an outage.
func TestReceiverBusyIsSlow(t *testing.T) {
	g, f := opinionOn(t, "app.(*Writer).Put", Rules{}, process(writers(),
		standing(1, "running", "app.(*Writer).run")))
	assert.EqualValues(t, "slow", g.Verdict)
	assert.Equal(t, Warning, f.Severity)
	g, f = opinionOn(t, "app.(*Writer).Put", Rules{}, process(
		standing(20, "chan send", "app.(*Writer).Put"),
		standing(1, "running", "app.(*Writer).run")))
	assert.EqualValues(t, "slow", g.Verdict)
	assert.Equal(t, Info, f.Severity, "no request waits")
}

// An unfinished search must not say that there is nobody.
func TestReceiverGivesUp(t *testing.T) {
	lock := standing(3, "sync.Mutex.Lock", "sync.(*Mutex).Lock",
		"app.(*Cache).Get")
	sc := newScene(Rules{}.withDefaults(), process(writers(), lock))
	sc.graph = newGraph(sc)
	sc.effort = 0
	put, get := sc.of[sc.now.Stacks[0]], sc.of[sc.now.Stacks[1]]
	for _, c := range []counterpart{sc.receiverOf(put), sc.holderOf(get)} {
		assert.EqualValues(t, "unknown", c.receiver)
		assert.EqualValues(t, "low", c.confidence)
		require.Len(t, c.evidence, 1)
		assert.Contains(t, c.evidence[0], "too many different stacks")
	}
	assert.Nil(t, sc.busyIn("app.(*Cache).Get", put))

	// The last that it is too late for is not looked at.
	sc = newScene(Rules{}.withDefaults(), process(writers(),
		standing(1, "select", "app.(*Writer).flush"),
		standing(1, "running", "app.(*Writer).run")))
	put = sc.of[sc.now.Stacks[0]]
	for effort, want := range map[int]string{3: "unknown", 4: "present"} {
		sc.graph = newGraph(sc)
		sc.effort = effort // a call each
		assert.EqualValues(t, want, sc.receiverOf(put).receiver)
	}
}

// A function is alive in its own calls and those of its closures.
func TestAlive(t *testing.T) {
	p := &Snapshot{}
	for _, name := range []string{"app.f", "app.f.func1", "app.f.1", "app.f.g",
		"app.f01", "app.f-fm", "app.g", "app.", ".f", ""} {
		p.Add(standing(1, "select", name))
	}
	p.Add(standing(5, "select", "app.f.func2", "app.f"))
	assert.Equal(t, 8, newScene(Rules{}.withDefaults(), p).alive("app.f"))
}

// The loop that the constructor started is the likely receiver if it has waited
// in the middle of a job for something to end, and not evidence of anything if
// it may wait for its next job further in.
func TestReceiverInMiddleOfJob(t *testing.T) {
	const dump = mainGoroutine + "goroutine 30 [chan receive, 9 minutes]:\n" +
		"app.(*%s(0xc000100000)\n\t/app/broker.go:28 +0x1\n" +
		"app.(*writer).run(0xc000200000)\n\t/app/writer.go:77 +0x1\n" +
		"created by app.(*Producer).newWriter\n\t/app/writer.go:69 +0x1\n\n" +
		"goroutine 31 [chan send, 9 minutes]:\n" +
		"app.(*Producer).newWriter.func1(0xc000300000)\n\t/app/writer.go:71 +0x1\n" +
		"app.(*Broker).read(0xc000100000)\n\t/app/broker.go:10 +0x1\n" +
		"created by app.(*Broker).Open\n\t/app/broker.go:2 +0x1\n\n"
	r := Diagnose(Rules{}, parseOne(t, fmt.Sprintf(dump, "Broker).Close")))
	_, f := findingOf(r, "app.(*Producer).newWriter.func1")
	require.NotNil(t, f)
	assert.Equal(t, ReceiverPresent, f.Receiver)
	assert.Contains(t, f.Sentence, "app.(*writer).run, its likely receiver")

	r = Diagnose(Rules{}, parseOne(t, fmt.Sprintf(dump, "queue).next")))
	_, f = findingOf(r, "app.(*Producer).newWriter.func1")
	require.NotNil(t, f)
	assert.NotContains(t, f.Sentence, "likely receiver")
	assert.NotContains(t, strings.Join(f.Evidence, "\n"), "not the receiver")
}

// A worker of the sender's package that has waited for a lock for as long may be
// the receiver, and does not come back.
func TestReceiverWaitsForALock(t *testing.T) {
	dump := func(state, function string) Finding {
		r := judged(t, "goroutine 52 [chan send, 3 minutes]:\n"+
			"app/reload.setup.func3.1()\n\t/src/reload/setup.go:78 +0x1\n"+
			"app/server.stop(0xc0001c2000)\n\t/src/server/stop.go:170 +0x1\n\n"+
			"goroutine 60 ["+state+"]:\n"+
			"sync.(*Mutex).Lock(0x2f0c340)\n\t/go/src/sync/mutex.go:46\n"+
			"app/server.(*Instance).Stop(0xc0001c2000)\n\t/src/server/server.go:150 +0x1\n"+
			function+"()\n\t/src/reload/reload.go:110 +0x1\n\n")
		i := slices.IndexFunc(r.Findings, func(f Finding) bool {
			return f.Operation == ChanSend
		})
		require.GreaterOrEqual(t, i, 0)
		return r.Findings[i]
	}
	f := dump("sync.Mutex.Lock, 3 minutes", "app/reload.hook.func1")
	assert.Equal(t, Warning, f.Severity)
	assert.Equal(t, ReceiverPresent, f.Receiver)
	assert.Equal(t, ConfidenceLow, f.ReceiverConfidence)
	assert.Contains(t, f.Sentence, "reload.hook.func1, which may be its receiver, "+
		"is itself waiting for a mutex")
	f = dump("chan receive, 3 minutes", "app/reload.hook.func1")
	assert.Equal(t, ReceiverPresent, f.Receiver, "it waits in a Stop")
	assert.Equal(t, Info, dump("sync.Mutex.Lock, 1 minutes",
		"app/reload.hook.func1").Severity, "it was at its loop in between")
	assert.Equal(t, Info, dump("sync.Mutex.Lock, 3 minutes",
		"app/other.hook.func1").Severity, "another package")
}
