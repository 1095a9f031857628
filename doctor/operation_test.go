package doctor

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// standing is n goroutines with these calls, innermost first; each stands in
// a line of its own.
func standing(n int, state string, calls ...string) *Stack {
	s := &Stack{State: State(state), Count: n}
	for i, call := range calls {
		s.Frames = append(s.Frames, Frame{Func: call, File: "/src/app/app.go",
			Line: i + 1})
	}
	return s
}

// process is a snapshot of these goroutines.
func process(stacks ...*Stack) *Snapshot {
	p := &Snapshot{Target: "app"}
	for _, s := range stacks {
		p.Add(s)
	}
	return p
}

func TestOperation(t *testing.T) {
	for _, test := range []struct{ state, calls, want string }{
		{"chan send", "main.f", "chan send"},
		{"IO wait", "internal/poll.runtime_pollWait main.f", "IO"},
		{"runnable", "main.f", "running"},
		{"sync.Mutex.Lock", "sync.runtime_SemacquireMutex main.f", "mutex"},
		{"sync.Mutex.Lock", "sync.(*Mutex).Lock sync.(*RWMutex).Lock main.f",
			"rwmutex"},
		{"sync.RWMutex.RLock", "sync.(*RWMutex).RLock main.f", "rwmutex"},
		{"semacquire", "sync.runtime_Semacquire sync.(*WaitGroup).Wait main.f",
			"waitgroup"},
		{"semacquire", "sync.runtime_SemacquireMutex sync.(*Mutex).lockSlow main.f",
			"mutex"},
		{"semacquire", "internal/poll.runtime_Semacquire main.f", "semaphore"},
		{"semacquire", "runtime.semacquire1 runtime.GC main.f", "runtime"},
		{"semacquire", "main.f", "runtime"},
		{"", "runtime.gopark runtime.semacquire1 runtime.gcStart", "runtime"},
		{"waiting", "runtime.selectgo main.f", "select"},
		{"leaked", "runtime.chanrecv1 main.f", "chan receive"},
		{"GC worker (idle)", "runtime.gcBgMarkWorker", "runtime"},
		{"cleanup wait", "runtime.runCleanups", "runtime"},
		{"a reason of 2031", "main.f", "a reason of 2031"},

		{"runnable", "sync.(*Mutex).lockSlow sync.(*Mutex).Lock main.f", "running"},
		{"sync.Cond.Wait", "sync.(*RWMutex).Lock main.f", "cond"},

		{"", "sync.(*RWMutex).Lock sync.(*Cond).Wait main.f", "rwmutex"},
		{"", "sync.(*Mutex).Lock iter.Pull[...].func2 main.f", "mutex"},
		{"", "time.Sleep sync.(*Mutex).Lock main.f", "sleep"},
		{"", "runtime.gopark runtime.chansend runtime.chansend1 main.f", "chan send"},
		{"", "runtime.gopark runtime.selectgo main.f", "select"},
		{"", "runtime.gopark runtime.block main.f", "select (no cases)"},
		{"", "runtime.gopark runtime.semacquire1 sync.runtime_SemacquireMutex " +
			"sync.(*Mutex).lockSlow sync.(*RWMutex).Lock main.f", "rwmutex"},
		{"", "runtime.gopark runtime.notifyListWait sync.(*Cond).Wait main.f",
			"cond"},
		{"", "runtime.gopark runtime.coroswitch_m iter.Pull[...].func2 main.f",
			"coroutine"},
		{"", "iter.Pull2[...].func3 main.f", "coroutine"},
		{"", "main.work runtime.selectgo", "running"}, // below the user's call
		{"", "main.work", "running"},
		{"", "runtime.gopark runtime.semacquire1 runtime.gcStart main.f", "runtime"},
		{"", "os/signal.signal_recv os/signal.loop", "runtime"},
	} {
		s := standing(1, test.state, strings.Fields(test.calls)...)
		assert.EqualValues(t, test.want, operationOf(s), "%s: %s", test.state, test.calls)
	}
}

// An address without a name is an operation nobody knows, unless a call
// further out tells.
func TestOperationWithoutNames(t *testing.T) {
	s := &Stack{Frames: []Frame{{PC: 0x43e0c5}, {PC: 0x43e0c6}, {Func: "main.f"}}}
	assert.EqualValues(t, "select", operationOf(s), "two, by their number")
	s.Frames = slices.Insert(s.Frames, 0, Frame{PC: 0x43e0c4})
	assert.EqualValues(t, "channel operation", operationOf(s), "three")
	s.Frames = slices.Insert(s.Frames, 0, Frame{PC: 0x43e0c3})
	assert.EqualValues(t, "channel operation", operationOf(s), "before Go 1.14")
	s.Frames = slices.Insert(s.Frames, 0, Frame{PC: 0x43e0c2})
	assert.EqualValues(t, "unknown", operationOf(s))
	s.Frames = s.Frames[3:]
	s.Frames[1] = Frame{Func: "sync.(*Mutex).Lock"}
	assert.EqualValues(t, "mutex", operationOf(s))
	s.Frames = []Frame{{Func: "sync.(*Mutex).Lock"}, {PC: 1}, {Func: "main.f"}}
	assert.EqualValues(t, "mutex", operationOf(s))
	s.Frames = []Frame{{Func: "main.f", PC: 1}}
	assert.EqualValues(t, "running", operationOf(s))
	s.Frames = []Frame{{Func: "main.f"}, {PC: 1}}
	assert.EqualValues(t, "running", operationOf(s))
	assert.EqualValues(t, "running", operationOf(&Stack{Frames: []Frame{{}}}))
}

// Every reason to wait that the installed runtime can print is one that the
// doctor has a rule for.
func TestOperationKnowsTheRuntime(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	src, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "src",
		"runtime", "runtime2.go"))
	if err != nil {
		t.Skip("the installed Go has no sources: ", err)
	}
	reasons := regexp.MustCompile(`waitReason\w+:\s+"([^"]+)"`).FindAllSubmatch(src, -1)
	require.Greater(t, len(reasons), 30)
	for _, m := range reasons {
		line := "goroutine 7 [" + string(m[1]) + "]:"
		s := standing(1, string(parseHeader([]byte(line)).state), "runtime.gopark")
		op := operationOf(s)
		_, known := phrases[op]
		known = known || op == "runtime" || op == "coroutine" ||
			strings.HasPrefix(string(op), "synctest.")
		assert.True(t, known, "%s is %q", line, op)
	}
}

func TestSynctestOfGo124(t *testing.T) {
	for _, op := range []string{"chan send", "chan receive", "select"} {
		h := parseHeader([]byte("goroutine 7 [" + op +
			" (synctest), synctest group 5]:"))
		assert.Equal(t, op, string(h.state))
		assert.True(t, h.bubble)
	}
}
