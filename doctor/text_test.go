package doctor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.com/chanx/internal/printable"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func textOf(t *testing.T, r *Report, opts TextOptions) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, r.WriteText(&b, opts))
	return b.String()
}

// One report that has everything, to the letter.
func TestTextWhole(t *testing.T) {
	stuck := from("net/http.(*Server).Serve", standing(12, "chan send",
		"app.(*Writer).Put", inRequest))
	stuck.Frames = append([]Frame{{PC: 0x43e0c5}}, stuck.Frames...)
	other := standing(3, "chan send", "app.(*Writer).Put", "app.g")
	p := process(waited(stuck, 7), other,
		standing(2, "chan receive", "app.worker"),
		standing(1, "a reason of 2031", "app.odd"))
	p.Banner, p.Truncated = "SIGQUIT: quit", true
	p.trouble(3, "x\ty", "a foreign line within a goroutine")
	p.trouble(0, "", "the input ends within a goroutine")
	before := process(standing(1, "select", "app.drain"))
	r := Diagnose(Rules{}, before, p)
	assert.Equal(t, `15 goroutines are blocked sending in app.(*Writer).Put (app.go:1), 12 of them on
the path of requests; no goroutine is receiving there: app.drain: 1 then, 0 now.
18 goroutines in app: 1 critical; 17 of 18 goroutines judged
SIGQUIT: quit
The input is cut short: all counts are lower bounds.

CRITICAL  15 blocked sending in app.(*Writer).Put (app.go:1).
          confidence high, receiver missing
          - the longest has waited 7 minutes
            goroutines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
            0x43e0c5
            app.(*Writer).Put /src/app/app.go:1
            net/http.HandlerFunc.ServeHTTP /src/app/app.go:2
            created by net/http.(*Server).Serve /src/app/app.go:99
          and 1 other stack

Since the first snapshot:
  app.drain: 1 then, 0 now
  app.g: 0 then, 3 now
  app.worker: 0 then, 2 now
  app.odd: 0 then, 1 now

In order: 2 goroutines in 1 place, idle by design or at work.
  2 blocked receiving in app.worker (app.go:1): idle, not too many for a pool of
  workers
  1 in the state a reason of 2031 in app.odd (app.go:1): unknown, no rule for a
  reason of 2031

Lines or goroutines not understood: 2.
  line 3: a foreign line within a goroutine: "x y"
  the input ends within a goroutine
`, textOf(t, r, TextOptions{Idle: true}))
	brief := textOf(t, r, TextOptions{})
	assert.Contains(t, brief, "In order: 2 goroutines")
	assert.NotContains(t, brief, "app.worker (app.go:1)")
}

// Hundreds of findings are told in full only where they matter most, and that
// is said.
func TestTextMany(t *testing.T) {
	text := textOf(t, manyFindings(400), TextOptions{})
	assert.Equal(t, 400, strings.Count(text, "\nWARNING "))
	assert.Equal(t, 20, strings.Count(text, "because "))
	assert.Contains(t, text, "The last 380 findings without evidence and stacks, "+
		"which the page and JSON have.")
	assert.NotContains(t, textOf(t, manyFindings(20), TextOptions{}), "The last")
}

func TestTextTally(t *testing.T) {
	for want, severities := range map[string][]Severity{
		"nothing stuck":                         nil,
		"nothing stuck, 2 worth a look":         {Info, Info},
		"1 warning":                             {Warning},
		"2 warnings":                            {Warning, Warning},
		"1 critical, 1 warning, 1 worth a look": {Info, Critical, Warning},
	} {
		r := &Report{Goroutines: 1, Judged: 1}
		for _, s := range severities {
			r.Add(Finding{Severity: s})
		}
		assert.Equal(t, want, r.tally())
	}
}

// What was not judged is never called all clear.
func TestTextUnjudged(t *testing.T) {
	r := &Report{Goroutines: 243, Judged: 0, Targets: []string{"x"}}
	r.Root = r.rootSentence()
	assert.Equal(t, "243 goroutines in x: cannot tell for 243 of 243 goroutines; "+
		"0 of 243 goroutines judged\n", textOf(t, r, TextOptions{Width: 200}))
	var page bytes.Buffer
	require.NoError(t, r.WriteHTML(&page))
	assert.NotContains(t, page.String(), "stuck.</p>")
}

