package doctor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/race"
)

// incidentDump is the published stack, 7,978 times, with the second goroutine
// of the writer and without the first.
func incidentDump() string {
	var b strings.Builder
	for i := range 7978 {
		fmt.Fprintf(&b, "goroutine %d [chan send, %d minutes]:\n"+
			"log4go.(*FileLogTraceWriter).LogWrite(0xc000)\n\t/go/src/log4go/filelog.go:212 +0x4\n"+
			"log4go.Logger.LogTraceMap(0xc000)\n\t/go/src/log4go/log4go.go:80 +0x4\n"+
			"middleware.Logger.func1(0xc%x)\n\t/go/src/middleware/logger.go:30 +0x4\n"+
			"gin.(*Engine).ServeHTTP(0xc000)\n\t/go/src/gin/gin.go:300 +0x4\n"+
			"net/http.(*conn).serve(0xc%x)\n\t/usr/local/go/src/net/http/server.go:1900 +0x4\n"+
			"created by "+
			"net/http.(*Server).Serve\n\t/usr/local/go/src/net/http/server.go:3000 "+
			"+0x4\n\n",
			i+100, i%50, i, i)
	}
	b.WriteString("goroutine 20 [select]:\n" +
		"log4go.NewFileLogTraceWriter.func2()\n\t/go/src/log4go/filelog.go:120 +0x4\n" +
		"created by log4go.NewFileLogTraceWriter\n\t/go/src/log4go/filelog.go:110 " +
		"+0x4\n")
	return b.String()
}

func TestDiagnoseIncident(t *testing.T) {
	r := Diagnose(Rules{}, parseOne(t, incidentDump()))
	require.Len(t, r.Findings, 1)
	f := r.Findings[0]
	assert.True(t, strings.HasPrefix(f.Sentence,
		"7,978 goroutines are blocked sending in "+
			"log4go.(*FileLogTraceWriter).LogWrite (filelog.go:212), all on the path of "+
			"HTTP requests; no goroutine is receiving there"), f.Sentence)
	assert.Contains(t, f.Sentence, "log4go.NewFileLogTraceWriter.func1")

	var b bytes.Buffer
	require.NoError(t, r.WriteJSON(&b))
	var got map[string]any
	require.NoError(t, json.Unmarshal(b.Bytes(), &got))
	for _, key := range []string{"targets", "goroutines", "unreadable",
		"findings", "instances"} {
		assert.Contains(t, got, key)
	}
	finding := got["findings"].([]any)[0].(map[string]any)
	assert.NotEmpty(t, finding["evidence"])
	delete(finding, "sentence")
	delete(finding, "evidence")
	delete(finding, "reason")
	assert.Equal(t, map[string]any{
		"severity": "critical", "operation": "chan send", "count": 7978.0,
		"function": "log4go.(*FileLogTraceWriter).LogWrite",
		"file":     "/go/src/log4go/filelog.go", "line": 212.0,
		"request_path": true, "receiver": "missing", "confidence": "high",
		"receiver_confidence": "medium", "requests": 7978.0,
		"entry": "HTTP request",
	}, finding)
}

func TestDiagnoseFleet(t *testing.T) {
	a, b := stuckAt(map[int]int{1: 20}), stuckAt(map[int]int{1: 30})
	a.Instance, b.Instance = "a", "b"
	r := Diagnose(Rules{}, a, b)
	require.Len(t, r.Findings, 1)
	assert.Equal(t, map[string]int{"a": 20, "b": 30}, r.Findings[0].Instances)
	assert.Equal(t, 50, r.Findings[0].Count)
	assert.Contains(t, r.Findings[0].Sentence, "50 goroutines are blocked sending")
	assert.Contains(t, r.Findings[0].Sentence, "on 2 instances")
}

func TestDiagnoseIgnore(t *testing.T) {
	for pattern, ignored := range map[string]bool{
		"app.(*Log).Write": true, "(*Log).Write": true, "app.*": true,
		"Write": true, "rite": false, "": false, "other.*": false,
	} {
		r := Diagnose(Rules{Ignore: []string{pattern}}, stuckAt(map[int]int{1: 20}))
		assert.Equal(t, ignored, len(r.Findings) == 0, "%q", pattern)
	}
}

