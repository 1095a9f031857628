package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSnapshotAdd(t *testing.T) {
	p := process(standing(3, "select", "app.f"), standing(4, "select", "app.f"))
	assert.Equal(t, 7, p.Goroutines)
	assert.Len(t, p.Stacks, 2)
	assert.PanicsWithValue(t, "doctor: Add of a stack without goroutines",
		func() { p.Add(&Stack{}) })
	assert.Equal(t, 7, p.Goroutines, "unchanged")
}

// Resolve asks once per address, keeps what nobody knows, and puts inlined
// calls in the place of one address.
func TestSnapshotResolve(t *testing.T) {
	p := &Snapshot{}
	p.Add(&Stack{Count: 1, Frames: []Frame{{PC: 1}, {PC: 2},
		{Func: "app.f", PC: 3}, {}}})
	p.Add(&Stack{Count: 1, Frames: []Frame{{PC: 2}, {PC: 1}, {PC: 9}}})
	var asked [][]uint64
	p.Resolve(func(pcs []uint64) map[uint64][]Frame {
		asked = append(asked, pcs)
		return map[uint64][]Frame{
			1: {{Func: "app.inlined"}, {Func: "app.\x1bouter"}},
			2: {{Func: "runtime.gopark", Line: 5}},
			3: {{Func: "has a name already"}}, 9: nil, 0: {{Func: "none"}},
		}
	})
	assert.Equal(t, [][]uint64{{1, 2, 9}}, asked)
	assert.Equal(t, []Frame{{Func: "app.inlined"}, {Func: "app.�outer"},
		{Func: "runtime.gopark", Line: 5}, {Func: "app.f", PC: 3}, {}},
		p.Stacks[0].Frames)
	assert.Equal(t, []Frame{{Func: "runtime.gopark", Line: 5},
		{Func: "app.inlined"},
		{Func: "app.�outer"}, {PC: 9}}, p.Stacks[1].Frames)
	assert.Equal(t, []uint64{9}, p.unresolved())
	p.Resolve(func([]uint64) map[uint64][]Frame { return nil })
	assert.Equal(t, []uint64{9}, p.unresolved())
	p.Stacks = p.Stacks[:1]
	p.Resolve(func([]uint64) map[uint64][]Frame {
		assert.Fail(t, "asked for nothing")
		return nil
	})
}

// named answers Resolve with the functions at addresses.
func named(names map[uint64]string) func([]uint64) map[uint64][]Frame {
	return func(pcs []uint64) map[uint64][]Frame {
		all := make(map[uint64][]Frame)
		for _, pc := range pcs {
			if names[pc] != "" {
				all[pc] = []Frame{{Func: names[pc]}}
			}
		}
		return all
	}
}

// Troubles are counted without end and kept to a bound.
func TestSnapshotTroubles(t *testing.T) {
	p := &Snapshot{}
	for range 100 {
		p.trouble(1, strings.Repeat("x", 1000), "odd")
	}
	assert.Equal(t, 100, p.Unreadable)
	assert.Len(t, p.Troubles, maxTroubles)
	assert.Len(t, p.Troubles[0].Text, maxText)
}
