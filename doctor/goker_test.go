package doctor

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var goker = flag.Bool("goker", false,
	"build and run the leaking programs of the installed Go distribution")

// leakCase is one program of the distribution and what its authors expect
// its leak profile to have: patterns of "function(…) [wait reason]".
type leakCase struct {
	dir, name string
	want      []*regexp.Regexp
}

// leakCases reads the expectations from the distribution's own test, so that
// nothing of them is repeated here.
func leakCases(t *testing.T, src string) []leakCase {
	text, err := os.ReadFile(filepath.Join(src, "goroutineleakprofile_test.go"))
	require.NoError(t, err)
	made := regexp.MustCompile("make(?:Flaky)?Test\\(\"(\\w+)\"((?:,?\\s*(?://[^\n]*)?`[^`]*`)*)")
	quoted := regexp.MustCompile("`([^`]*)`")
	var all []leakCase
	dir := "testgoroutineleakprofile"
	for _, m := range made.FindAllSubmatchIndex(text, -1) {
		name := string(text[m[2]:m[3]])
		if bytes.Contains(text[:m[0]], []byte("gokerTestCases :=")) {
			dir = "testgoroutineleakprofile/goker"
		}
		c := leakCase{dir: dir, name: name}
		for _, q := range quoted.FindAllSubmatch(text[m[4]:m[5]], -1) {
			c.want = append(c.want, regexp.MustCompile(string(q[1])))
		}
		all = append(all, c)
	}
	return all
}

// TestGoker feeds the doctor the dumps of real bugs, first with the runtime's
// leak marks, then as an ordinary dump that lacks them, and publishes what it
// finds.
func TestGoker(t *testing.T) {
	if !*goker {
		t.Skip("builds a runtime: run with -goker")
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	src := filepath.Join(strings.TrimSpace(string(root)), "src", "runtime")
	if _, err := os.Stat(filepath.Join(src, "testdata",
		"testgoroutineleakprofile")); err != nil {
		t.Skip("the installed Go has no src/runtime/testdata")
	}
	programs := buildGoker(t, src)
	var marked, plain, any leakScore
	var b strings.Builder
	for _, c := range leakCases(t, src) {
		dump := c.run(programs[c.dir])
		m := c.judge(t, dump, dump, Warning)
		unmarked := bytes.ReplaceAll(dump, []byte(" (leaked)"), nil)
		p := c.judge(t, dump, unmarked, Warning)
		a := c.judge(t, dump, unmarked, Info)
		marked.add(m)
		plain.add(p)
		any.add(a)
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d |\n", c.name,
			len(c.want), len(leaks(parseText(t, dump))), m.found, p.found,
			a.found, p.alarms)
	}
	head := fmt.Sprintf(gokerHead, marked.row("with the runtime's leak marks"),
		plain.row("ordinary dump, warning and above"),
		any.row("ordinary dump, all findings"))
	assert.Equal(t, marked.leaked, marked.found,
		"what the runtime marks must be found")
	if *update {
		require.NoError(t, os.WriteFile("GOKER.md", []byte(head+b.String()), 0o644))
	}
	t.Logf("%s", head)
}

const gokerHead = `# Bugs the rules were not written for

The Go distribution has programs in src/runtime/testdata that leak goroutines:
63 bugs of real projects (GoKer) and common patterns. They are built and run
from the installed Go with the goroutineleak profile, and their dumps
given to the doctor: as they are, where the runtime has marked the stacks that
nothing can wake, and with those marks taken out, which is what a dump of any
other Go program looks like. Wanted are the stacks that the distribution's own
test expects; many of these bugs are races, which do not leak in every run. Of
four runs the one that leaked most is taken, and the doctor can find no more
than leaked there.

A leak of one goroutine that waits to receive cannot be told from a worker
between two jobs by one dump without marks; the doctor does not guess there,
and the middle row says what that costs. A false alarm is a warning about a
place that the runtime has not marked and the test does not expect.

| | wanted | leaked | found | of those leaked | false alarms |
|---|---|---|---|---|---|
%s%s%s
Made by: go test ./doctor -run TestGoker -goker -update

In the table below, "marked" counts all places that the runtime has marked,
wanted or not.

| program | wanted | marked | found with marks | warned of without | any finding without | false alarms without |
|---|---|---|---|---|---|---|
`

