package doctor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// onInstance is the report of a service with n senders blocked in a line.
func onInstance(t *testing.T, name string, line, n int) *Report {
	t.Helper()
	p := stuckAt(map[int]int{line: n})
	p.Target, p.Instance = name, name
	var b bytes.Buffer
	require.NoError(t, Diagnose(Rules{}, p).WriteJSONStacks(&b))
	r := new(Report)
	require.NoError(t, json.Unmarshal(b.Bytes(), r))
	return r
}

// A report that is written and read again says the same.
func TestReportRoundTrip(t *testing.T) {
	p := stuckAt(map[int]int{212: 40, 300: 3})
	p.trouble(7, "x", "odd")
	p.Banner, p.Truncated = "SIGQUIT: quit", true
	r := Diagnose(Rules{}, process(standing(1, "select", "app.drain")), p)
	r.Waits = []*Wait{{Count: 1, Behind: 3, Function: "app.f", Waiting: []*Wait{
		{Count: 3, Function: "app.g", For: "(*T) 0xc0"}}}}
	var b bytes.Buffer
	require.NoError(t, r.WriteJSONStacks(&b))
	got := new(Report)
	require.NoError(t, json.Unmarshal(b.Bytes(), got))
	assert.Equal(t, textOf(t, r, TextOptions{Idle: true}),
		textOf(t, got, TextOptions{Idle: true}))
	var again bytes.Buffer
	require.NoError(t, got.WriteJSONStacks(&again))
	assert.Equal(t, b.String(), again.String())
}

// The graph is in JSON as trees and as edges.
func TestJSONEdges(t *testing.T) {
	leaf := &Wait{Count: 3, Function: "app.h", For: "(*T) 0xc1"}
	r := &Report{Waits: []*Wait{{Goroutine: 7, Count: 1, Function: "app.f",
		Waiting: []*Wait{{Goroutine: 8, Count: 1, Function: "app.g",
			For: "(*T) 0xc0", Waiting: []*Wait{leaf}}}}}}
	var b bytes.Buffer
	require.NoError(t, r.WriteJSON(&b))
	var got struct{ Edges []edge }
	require.NoError(t, json.Unmarshal(b.Bytes(), &got))
	assert.Equal(t, []edge{
		{end{8, 1, "", "app.g", "", 0}, end{7, 1, "", "app.f", "", 0}, "(*T) 0xc0"},
		{end{0, 3, "", "app.h", "", 0}, end{8, 1, "", "app.g", "", 0}, "(*T) 0xc1"},
	}, got.Edges)
}

// Merged reports are what Diagnose makes of the snapshots of all instances.
func TestReportMerge(t *testing.T) {
	r := Diagnose(Rules{})
	for i := range 3 {
		r.Merge(onInstance(t, fmt.Sprintf("host%d", i), 212, 10+i))
	}
	r.Merge(onInstance(t, "host3", 300, 2000))
	require.Len(t, r.Findings, 2)
	assert.Equal(t, 2000, r.Findings[0].Count, "worst first")
	assert.Equal(t, r.Findings[0].Sentence, r.Root)
	assert.Equal(t, map[string]int{"host3": 2000}, r.Findings[0].Instances)
	f := r.Findings[1]
	assert.Equal(t, 33, f.Count)
	assert.Equal(t, map[string]int{"host0": 10, "host1": 11, "host2": 12},
		f.Instances)
	assert.Equal(t, "33 goroutines are blocked sending in app.(*Log).Write "+
		"(log.go:212), all on the path of HTTP requests; no goroutine is receiving "+
		"there, on 3 instances", f.Sentence)
	assert.Len(t, f.Stacks, 3)
	assert.Len(t, r.Instances, 4)
	assert.Equal(t, []string{"host0", "host1", "host2", "host3"}, r.Targets)
	assert.Equal(t, 2033+4, r.Goroutines)
	assert.Equal(t, r.Goroutines, r.Judged)
	require.Len(t, r.Groups, 3)
	assert.Equal(t, 33, r.Groups[1].Count)

	one := Diagnose(Rules{})
	one.Merge(onInstance(t, "host", 212, 10))
	assert.Nil(t, one.Findings[0].Instances, "no fleet")

	// A fleet that was saved is merged by its instances.
	fleet := onInstance(t, "host4", 212, 5)
	fleet.Merge(onInstance(t, "host5", 212, 6))
	r.Merge(fleet)
	assert.Equal(t, map[string]int{"host0": 10, "host1": 11, "host2": 12,
		"host4": 5, "host5": 6}, r.Findings[1].Instances)
	assert.Contains(t, r.Findings[1].Sentence, "44 goroutines are blocked")
	assert.Contains(t, r.Findings[1].Sentence, "there, on 5 instances")
}

