package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// outcome of the tests with a mutant.
const (
	killed   = "killed"
	survived = "survived"
	tooLong  = "timed out" // a mutant that hangs is noticed, too
)

type trial struct {
	binary, dir string
	later       string // tests that are run only if the others pass
	limit       time.Duration
}

// run runs the tests with a mutant, and names the first that fails.
func (t trial) run(number int) (outcome, by string) {
	if t.later != "" {
		outcome, by = t.tests(number, "-test.skip="+t.later)
		if outcome != survived {
			return outcome, by
		}
	}
	return t.tests(number)
}

func (t trial) tests(number int, args ...string) (outcome, by string) {
	cmd := exec.Command(t.binary, append(args, "-test.short", "-test.failfast",
		fmt.Sprintf("-test.timeout=%v", t.limit))...)
	cmd.Dir = t.dir
	cmd.Env = append(os.Environ(), fmt.Sprintf("MUTANT=%d", number))
	cmd.WaitDelay = time.Second // for what the tests may have left behind
	hang := time.AfterFunc(t.limit+10*time.Second, func() {
		_ = cmd.Process.Kill() // a loop that lets no timer in
	})
	defer hang.Stop()
	out, err := cmd.CombinedOutput()
	if err == nil {
		return survived, ""
	}
	if strings.Contains(string(out), "panic: test timed out") {
		return tooLong, running(string(out))
	}
	return killed, firstFailure(string(out))
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