type leakScore struct{ wanted, leaked, found, alarms int }

func (s *leakScore) add(o leakScore) {
	s.wanted += o.wanted
	s.leaked += o.leaked
	s.found += o.found
	s.alarms += o.alarms
}

func (s leakScore) row(name string) string {
	return fmt.Sprintf("| %s | %d | %d | %d | %.0f %% | %d |\n", name, s.wanted,
		s.leaked, s.found, 100*float64(s.found)/float64(max(1, s.leaked)), s.alarms)
}

func buildGoker(t *testing.T, src string) map[string]string {
	programs := make(map[string]string)
	for _, dir := range []string{
		"testgoroutineleakprofile", "testgoroutineleakprofile/goker",
	} {
		programs[dir] = filepath.Join(t.TempDir(), "program")
		cmd := exec.Command("go", "build", "-o", programs[dir], ".")
		cmd.Dir = filepath.Join(src, "testdata", filepath.FromSlash(dir))
		cmd.Env = append(os.Environ(), "GOEXPERIMENT=goroutineleakprofile")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	return programs
}

// run returns the dump with the most leaked goroutines of a few runs.
func (c leakCase) run(program string) []byte {
	var best []byte
	for range 4 {
		var out bytes.Buffer
		cmd := exec.Command(program, c.name)
		cmd.Stdout, cmd.Stderr = &out, &out
		cmd.Env = append(os.Environ(),
			"GODEBUG=asyncpreemptoff=1", "GOEXPERIMENT=goroutineleakprofile")
		if cmd.Start() != nil {
			return nil
		}
		limit := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		limit.Stop()
		mark := []byte("(leaked)")
		if best == nil || bytes.Count(out.Bytes(), mark) > bytes.Count(best, mark) {
			best = out.Bytes()
		}
	}
	return best
}

func parseText(t *testing.T, text []byte) []*Snapshot {
	snaps, err := Parse(bytes.NewReader(text), "dump")
	if err != nil {
		t.Logf("%v", err)
		return nil
	}
	// The programs dump more than once; each is its own.
	return snaps[len(snaps)-1:]
}

// judge compares what the doctor says to a dump with what is wanted and with
// what leaked by the marks in truth.
func (c leakCase) judge(t *testing.T, truth, dump []byte,
	least Severity) leakScore {
	s := leakScore{wanted: len(c.want)}
	leaked := leaks(parseText(t, truth))
	found := make(map[string]bool)
	for _, f := range Diagnose(Rules{}, parseText(t, dump)...).Findings {
		for _, stack := range f.Stacks {
			if f.Severity >= least {
				found[leakName(stack)] = true
			}
		}
	}
	both := make(map[string]bool)
	for name := range found {
		if leaked[name] {
			both[name] = true
		} else if !slices.ContainsFunc(c.want, func(want *regexp.Regexp) bool {
			return want.MatchString(name)
		}) {
			s.alarms++
		}
	}
	for _, want := range c.want {
		s.leaked += hits(want, leaked)
		s.found += hits(want, both)
	}
	return s
}

// leaks returns the names of what the runtime has marked.
func leaks(snaps []*Snapshot) map[string]bool {
	names := make(map[string]bool)
	for _, snap := range snaps {
		for _, stack := range snap.Stacks {
			if stack.Leaked {
				names[leakName(stack)] = true
			}
		}
	}
	return names
}

func hits(want *regexp.Regexp, names map[string]bool) int {
	for name := range names {
		if want.MatchString(name) {
			return 1
		}
	}
	return 0
}

// leakName is how the distribution's test names a leak.
func leakName(s *Stack) string {
	name := strings.TrimPrefix(s.root().Func, "main.")
	return fmt.Sprintf("%s() [%s]", name, s.State)
}