// The source's word is taken over any guess.
func TestDiagnoseReceivers(t *testing.T) {
	p := stuckAt(map[int]int{1: 20})
	p.Add(&Stack{State: "syscall", Count: 1,
		Frames: []Frame{{Func: "other.drain", Line: 9}}})
	for receiver, want := range map[string]string{
		"other.drain": "present", "other.gone": "missing",
	} {
		rules := Rules{Receivers: func(Finding) []string { return []string{receiver} }}
		f := Diagnose(rules, p).Findings[0]
		assert.EqualValues(t, want, f.Receiver)
		assert.EqualValues(t, "high", f.ReceiverConfidence)
	}
}

// Twenty thousand different stacks are no reason to hang.
func TestDiagnoseManyStacks(t *testing.T) {
	if testing.Short() || race.Enabled {
		t.Skip("takes a second, and minutes with the race detector")
	}
	r := Diagnose(Rules{}, differentSenders(20_000))
	assert.Len(t, r.Findings, 20_000)
	assert.EqualValues(t, "missing", r.Findings[0].Receiver)
	assert.EqualValues(t, "unknown", r.Findings[len(r.Findings)-1].Receiver)
}

// A search that is given up is said to be, and only that one.
func TestSearchIsGivenUp(t *testing.T) {
	p := differentSenders(100)
	p.Stacks[99].Count++ // the most are looked at first
	sc := newScene(Rules{}.withDefaults(), p)
	sc.effort = 50 * 100 * 2 * 2 // two searches of each, two for each stack
	sc.judge()
	first, last := sc.of[p.Stacks[99]].verdict, sc.of[p.Stacks[98]].verdict
	assert.EqualValues(t, "missing", first.receiver)
	assert.EqualValues(t, "unknown", last.receiver)
	assert.EqualValues(t, "low", last.other)
	assert.Contains(t, last.evidence,
		"there are too many different stacks to look for who is at the other end")
}

func differentSenders(n int) *Snapshot {
	p := &Snapshot{}
	for i := range n {
		p.Add(&Stack{State: "chan send", Count: 20, Frames: []Frame{{
			Func: fmt.Sprintf("app.f%06d", i), File: fmt.Sprintf("/%d.go", i)}}})
	}
	return p
}

// The worst is first, however few it is of, and the largest group is, in
// whichever instance.
func TestDiagnoseOrder(t *testing.T) {
	a := process(standing(50, "chan send", "app.jobs"),
		standing(10, "chan send", "web.serve", inRequest),
		standing(20, "running", "app.busy"))
	b := process(standing(90, "running", "app.busy"))
	a.Instance, b.Instance = "a", "b"
	r := Diagnose(Rules{}, a, b)
	require.Len(t, r.Findings, 2)
	assert.Equal(t, Critical, r.Findings[0].Severity)
	assert.Equal(t, 10, r.Findings[0].Count)
	assert.Equal(t, 50, r.Findings[1].Count)
	var sizes []int
	for _, g := range r.Groups {
		sizes = append(sizes, g.Count)
	}
	assert.Equal(t, []int{110, 50, 10}, sizes)
}

// How a group came in is how the most of it did, and the first of as many.
func TestDiagnoseEntry(t *testing.T) {
	test, request := standing(2, "chan send", "app.f", "testing.tRunner"),
		standing(2, "chan send", "app.f", inRequest)
	g, _ := opinionOn(t, "app.f", Rules{}, process(test, request))
	assert.Equal(t, "test", g.Entry)
	request.Count = 3
	g, _ = opinionOn(t, "app.f", Rules{}, process(test, request))
	assert.Equal(t, "HTTP request", g.Entry)
	assert.Same(t, request, g.Stacks[0])
}

// What a pattern of Rules.Ignore matches.
func TestIgnorePatterns(t *testing.T) {
	for _, test := range []struct {
		pattern, symbol string
		want            bool
	}{
		{"example.com/app.*", "example.com/app.f", true},
		{"app.*", "example.com/app.f", true},
		{"example.com/app.*", "example.com/apple.f", false},
		{"app.(*Hub).*", "example.com/app.(*Hub).run", true},
		{"*", "main.f", true},
		{"example.com/app.f", "example.com/app.f", true},
		{"app.f", "example.com/app.f", true},
		{"f", "example.com/app.f", true},
		{"pp.f", "example.com/app.f", false},
		{"app.f", "example.com/app.f.func1", false},
		{"", "example.com/app.f", false},
		{"", "", false},
		{"app.f", "", false},
	} {
		assert.Equal(t, test.want, matches(test.pattern, test.symbol),
			"%q %q", test.pattern, test.symbol)
	}
}