// The graph is a tree of as many places as a screen holds.
func TestTextWaits(t *testing.T) {
	root := &Wait{Goroutine: 117, Count: 1, Behind: 2636, Minutes: 1260,
		Operation: "waitgroup", Function: "app.(*Daemon).stop", File: "/d.go",
		Line: 7}
	deep := root
	for i := range 30 {
		next := &Wait{Count: 2, Operation: "mutex", Function: "app.get",
			File: "/g.go", Line: i, For: "(*app.Daemon) 0xc042"}
		deep.Waiting = []*Wait{next}
		deep = next
	}
	r := &Report{Waits: []*Wait{root, {Goroutine: 20, Count: 1, Cycle: true,
		Operation: "mutex", Function: "app.g"}}}
	text := textOf(t, r, TextOptions{Width: 200})
	assert.Contains(t, text, "\nWho waits for whom:\n  goroutine 117 waiting for a "+
		"sync.WaitGroup in app.(*Daemon).stop (d.go:7), 1,260 minutes; 2,636 behind it\n"+
		"    2 goroutines waiting for a mutex in app.get (g.go) for (*app.Daemon) "+
		"0xc042\n")
	assert.Equal(t, "2 goroutines waiting for a mutex in app.f, waiting for that "+
		"one to unlock", (&Wait{Count: 2, Operation: "mutex", Function: "app.f",
		For: toUnlock}).line())
	assert.Contains(t, text, "goroutine 20 waiting for a mutex in app.g, and so for "+
		"itself\n")
	assert.Equal(t, maxWaitDepth-1, strings.Count(text, "app.get"))
	assert.Contains(t, text, "\n  and 21 more places\n")
	var page bytes.Buffer
	require.NoError(t, r.WriteHTML(&page))
	assert.Contains(t, page.String(), `<ul class="waits"><li>goroutine 117`)
	assert.Equal(t, strings.Count(page.String(), "<ul"),
		strings.Count(page.String(), "</ul>"))
}

// No line of prose is wider than asked for, if its words are not; the calls
// of a stack are never broken.
func TestTextWidth(t *testing.T) {
	r := Diagnose(Rules{}, process(writers()))
	for _, width := range []int{40, 60, 80, 200} {
		for line := range strings.Lines(textOf(t, r, TextOptions{Width: width})) {
			if !strings.Contains(line, "/src/") {
				assert.LessOrEqual(t, len(line)-1, width, line)
			}
		}
	}
	// A line is filled to the last column, whatever its letters are made of.
	r = &Report{Findings: []Finding{{Severity: Warning, Confidence: "high",
		Sentence: "eins zwei fünf größer über ähnlich", Receiver: "unknown"}}}
	const line = "WARNING   eins zwei fünf größer über"
	assert.Contains(t, textOf(t, r, TextOptions{Width: 36}), line+"\n")
	assert.NotContains(t, textOf(t, r, TextOptions{Width: 35}), line+"\n")
	r = Diagnose(Rules{}, process(writers()))
	narrow := textOf(t, r, TextOptions{Width: 40})
	assert.NotContains(t, narrow, "other stack", "there is one")
	assert.NotContains(t, narrow, "created by", "it is not known")
	assert.NotContains(t, narrow, "In order", "nothing is")
	assert.Contains(t, narrow, "net/http.HandlerFunc.ServeHTTP /src/app/app.go:2")
	assert.Equal(t, textOf(t, r, TextOptions{Width: 80}),
		textOf(t, r, TextOptions{Width: -1}))
}

// Color is around the label and nowhere else.
func TestTextColor(t *testing.T) {
	r := &Report{}
	for s := Info; s <= Critical; s++ {
		r.Add(Finding{Severity: s, Sentence: "x"})
	}
	plain := textOf(t, r, TextOptions{})
	assert.NotContains(t, plain, "\x1b")
	colored := textOf(t, r, TextOptions{Color: true})
	for _, want := range []string{
		"\x1b[1;31mCRITICAL  \x1b[0mx.", "\x1b[33mWARNING   \x1b[0mx.",
		"\x1b[36mINFO      \x1b[0mx.",
	} {
		assert.Contains(t, colored, want)
	}
	for _, code := range []string{"\x1b[1;31m", "\x1b[33m", "\x1b[36m",
		"\x1b[0m"} {
		colored = strings.ReplaceAll(colored, code, "")
	}
	assert.Equal(t, plain, colored)
}

