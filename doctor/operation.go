package doctor

import (
	"slices"
	"strings"
)

// Operation is what goroutines are blocked in. Wait reasons of the runtime that
// are not listed here are operations of their own name.
type Operation string

const (
	ChanSend         Operation = "chan send"
	ChanReceive      Operation = "chan receive"
	ChanSendNil      Operation = "chan send (nil chan)"
	ChanReceiveNil   Operation = "chan receive (nil chan)"
	Select           Operation = "select"
	SelectNoCases    Operation = "select (no cases)"
	ChanAny          Operation = "channel operation" // send or receive: not known which
	Mutex            Operation = "mutex"
	RWMutex          Operation = "rwmutex"
	Cond             Operation = "cond"
	WaitGroup        Operation = "waitgroup"
	Semaphore        Operation = "semaphore"
	IO               Operation = "IO"
	Sleep            Operation = "sleep"
	Syscall          Operation = "syscall"
	Running          Operation = "running"
	RuntimeInternal  Operation = "runtime"
	Coroutine        Operation = "coroutine"
	OperationUnknown Operation = "unknown"
)

// states maps the runtime's wait reasons to operations; those that are not
// here are their own operation.
var states = map[State]Operation{
	"sync.Mutex.Lock":           "mutex",
	"sync.RWMutex.RLock":        "rwmutex",
	"sync.RWMutex.Lock":         "rwmutex",
	"sync.Cond.Wait":            "cond",
	"sync.WaitGroup.Wait":       "waitgroup",
	"IO wait":                   "IO",
	"semacquire":                "semaphore",
	"runnable":                  "running",
	"copystack":                 "running",
	"preempted":                 "running",
	"waiting for cgo callback":  "syscall",
	"GC assist marking":         "runtime",
	"garbage collection":        "runtime",
	"garbage collection scan":   "runtime",
	"dumping heap":              "runtime",
	"GC assist wait":            "runtime",
	"GC sweep wait":             "runtime",
	"GC scavenge wait":          "runtime",
	"finalizer wait":            "runtime",
	"cleanup wait":              "runtime",
	"force gc (idle)":           "runtime",
	"GOMAXPROCS updater (idle)": "runtime",
	"trace reader (blocked)":    "runtime",
	"wait for GC cycle":         "runtime",
	"GC worker (idle)":          "runtime",
	"GC worker (active)":        "runtime",
	"GC mark termination":       "runtime",
	"GC weak to strong wait":    "runtime",
	"stopping the world":        "runtime",
	"flushing proc caches":      "runtime",
	"trace goroutine status":    "runtime",
	"trace proc status":         "runtime",
	"page trace flush":          "runtime",
	"debug call":                "runtime",
	"idle":                      "runtime",
	"panicwait":                 "running",
	"timer goroutine (idle)":    "runtime", // before Go 1.14
	"force gc":                  "runtime",
}

// calls maps functions to the operation that a goroutine is in whose
// innermost calls have them. The first hit from the inside counts, but for
// the locks: those are looked for further out, because Cond and RWMutex wait
// in the semaphore below them.
var calls = map[string]Operation{
	"runtime.chansend":                                 "chan send",
	"runtime.chansend1":                                "chan send",
	"runtime.chanrecv":                                 "chan receive",
	"runtime.chanrecv1":                                "chan receive",
	"runtime.chanrecv2":                                "chan receive",
	"runtime.selectgo":                                 "select",
	"runtime.block":                                    "select (no cases)",
	"reflect.rselect":                                  "select",
	"reflect.chansend0":                                "chan send",
	"reflect.chanrecv":                                 "chan receive",
	"internal/poll.runtime_pollWait":                   "IO",
	"runtime.netpollblock":                             "IO",
	"time.Sleep":                                       "sleep",
	"runtime.timeSleep":                                "sleep",
	"sync.runtime_notifyListWait":                      "cond",
	"runtime.notifyListWait":                           "cond",
	"sync.(*Cond).Wait":                                "cond",
	"sync.(*WaitGroup).Wait":                           "waitgroup",
	"sync.runtime_SemacquireWaitGroup":                 "waitgroup",
	"sync.(*RWMutex).RLock":                            "rwmutex",
	"sync.(*RWMutex).Lock":                             "rwmutex",
	"sync.runtime_SemacquireRWMutexR":                  "rwmutex",
	"sync.runtime_SemacquireRWMutex":                   "rwmutex",
	"sync.runtime_SemacquireRWMutexLock":               "rwmutex",
	"sync.(*Mutex).Lock":                               "mutex",
	"sync.(*Mutex).lockSlow":                           "mutex",
	"internal/sync.(*Mutex).Lock":                      "mutex",
	"internal/sync.(*Mutex).lockSlow":                  "mutex",
	"internal/sync.runtime_SemacquireMutex":            "mutex",
	"sync.runtime_SemacquireMutex":                     "mutex",
	"sync.runtime_Semacquire":                          "semaphore",
	"internal/poll.runtime_Semacquire":                 "semaphore",
	"runtime.semacquire1":                              "semaphore",
	"runtime.coroswitch":                               "coroutine",
	"iter.coroswitch":                                  "coroutine",
	"runtime.coroswitch_m":                             "coroutine",
	"os/signal.signal_recv":                            "runtime",
	"runtime.bgsweep":                                  "runtime",
	"runtime.bgscavenge":                               "runtime",
	"runtime.forcegchelper":                            "runtime",
	"runtime.gcBgMarkWorker":                           "runtime",
	"runtime.runfinq":                                  "runtime",
	"runtime.runFinalizers":                            "runtime",
	"runtime.runCleanups":                              "runtime",
	"runtime.(*cleanupQueue).dequeue":                  "runtime",
	"runtime.updateMaxProcsGoroutine":                  "runtime",
	"runtime/pprof.runtime_goroutineProfileWithLabels": "running",
	"runtime.goroutineProfileWithLabels":               "running",
	"internal/synctest.Wait":                           "synctest.Wait",
	"internal/synctest.Run":                            "synctest.Run",
	"syscall.Syscall":                                  "syscall",
	"syscall.Syscall6":                                 "syscall",
	"syscall.RawSyscall":                               "syscall",
	"syscall.RawSyscall6":                              "syscall",
	"syscall.syscall":                                  "syscall",
	"syscall.syscall6":                                 "syscall",
	"syscall.SyscallN":                                 "syscall",
	"internal/runtime/syscall.Syscall6":                "syscall",
	"internal/runtime/syscall/linux.Syscall6":          "syscall",
	"golang.org/x/sys/unix.Syscall":                    "syscall",
	"golang.org/x/sys/unix.Syscall6":                   "syscall",
	"runtime.cgocall":                                  "syscall",
	"runtime.notetsleepg":                              "syscall",
}

