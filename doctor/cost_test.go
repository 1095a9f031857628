package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// costly are dumps that would make a search of everything for everything take
// hours: each is some megabytes of text.
var costly = map[string]func(n int) []*Snapshot{
	"senders of one type": func(n int) []*Snapshot {
		p := &Snapshot{}
		for i := range n {
			p.Add(&Stack{State: "chan send", Count: 2, Frames: []Frame{{
				Func: fmt.Sprintf("app.(*T).f%d", i), File: "/a.go", Line: i}}})
		}
		return []*Snapshot{p}
	},
	"lockers of one type": func(n int) []*Snapshot {
		p := &Snapshot{}
		for i := range n {
			p.Add(standing(2, "sync.Mutex.Lock", "sync.(*Mutex).Lock",
				fmt.Sprintf("app.(*T).f%d", i)))
		}
		return []*Snapshot{p}
	},
	"lockers in the library": func(n int) []*Snapshot {
		p := &Snapshot{Extract: true}
		for i := range n {
			p.Add(standing(2, "sync.Mutex.Lock", "sync.(*Mutex).Lock",
				fmt.Sprintf("net/http.(*T).f%d", i), fmt.Sprintf("app.f%d", i)))
		}
		return []*Snapshot{p}
	},
	"senders and vanished workers": func(n int) []*Snapshot {
		then, now := &Snapshot{}, &Snapshot{}
		for i := range n {
			then.Add(standing(1, "select", fmt.Sprintf("app.w%d", i)))
			now.Add(standing(2, "chan send", fmt.Sprintf("app.s%d", i)))
		}
		return []*Snapshot{then, now}
	},
	"many snapshots": func(n int) []*Snapshot {
		all := make([]*Snapshot, n)
		for i := range all {
			all[i] = process(standing(1+i%7, "select", "app.f"))
		}
		for i := range n {
			all[n-1].Add(standing(2, "chan send", fmt.Sprintf("app.s%d", i)))
		}
		return all
	},
	"waits that rise": func(n int) []*Snapshot {
		p := &Snapshot{}
		for i := range n {
			s := standing(1+i, "select", "app.f", fmt.Sprintf("app.g%d", i))
			s.Frames[0].Line = 1
			p.Add(s)
		}
		return []*Snapshot{p}
	},
}

// The work is linear in the input: eight times the input is not thirty times
// the comparisons. What was not compared is said.
func TestJudgingIsLinear(t *testing.T) {
	for name, make := range costly {
		t.Run(name, func(t *testing.T) {
			small, large := make(1000), make(8000)
			few, many := spent(small), spent(large)
			assert.LessOrEqual(t, many, 8*few+2*effortOf(large[len(large)-1]),
				"%d and %d comparisons", few, many)
			r := Diagnose(Rules{}, large...)
			size := 0
			for _, f := range r.Findings {
				assert.LessOrEqual(t, len(f.Evidence), 2*maxEvidence)
				size += len(f.Sentence) + len(strings.Join(f.Evidence, ""))
			}
			assert.Less(t, size, 8000*1200, "a report within some times its input")
		})
	}
}

// spent returns how many comparisons judging has cost.
func spent(all []*Snapshot) int {
	rules := Rules{}.withDefaults()
	var sc *scene
	for _, p := range all[max(0, len(all)-maxSeries):] {
		next := newScene(rules, p)
		if sc != nil {
			next.past = append(sc.past, sc)
		}
		sc = next
	}
	before := sc.effort
	sc.judge()
	return before - sc.effort
}

func TestLongSeriesIsCut(t *testing.T) {
	var all []*Snapshot
	for i := range 50 {
		all = append(all, process(standing(1+i, "select", "app.f")))
	}
	r := Diagnose(Rules{}, all...)
	assert.Equal(t, []string{"18 snapshots between the first and the last 31 were " +
		"not compared"}, r.Notes)
	assert.Equal(t, 50, r.Goroutines)
	require.NotEmpty(t, r.Changes)
	assert.Equal(t, 1, r.Changes[0].Then, "the first is kept")
}

// A dump that is given twice says nothing the second time.
func TestTheSameDumpTwice(t *testing.T) {
	dump := func() *Snapshot {
		return process(born(standing(1, "chan send", "app.f"), 7))
	}
	once, twice := Diagnose(Rules{}, dump()), Diagnose(Rules{}, dump(), dump())
	assert.Equal(t, once.Findings, twice.Findings)
	require.Len(t, twice.Notes, 1)
	assert.Contains(t, twice.Notes[0], "has the same dump again, 1 time,")
	many := Diagnose(Rules{}, dump(), dump(), dump(), dump())
	require.Len(t, many.Notes, 1, "one line, however often")
	assert.Contains(t, many.Notes[0], "again, 3 times,")
	named := dump()
	named.Target = "copy"
	assert.Contains(t, Diagnose(Rules{}, dump(), named).Notes[0],
		" and copy are the same dump")
	other := dump()
	waited(other.Stacks[0], 3)
	assert.Empty(t, Diagnose(Rules{}, dump(), other).Notes)
}