func TestTextInstances(t *testing.T) {
	r := &Report{}
	r.Add(Finding{Severity: Warning, Sentence: "x",
		Instances: map[string]int{"http://b": 1200, "http://a\x1b": 1}})
	assert.Contains(t, textOf(t, r, TextOptions{}),
		"          - 1 on http://a\uFFFD\n          - 1,200 on http://b\n")
}

// A fleet does not fill the screen with its names.
func TestTextFleet(t *testing.T) {
	r := &Report{}
	f := Finding{Sentence: "x", Instances: map[string]int{}}
	for i := range 1000 {
		name := fmt.Sprintf("http://10.0.0.%04d", i)
		r.Targets = append(r.Targets, name)
		f.Instances[name] = 1
	}
	r.Add(f)
	text := textOf(t, r, TextOptions{})
	assert.Contains(t, text, "0 goroutines in 1,000 targets")
	assert.Contains(t, text, "- 1 on http://10.0.0.0009\n          - and on 990 "+
		"more\n")
}

func TestTextManyChanges(t *testing.T) {
	then, now := process(), process()
	for i := range 12 {
		now.Add(standing(i+1, "select", fmt.Sprintf("app.f%d", i)))
	}
	text := textOf(t, Diagnose(Rules{}, then, now), TextOptions{})
	assert.Equal(t, 10, strings.Count(text, " then, "))
	assert.Contains(t, text, "  app.f11: 0 then, 12 now\n")
	assert.Contains(t, text, "  and 2 more\n")
	assert.NotContains(t, text, "app.f1: ")
}

// A hostile dump drives neither the terminal nor the direction of writing.
func TestTextIsClean(t *testing.T) {
	text := textOf(t, Diagnose(Rules{}, hostile()), TextOptions{Idle: true})
	for _, c := range text {
		assert.True(t, c == '\n' || c == printable.Rune(c), "%q", c)
	}
}

// A place is printed as far as it is known.
func TestTextPlaces(t *testing.T) {
	p := process(&Stack{State: "chan send", Count: 20, Frames: []Frame{
		{Func: "app.f"}, {Func: "app.g", File: "/g.go"},
		{Func: "app.h", Line: 7}},
		CreatedBy: Frame{Func: "app.main"}})
	r := Diagnose(Rules{}, p)
	var page bytes.Buffer
	require.NoError(t, r.WriteHTML(&page))
	for _, text := range []string{textOf(t, r, TextOptions{Idle: true}),
		page.String()} {
		assert.NotRegexp(t, `(\s|go):0|app\.f :|app\.h.*:7`, text)
		assert.Regexp(t, `app\.g /g\.go\n`, text)
	}
}

var errFull = errors.New("no space left")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWritersFail(t *testing.T) {
	r := Diagnose(Rules{}, process(writers()))
	assert.ErrorIs(t, r.WriteText(fullDisk{}, TextOptions{}), errFull)
	assert.ErrorIs(t, r.WriteJSON(fullDisk{}), errFull)
	assert.ErrorIs(t, r.WriteHTML(fullDisk{}), errFull)
}

// The reader of a dump looks a goroutine up by its number.
func TestTextNamesGoroutines(t *testing.T) {
	r := Diagnose(Rules{}, process(waited(standing(20, "chan send", "app.f"), 9)))
	assert.Contains(t, textOf(t, r, TextOptions{}), "  goroutines 1, 2, 3, 4, 5, 6, "+
		"7, 8, 9, 10, 11, 12, 13, 14, 15, 16 and\n            4 more\n")

	r = Diagnose(Rules{}, process(born(standing(1,
		string(ChanSendNil), "app.f"), 1)))
	assert.Equal(t, "goroutine 1 is blocked forever sending to a nil channel in "+
		"app.f (app.go:1); nothing can ever wake it", r.Root)
	text := textOf(t, r, TextOptions{})
	assert.Contains(t, text, "1 blocked forever sending to a nil channel in app.f",
		"the finding does not repeat the root")

	var b bytes.Buffer
	require.NoError(t, r.WriteJSON(&b))
	var read Report
	require.NoError(t, json.Unmarshal(b.Bytes(), &read))
	assert.Equal(t, r.Root, read.Root)
	assert.Contains(t, textOf(t, &read, TextOptions{}), "  1 blocked forever")
}