// locks are the operations for which a call further out says more.
var locks = map[Operation]int{
	"semaphore": 1, "mutex": 2, "rwmutex": 3, "cond": 3, "waitgroup": 3, "IO": 3,
}

// operationOf returns the operation that the goroutines of s are blocked in.
func operationOf(s *Stack) Operation {
	named := byCalls(s)
	if named == "semaphore" && !s.above("sync", "internal/sync", "internal/poll") {
		named = "runtime" // a semaphore of the runtime: to start a GC, say
	}
	if s.State == "" && s.members.len() > 0 && named == Running {
		return OperationUnknown // a detector's report of a lock's holder, say
	}
	if s.State == "" {
		return named
	}
	if s.State == "semacquire" && (named == "running" || named == "runtime") {
		return "runtime"
	}
	op, ok := states[s.State]
	if !ok {
		op = Operation(s.State)
	}
	if op == "waiting" || op == "leaked" {
		return named
	}
	// Before Go 1.20 a mutex was a semacquire, and an RWMutex's inner lock is
	// a Mutex to the runtime.
	if locks[named] > locks[op] && locks[op] > 0 {
		return named
	}
	return op
}

// above reports whether a call above the user's is of one of the packages.
func (s *Stack) above(packages ...string) bool {
	for _, f := range s.Frames {
		if !isStd(f.Func) {
			return false
		}
		if slices.Contains(packages, packageOf(f.Func)) {
			return true
		}
	}
	return false
}

// byCalls is operationOf for a profile, which has no states.
func byCalls(s *Stack) Operation {
	op := Operation("")
	for i := range s.Frames {
		f := &s.Frames[i]
		if i == 0 && f.Func == "" && f.PC != 0 {
			op = "unknown"
		}
		hit, ok := calls[f.Func]
		if !ok {
			hit, ok = generic(f.Func)
		}
		switch {
		case !ok:
		case op == "" || op == "unknown":
			op = hit
		case locks[hit] > locks[op] && locks[op] > 0:
			op = hit
		}
		if !isStd(f.Func) {
			break
		}
	}
	switch op {
	case "":
		return Running
	case OperationUnknown:
		return byNumber(s)
	}
	return op
}

// byNumber guesses the operation of a stack from a profile with debug=1, which
// leaves the runtime's calls without names: selectgo parks by itself, chansend
// and chanrecv below a call of their own, and before Go 1.14 through
// goparkunlock.
func byNumber(s *Stack) Operation {
	n := 0
	for n < len(s.Frames) && s.Frames[n].Func == "" && s.Frames[n].PC != 0 {
		n++
	}
	switch {
	case n == len(s.Frames):
	case n == 2:
		return Select
	case n == 3, n == 4:
		return ChanAny
	}
	return OperationUnknown
}

// guessed reports whether the operation of s is by the number of its calls.
func guessed(s *Stack) bool {
	if s.State != "" || len(s.Frames) == 0 || s.Frames[0].Func != "" ||
		s.Frames[0].PC == 0 {
		return false
	}
	switch byCalls(s) {
	case Select, ChanAny, OperationUnknown:
		return true
	}
	return false // a call further out says it
}

// generic knows what calls has no room for.
func generic(symbol string) (Operation, bool) {
	if strings.HasPrefix(symbol, "iter.Pull") {
		return "coroutine", true
	}
	return "", false
}
