package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/chanx/doctor"
)

// TestSameProcess: one function at another address is another process, and
// so is nothing in common.
func TestSameProcess(t *testing.T) {
	known := names{
		0x101: {{Func: "app.step"}, {Func: "app.Run"}},
		0x201: {{Func: "runtime.gopark"}},
	}
	for _, test := range []struct {
		calls map[uint64]string
		want  bool
	}{
		{map[uint64]string{0x100: "app.Run"}, true},
		{map[uint64]string{0x100: "app.step", 0x900: "app.g"}, true},
		{map[uint64]string{0x100: "app.Run", 0x200: "app.g"}, false},
		{map[uint64]string{0x900: "app.Run"}, false},
		{map[uint64]string{0x101: "app.Run"}, false},
		{nil, false},
	} {
		require.Equal(t, test.want, sameProcess(test.calls, known), "%v", test.calls)
	}
	require.False(t, sameProcess(map[uint64]string{0x100: "app.Run"}, nil))
}

// TestSiblings: what the other profile does not know stays an address.
func TestSiblings(t *testing.T) {
	one := &target{anchors: anchors{calls: map[uint64]string{0x100: "app.Run"}}}
	snap := &doctor.Snapshot{}
	snap.Add(&doctor.Stack{Count: 3, Frames: []doctor.Frame{
		{PC: 0x201}, {PC: 0x301}, {Func: "app.Run"}}})
	one.snaps = []*doctor.Snapshot{snap}
	zero := &target{anchors: anchors{names: names{
		0x101: {{Func: "app.Run"}},
		0x201: {{Func: "runtime.gopark"}, {Func: "runtime.chansend1"}},
	}}}
	siblings([]*target{one, zero})
	require.Equal(t, []doctor.Frame{{Func: "runtime.gopark"},
		{Func: "runtime.chansend1"}, {PC: 0x301}, {Func: "app.Run"}},
		snap.Stacks[0].Frames)
}
