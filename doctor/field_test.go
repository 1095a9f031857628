package doctor

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/printable"
)

var heldOut = flag.Bool("held", false,
	"grade the cases of testdata/field that are held out, too")

// fieldCase is a dump that is modelled on a public report whose cause is known:
// testdata/field/NAME.json. The dump is NAME.txt beside it, or of that name in
// testdata/cases. What is wanted was written from the report, before the doctor
// was run on the dump.
type fieldCase struct {
	// Source is the report, as in "owner/repo#123"; it was read for the cause
	// and the form, and no line of it is here.
	Source string `json:"source"`

	// Form is how the dump was pasted, in a few words.
	Form string `json:"form"`

	// Held says that the case was held out while the rules were written. First
	// is its grade in the first run after that, or "" before that run; what has
	// been changed since shows in the grade of now. Round is the number of the
	// set: 2 for the reports that were collected after the faults of the first
	// ones had been fixed, and so on.
	Held  bool   `json:"held"`
	Round int    `json:"round,omitempty"`
	First string `json:"first,omitempty"`

	// FirstAlarms is the number of false alarms in the first run, if it was
	// recorded.
	FirstAlarms int `json:"first_alarms,omitempty"`

	Want fieldWant `json:"want"`
}

// fieldWant is the right answer. A finding counts at severity warning and
// above, and is a false alarm if no want is about it.
type fieldWant struct {
	// Findings must all be there but for those that are Optional: people would
	// not agree about these.
	Findings []fieldFinding `json:"findings"`

	// Root has parts of the root sentence.
	Root []string `json:"root"`

	// Says has parts of the whole report, Never what must not be in it.
	Says  []string `json:"says"`
	Never []string `json:"never"`

	// Remedy is a part of the message for a text that is known and has no stacks.
	Remedy string `json:"remedy"`

	// Unjudged is the number of goroutines that cannot be judged.
	Unjudged int `json:"unjudged"`
}

type fieldFinding struct {
	Operation string `json:"operation"` // "" is any
	Function  string `json:"function"`  // or its end
	Receiver  string `json:"receiver"`  // "" is any
	Optional  bool   `json:"optional"`
}

// answers reports whether g is about what was wanted, and whether it says of
// the receiver what is known.
func (w fieldFinding) answers(g Finding) (about, right bool) {
	about = strings.HasSuffix(g.Function, w.Function) &&
		(w.Operation == "" || w.Operation == string(g.Operation))
	if strings.Contains(g.Reason, "deadlock: ") {
		// One finding is about all goroutines of a deadlock.
		about = about || slices.ContainsFunc(g.Stacks, func(s *Stack) bool {
			return strings.HasSuffix(siteOf(s).Func, w.Function)
		})
	}
	return about, about && (w.Receiver == "" || w.Receiver == string(g.Receiver))
}

// The grades of a case, best first.
const (
	gradeRight  = "right"
	gradePartly = "partly"
	gradeWrong  = "wrong"
	gradeUnread = "unread"
)

// grade compares a report with what is wanted, and returns what is amiss.
func (w fieldWant) grade(r *Report, err error) (grade string, alarms int,
	amiss []string) {
	if w.Remedy != "" && err != nil && strings.Contains(err.Error(), w.Remedy) {
		return gradeRight, 0, nil
	}
	if errors.Is(err, ErrNoDump) {
		return gradeUnread, 0, []string{"not read"}
	}
	wants, hits := 0, 0
	check := func(ok bool, format string, args ...any) {
		wants++
		if ok {
			hits++
		} else {
			amiss = append(amiss, fmt.Sprintf(format, args...))
		}
	}
	matched := make([]bool, len(r.Findings))
	for _, f := range w.Findings {
		found, right := false, false
		for i, g := range r.Findings {
			about, ok := f.answers(g)
			if about && g.Severity >= Warning {
				matched[i], found, right = true, true, right || ok
			}
		}
		if !f.Optional {
			check(found, "missed %s %s", f.Operation, f.Function)
			check(right, "receiver of %s is not %s", f.Function, f.Receiver)
		}
	}
	for i, g := range r.Findings {
		if g.Severity >= Warning && !matched[i] {
			alarms++
			amiss = append(amiss, "false alarm: "+g.Sentence)
		}
	}
	var b bytes.Buffer
	r.WriteText(&b, TextOptions{Width: 1 << 20})
	for _, s := range w.Root {
		check(strings.Contains(r.Root, s), "the root does not say %q", s)
	}
	for _, s := range w.Says {
		check(strings.Contains(b.String(), s), "nothing says %q", s)
	}
	for _, s := range w.Never {
		check(!strings.Contains(b.String(), s), "it says %q", s)
	}
	if w.Unjudged > 0 {
		check(r.Goroutines-r.Judged == w.Unjudged, "%d not judged", r.Goroutines-
			r.Judged)
	}
	switch {
	case len(amiss) == 0:
		return gradeRight, 0, nil
	case hits > 0:
		return gradePartly, alarms, amiss
	}
	return gradeWrong, alarms, amiss
}

func readField(t *testing.T, file string) (c fieldCase, r *Report, err error) {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&c), file)
	dump := strings.TrimSuffix(file, ".json") + ".txt"
	if _, err := os.Stat(dump); err != nil {
		dump = filepath.Join("testdata", "cases", filepath.Base(dump))
	}
	text, err = os.ReadFile(dump)
	require.NoError(t, err)
	snaps, err := Parse(bytes.NewReader(text), "paste")
	return c, Diagnose(Rules{}, snaps...), err
}

