package doctor

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestChanges: those that have none left come first, then the largest.
func TestChanges(t *testing.T) {
	then := process(standing(5, "select", "app.worker"),
		standing(1, "select", "app.writer"),
		standing(3, "running", "app.same"), standing(7, "IO wait",
			"net/http.(*conn).serve"),
		standing(2, "select", "app.b"), standing(2, "select", "app.a"))
	between := process(standing(9, "select", "app.brief"))
	now := process(standing(50, "select", "app.worker"),
		standing(3, "running", "app.same"),
		standing(1, "select", "app.new"), standing(8, "IO wait",
			"net/http.(*conn).serve"),
		standing(1, "select", "app.b"), standing(1, "select", "app.a"))
	got := Diagnose(Rules{}, then, between, now).Changes
	for i := range got {
		got[i].file = ""
	}
	assert.Equal(t, []Change{
		{Function: "app.writer", Then: 1, Now: 0},
		{Function: "app.worker", Then: 5, Now: 50},
		{Function: "app.a", Then: 2, Now: 1},
		{Function: "app.b", Then: 2, Now: 1},
		{Function: "app.new", Then: 0, Now: 1},
	}, got)
	assert.Empty(t, Diagnose(Rules{}, now).Changes)
}

// What has changed most comes first, not what is largest.
func TestChangesOfLargeGroups(t *testing.T) {
	then, now := process(), process()
	for i := range 20 {
		name := fmt.Sprintf("app.f%02d", i)
		then.Add(standing(1000-i*40, "select", name))
		now.Add(standing(1001-i*39, "select", name))
	}
	got := Diagnose(Rules{}, then, now).Changes
	require.Len(t, got, 20)
	for i, c := range got {
		assert.Equal(t, 20-i, c.Now-c.Then)
	}
}

// A worker of the same file that an earlier snapshot had is the receiver that
// is missing, whichever of them had it.
func TestVanishedReceiver(t *testing.T) {
	before := process(standing(1, "select", "app.drain"))
	none := process(standing(1, "IO wait", "net.(*netFD).accept"))
	now := process(standing(20, "chan send", "app.(*Writer).Put", inRequest))
	for name, series := range map[string][]*Snapshot{
		"first": {before, none, now}, "in between": {none, before, now},
		"both": {before, before, now},
	} {
		_, f := opinionOn(t, "app.(*Writer).Put", Rules{}, series...)
		assert.EqualValues(t, "missing", f.Receiver, name)
		assert.EqualValues(t, "high", f.Confidence, name)
		assert.Contains(t, f.Sentence, "app.drain: 1 then, 0 now", name)
	}
	// Several are all named, each once, by their names.
	for _, name := range strings.Fields("a b c d e f") {
		before.Add(standing(1, "select", "app."+name))
	}
	_, f := opinionOn(t, "app.(*Writer).Put", Rules{}, before, before, now)
	assert.Equal(t, []string{"app.a: 1 then, 0 now", "app.b: 1 then, 0 now",
		"app.c: 1 then, 0 now", "app.d: 1 then, 0 now", "app.drain: 1 then, 0 now",
		"app.e: 1 then, 0 now"}, f.Evidence, "the last is in the sentence")
	for name, other := range map[string]*Stack{
		"still there":        standing(1, "select", "app.drain"),
		"of another file":    nil,
		"of another package": nil,
	} {
		past := process(standing(1, "select", "app.drain"))
		switch name {
		case "of another file":
			past = process(in("/src/app/b.go", standing(1, "select", "app.drain")))
		case "of another package":
			past = process(standing(1, "select", "other.drain"))
		}
		p := process(standing(20, "chan send", "app.(*Writer).Put", inRequest))
		if other != nil {
			p.Add(other)
		}
		_, f := opinionOn(t, "app.(*Writer).Put", Rules{}, past, p)
		assert.NotContains(t, f.Sentence, "then, 0 now", name)
	}
}

// timed gives p a time of its own: two dumps that are alike in all but that are
// of a process that has not moved.
func timed(p *Snapshot) *Snapshot {
	clock = clock.Add(time.Minute)
	p.Taken = clock
	return p
}

var clock = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
