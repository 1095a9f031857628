package doctor

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/printable"
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

func TestGrowing(t *testing.T) {
	for _, test := range []struct {
		counts []int
		want   bool
	}{
		{[]int{5}, false},
		{[]int{100, 200}, true},
		{[]int{100, 199}, false}, // not twice
		{[]int{0, 100}, true},
		{[]int{0, 99}, false}, // traffic
		{[]int{40, 90}, false},
		{[]int{20, 25, 30}, true},
		{[]int{20, 25, 29}, false}, // not half as much again
		{[]int{2, 5, 11}, false},   // nine
		{[]int{2, 5, 12}, true},
		{[]int{20, 20, 40}, false},    // the last step may be traffic
		{[]int{20, 41, 40}, false},    // it fell
		{[]int{20, 30, 30}, false},    // it has stopped
		{[]int{0, 10, 10, 10}, false}, // a pool that was started
		{[]int{0, 10, 20, 30}, true},
	} {
		var series []*Snapshot
		for _, n := range test.counts {
			p := process(standing(1, "running", "app.g"))
			if n > 0 {
				p.Add(standing(n, "select", "app.f"))
			}
			series = append(series, p)
		}
		g, f := opinionOn(t, "app.f", Rules{}, series...)
		assert.Equal(t, test.want, f != nil, "%v", test.counts)
		if test.want && f != nil {
			assert.EqualValues(t, "stuck", g.Verdict)
			assert.Contains(t, f.Sentence, "growing: "+printable.Number(test.counts[0])+" then, ")
			assert.EqualValues(t, "medium", f.Confidence)
		}
	}
}

// What is reported already has its growth among the evidence.
func TestGrowingSenders(t *testing.T) {
	_, f := opinionOn(t, "app.f", Rules{},
		process(standing(20, "chan send", "app.f")),
		process(standing(200, "chan send", "app.f")))
	assert.Contains(t, f.Evidence, "growing: 20 then, 200 now")
	assert.Contains(t, f.Sentence, "blocked sending")

	_, f = opinionOn(t, "app.f", Rules{},
		process(standing(20, "chan receive", "app.f", inRequest)),
		process(standing(200, "chan receive", "app.f", inRequest)))
	assert.Contains(t, f.Evidence, "growing: 20 then, 200 now")
	assert.Contains(t, f.Sentence, "no goroutine is sending there")

	_, f = opinionOn(t, "app.f", Rules{},
		process(standing(20, "IO wait", "app.f")),
		process(standing(200, "IO wait", "app.f")))
	assert.Nil(t, f, "more connections are no leak")

	chain := func(n int) *Snapshot {
		return process(born(standing(n, "chan receive", "app.f"), 1,
			append([]uint64{9999}, upTo(n-1)...)...))
	}
	_, f = opinionOn(t, "app.f", Rules{}, chain(400), chain(999))
	assert.Equal(t, Warning, f.Severity)
	_, f = opinionOn(t, "app.f", Rules{}, chain(400), chain(1000))
	assert.Equal(t, Critical, f.Severity)
}

// timed gives p a time of its own: two dumps that are alike in all but that are
// of a process that has not moved.
func timed(p *Snapshot) *Snapshot {
	clock = clock.Add(time.Minute)
	p.Taken = clock
	return p
}

var clock = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// The same goroutine in the same place is the best evidence there is.
func TestStayed(t *testing.T) {
	sender := func(id uint64) *Snapshot {
		return timed(process(born(standing(1, "chan send", "app.f"), id)))
	}
	_, f := opinionOn(t, "app.f", Rules{}, sender(7), sender(7))
	require.NotNil(t, f)
	assert.Equal(t, Warning, f.Severity, "alone it would be worth a look")
	assert.Contains(t, f.Evidence, "1 of them stood there in an earlier "+
		"snapshot already")

	_, f = opinionOn(t, "app.f", Rules{}, sender(7), sender(8))
	assert.Equal(t, Info, f.Severity, "another one is only busy traffic")

	// A profile in between knows no goroutine and takes nothing away.
	_, f = opinionOn(t, "app.f", Rules{}, sender(7),
		process(standing(1, "chan send", "app.f")), sender(7))
	assert.Equal(t, Warning, f.Severity)
	_, f = opinionOn(t, "app.f", Rules{},
		process(standing(1, "chan send", "app.f")), sender(7), sender(7))
	assert.Equal(t, Warning, f.Severity)

	many := func() *Snapshot {
		return timed(process(born(standing(3, "chan send",
			"app.f"), 10)))
	}
	_, f = opinionOn(t, "app.f", Rules{}, many(), many())
	assert.EqualValues(t, "high", f.Confidence, "medium without the earlier one")

	receivers := func() *Snapshot {
		return process(born(standing(3, "select",
			"app.f"), 10))
	}
	_, f = opinionOn(t, "app.f", Rules{}, receivers(), receivers())
	assert.Nil(t, f, "workers stay where they are")

	waiting := func() *Snapshot {
		return process(born(standing(3, "sync.WaitGroup.Wait", "app.f"), 10, 1))
	}
	g, f := opinionOn(t, "app.f", Rules{}, waiting(), waiting())
	assert.Nil(t, f, "and who waits for them does")
	assert.EqualValues(t, "idle", g.Verdict)

	requests := func() *Snapshot {
		return process(born(standing(10, "chan send", "app.f", inRequest), 10))
	}
	_, f = opinionOn(t, "app.f", Rules{}, requests(), requests())
	assert.Equal(t, Critical, f.Severity, "no less for having stayed")

	slow := func() *Snapshot {
		return process(born(standing(3, "chan send", "app.(*W).Put"), 10),
			standing(1, "running", "app.(*W).loop"))
	}
	g, f = opinionOn(t, "app.(*W).Put", Rules{}, slow(), slow())
	assert.EqualValues(t, "slow", g.Verdict, "the receiver is at work")
	assert.Equal(t, Info, f.Severity)
}