// TestField grades every case and compares with the published table: a change
// of the doctor that makes one better or worse shows. Cases that are not held
// out must be right.
func TestField(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "field", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var table fieldTable
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			c, report, err := readField(t, file)
			if c.Held && c.First == "" && !*heldOut {
				t.Skip("held out: run with -held")
			}
			grade, alarms, amiss := c.Want.grade(report, err)
			table.add(name, c, grade, alarms, amiss)
			if !c.Held {
				assert.Equal(t, gradeRight, grade, "%s", strings.Join(amiss, "\n"))
			}
		})
	}
	table.check(t)
}

// fieldTable is FIELD.md.
type fieldTable struct {
	rows  []string
	total map[string]map[string]int // by set, then by grade
	sets  int
}

func (f *fieldTable) add(name string, c fieldCase, grade string, alarms int,
	amiss []string) {
	if f.total == nil {
		f.total = make(map[string]map[string]int)
	}
	if c.Held {
		known := c.FirstAlarms
		if c.First == "" {
			known = alarms
		} else if c.Round <= 1 {
			known = unrecorded
		}
		f.count(firstRunOf(c.Round), c, cmp.Or(c.First, grade), known)
		f.sets = max(f.sets, c.Round)
	}
	f.count(allNow, c, grade, alarms)
	if grade != gradeRight {
		f.rows = append(f.rows, fmt.Sprintf("| %s | %s | %s | %s | %s |\n", name,
			c.Source, c.Form, grade, strings.ReplaceAll(strings.Join(amiss, "; "),
				"|", "/")))
	}
}

// allNow is the row of all cases.
const allNow = "all, and the tuned ones, now"

func firstRunOf(round int) string {
	return fmt.Sprintf("%d, first run", max(round, 1))
}

// unrecorded is the number of false alarms of the first set's first run.
const unrecorded = -1 << 20

func (f *fieldTable) count(set string, c fieldCase, grade string, alarms int) {
	if f.total[set] == nil {
		f.total[set] = make(map[string]int)
	}
	n := f.total[set]
	n["cases"]++
	n[grade]++
	n["alarms"] += alarms
	if len(c.Want.Findings) == 0 && c.Want.Remedy == "" {
		n["healthy"]++
		if grade == gradeRight {
			n["healthy right"]++
		}
	}
}

const fieldFile = "FIELD.md"

const fieldHead = `# How the doctor does on what people paste

Dumps modelled on public reports whose cause is known: names and values are
made up, the form and the dependencies are the report's. The right answer was
written from the report before the doctor was run on the dump.

The tuned cases were at hand while the rules were written. Each numbered set was
held out: collected after the faults of the one before had been fixed, and run
once. Its first run forecasts how the doctor does on a report like these; the
grade now does not, because the kinds of fault that the first run found have
been fixed since. Right is all that was wanted and nothing else at severity
warning or above, partly is some of it, wrong is none of it, as when a stuck
goroutine was called idle. A false alarm is a warning about another place.

In access-proxy-server-loop the wanted answer was wrong itself: the addresses of
the report show that it receives. In batch-returns-at-first-error,
nat-ping-readers and waitlist-hands-to-the-departed made-up addresses were
replaced by ones that a compiler makes. Nine cases of the sets 7, 8 and 11
wanted a finding on the holder of a lock, which the root names, or on cgo's wrapper
instead of its caller; in six others such a finding, which the doctor makes since,
is no false alarm. The tables of functions of AdguardTeam/AdGuardHome#4437 and
authzed/spicedb#235 have no stacks. The right answer names the command to use.
The list of printer-after-cancel tells no time: right is to name the sender.
link-detach-and-session-mux wanted the goroutine that the detaching one waits for,
which the dump does not tell, and vault-step-down-waits-for-rollback one goroutine
of a deadlock of two.
Written by ` + "`go test ./doctor -run TestField -update`" + `.

| set | cases | right | partly | wrong | unread | false alarms | share right | nothing stuck in: right |
|---|---|---|---|---|---|---|---|---|
`

func (f *fieldTable) check(t *testing.T) {
	var b strings.Builder
	b.WriteString(fieldHead)
	var sets []string
	right, cases := 0, 0
	for round := 1; round <= f.sets; round++ {
		set := firstRunOf(round)
		sets = append(sets, set)
		right, cases = right+f.total[set][gradeRight], cases+f.total[set]["cases"]
	}
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	assert.Contains(t, string(doc), fmt.Sprintf("full on %d of %d.", right, cases))
	for _, set := range append(sets, allNow) {
		n := f.total[set]
		if n["cases"] == 0 {
			continue
		}
		alarms := printable.Number(n["alarms"])
		if n["alarms"] < 0 {
			alarms = "–"
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %s | %.0f %% | %d of %d |\n",
			set, n["cases"], n[gradeRight], n[gradePartly], n[gradeWrong],
			n[gradeUnread], alarms,
			100*float64(n[gradeRight])/float64(n["cases"]), n["healthy right"],
			n["healthy"])
	}
	b.WriteString("\nThe cases that are not right now:\n\n" +
		"| case | report | form | now | amiss |\n|---|---|---|---|---|\n")
	slices.Sort(f.rows)
	b.WriteString(strings.Join(f.rows, ""))
	if *update {
		require.NoError(t, os.WriteFile(fieldFile, []byte(b.String()), 0o644))
	}
	published, err := os.ReadFile(fieldFile)
	require.NoError(t, err)
	for i, line := range strings.Split(b.String(), "\n") {
		lines := strings.Split(string(published), "\n")
		if i >= len(lines) || lines[i] != line {
			t.Fatalf("line %d of %s is out of date: go test ./doctor -run "+
				"TestField -update; it is now\n%s", i+1, fieldFile, line)
		}
	}
}
