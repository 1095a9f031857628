// Package trial runs the tests of a package that has a mistake in it.
package trial

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// What becomes of a mistake.
const (
	Killed   = "killed"
	Survived = "survived"
	TimedOut = "timed out" // one that hangs is noticed, too
)

// A Trial is a test binary and how to run it.
type Trial struct {
	Binary, Dir string
	Later       string        // tests that match are run only if the others pass
	Limit       time.Duration // for those; the others have a quarter of it
}

// Run runs the tests with env added to the environment, and names the first
// that fails.
func (t Trial) Run(env ...string) (outcome, by string) {
	if t.Later != "" {
		outcome, by = t.tests(env, t.Limit/4, "-test.skip="+t.Later)
		if outcome != Survived {
			return outcome, by
		}
	}
	return t.tests(env, t.Limit)
}

func (t Trial) tests(env []string, limit time.Duration, args ...string) (outcome, by string) {
	cmd := exec.Command(t.Binary, append(args, "-test.short", "-test.failfast",
		fmt.Sprintf("-test.timeout=%v", limit))...)
	cmd.Dir = t.Dir
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = time.Second // for processes left behind by the tests
	hang := time.AfterFunc(limit+limit/4, func() {
		_ = cmd.Process.Kill() // a loop that lets no timer in
	})
	defer hang.Stop()
	out, err := cmd.CombinedOutput()
	if err == nil {
		return Survived, ""
	}
	if strings.Contains(string(out), "panic: test timed out") {
		return TimedOut, running(string(out))
	}
	return Killed, firstFailure(string(out))
}

var (
	failure    = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	inTest     = regexp.MustCompile(`\.((?:Test|Example|Fuzz)\w*)\b[^\n]*\(`)
	wasRunning = regexp.MustCompile(`running tests:\n\s+(\S+)`)
)

// firstFailure is a test, or what else ended the binary.
func firstFailure(out string) string {
	if m := failure.FindStringSubmatch(out); m != nil {
		return m[1]
	}
	if m := inTest.FindStringSubmatch(out); m != nil {
		return m[1]
	}
	if strings.Contains(out, "leakgate:") {
		return "TestMain (goroutines left behind)"
	}
	line, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	return line
}

func running(out string) string {
	if m := wasRunning.FindStringSubmatch(out); m != nil {
		return m[1]
	}
	return ""
}
