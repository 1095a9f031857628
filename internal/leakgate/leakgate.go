// Package leakgate fails a test binary that leaves goroutines behind.
//
// It is used in place of go.uber.org/goleak for one reason: goleak gives the
// goroutines that are about to end 0.4 seconds, with no option for more, and on a
// busy machine with two processors that is too short for a test to rely on.
package leakgate

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Main runs the tests of m and exits with their status, or with 1 and the
// stacks of the goroutines that have not ended within ten seconds.
//
//	func TestMain(m *testing.M) { leakgate.Main(m) }
func Main(m *testing.M) { os.Exit(check(m.Run(), 10*time.Second, os.Stderr)) }

// check returns code, the status of the tests, or 1 if they passed and have
// leaked. A failed test has often leaked by failing, and its own report is the
// one to read.
func check(code int, grace time.Duration, report io.Writer) int {
	if code != 0 {
		return code
	}
	left := wait(grace)
	if len(left) == 0 {
		return 0
	}
	fmt.Fprintf(report, "leakgate: %d goroutines left behind:\n\n%s\n",
		len(left), strings.Join(left, "\n\n"))
	return 1
}

// wait returns the stacks of the goroutines that have not ended within grace. It
// polls, since a goroutine that has done its work may not have ended yet.
func wait(grace time.Duration) []string {
	for deadline := time.Now().Add(grace); ; time.Sleep(10 * time.Millisecond) {
		left := leaked()
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
	}
}

// leaked returns the stacks that are neither this goroutine's nor the
// runtime's or the test framework's own.
func leaked() []string {
	buf := make([]byte, 1<<20)
	n := runtime.Stack(buf, true)
	for n == len(buf) { // it may have been cut
		buf = make([]byte, 2*len(buf))
		n = runtime.Stack(buf, true)
	}
	var left []string
	for i, stack := range strings.Split(strings.TrimSpace(string(buf[:n])), "\n\n") {
		if i > 0 && !own(stack) {
			left = append(left, stack)
		}
	}
	return left
}

// own reports whether the goroutine belongs to the standard library: it stays
// once a test has used a signal, or while a profile of the tests is written.
func own(stack string) bool {
	for _, frame := range []string{
		"os/signal.signal_recv(",
		"os/signal.loop(",
		"runtime.ensureSigM",
		"runtime/pprof.profileWriter",
	} {
		if strings.Contains(stack, frame) {
			return true
		}
	}
	return false
}