// The root of a fleet is true of all of it: it counts as the finding does,
// and no instance in order hides one that could not be judged.
func TestReportMergeRoot(t *testing.T) {
	r := Diagnose(Rules{})
	for i := range 2 {
		r.Merge(onInstance(t, fmt.Sprintf("host%d", i), 212, 10))
	}
	assert.Contains(t, r.Root, "20 goroutines are blocked")
	assert.Equal(t, r.Findings[0].Sentence, r.Root)

	graph := onInstance(t, "host2", 212, 2000)
	graph.Root, graph.Waits = "everything waits for goroutine 7", []*Wait{{Count: 1}}
	r.Merge(graph)
	assert.Equal(t, "everything waits for goroutine 7", r.Root)

	idle := func(judged int) *Report {
		return &Report{Goroutines: 3, Judged: judged, Root: "nothing stuck",
			Instances: []Instance{{Name: "a", Goroutines: 3}}}
	}
	r = Diagnose(Rules{})
	r.Merge(idle(3))
	assert.Equal(t, "nothing stuck", r.Root)
	r.Merge(idle(2))
	r.Merge(idle(3))
	assert.Equal(t, "cannot tell for 1 of 9 goroutines", r.Root)
}

// A report that no Diagnose made is refused, and never a panic later.
func TestReportImpossible(t *testing.T) {
	deep := `{"count":1}`
	for range 200 {
		deep = `{"waiting":[` + deep + `]}`
	}
	for _, text := range []string{
		`{"goroutines":-1}`, `{"goroutines":3,"judged":4}`, `{"findings":[{"count":-5}]}`,
		`{"findings":[{"severity":"awful"}]}`, `{"waits":[null]}`,
		`{"groups":[{"stacks":[null]}]}`, `{"groups":[{"stacks":[{"count":-1}]}]}`,
		`{"instances":[{"goroutines":-1}]}`, `{"waits":[` + deep + `]}`,
		`{"findings":[{"instances":{"a":-1}}]}`, `[]`, `{`,
	} {
		assert.Error(t, json.Unmarshal([]byte(text), new(Report)), "%.60s", text)
	}
	r := new(Report)
	require.NoError(t, json.Unmarshal([]byte(`{"targets":null,"findings":[{}],`+
		`"groups":[{"stacks":[{"frames":[{}]}]}],"waits":[{"waiting":[{}]}]}`), r))
	var b bytes.Buffer
	require.NoError(t, r.WriteHTML(&b))
	require.NoError(t, r.WriteJSON(&b))
	r.Merge(r)
	textOf(t, r, TextOptions{Idle: true})
}

// A finding about no function is not the same as another one: its sentence has
// facts that nothing else in it has.
func TestMergeKeepsFindingsWithoutAFunction(t *testing.T) {
	report := func(instance, sentence string) *Report {
		r := &Report{Instances: []Instance{{Name: instance}}}
		r.Add(Finding{Severity: Critical, Operation: "log", Sentence: sentence})
		return r
	}
	r := report("a", "log x has stalled")
	r.Merge(report("b", "log y has stalled"))
	require.Len(t, r.Findings, 2)
	assert.Equal(t, "log x has stalled", r.Findings[0].Sentence)
	assert.Equal(t, map[string]int{"a": 0}, r.Findings[0].Instances)
	assert.Equal(t, "log y has stalled", r.Findings[1].Sentence)
	assert.Equal(t, map[string]int{"b": 0}, r.Findings[1].Instances)
}
