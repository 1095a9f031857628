package doctor

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMembers(t *testing.T) {
	want := []Member{{ID: 7, Parent: 1, Minutes: 3}, {ID: 1 << 63}, {}}
	s, other := &Stack{}, &Stack{}
	assert.Nil(t, s.members.list())
	for _, m := range want {
		s.members.add(m)
		other.members.add(m)
	}
	var got []Member
	for m := range s.Members() {
		got = append(got, m)
	}
	assert.Equal(t, want, got)
	for m := range s.Members() {
		assert.Equal(t, want[0], m)
		break
	}
	assert.True(t, s.members.equal(&other.members))
	other.members.add(Member{ID: 9})
	assert.False(t, s.members.equal(&other.members))
	s.members.add(Member{ID: 8})
	assert.False(t, s.members.equal(&other.members))
}

func TestStackJSON(t *testing.T) {
	s := &Stack{State: "select", Count: 2, Frames: []Frame{{Func: "app.f"}}}
	s.members.add(Member{ID: 7, Parent: 1, Minutes: 3})
	s.members.add(Member{ID: 8})
	text, err := json.Marshal(s)
	require.NoError(t, err)
	assert.JSONEq(t, `{"state": "select", "frames": [{"func": "app.f"}],
		"count": 2, "members": [{"id": 7, "parent": 1, "minutes": 3}, {"id": 8}]}`,
		string(text))
	var back Stack
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, s, &back)
	require.NoError(t, json.Unmarshal([]byte(`{"count": 2}`), &back))
	assert.Empty(t, back.members.list())
	assert.Error(t, json.Unmarshal([]byte(`{"members": 1}`), &back))
}

// A goroutine of a dump costs its addresses and a dozen bytes: 19 bytes here. A
// slice of Member and one of places cost 36, and more with their spare room.
func TestBytesOfAGoroutine(t *testing.T) {
	const n, most = 100_000, 26
	text := filled(1, func(b *strings.Builder, _ int) {
		for i := range n {
			fmt.Fprintf(b, "goroutine %d [chan send, %d minutes]:\n"+
				"app.(*T).f(0xc%09x)\n\t/a.go:1 +0x1\n"+
				"created by app.g in goroutine 1\n\t/a.go:2 +0x1\n\n", i+1, i%60, i<<4)
		}
	})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	p := parseOne(t, text)
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Equal(t, n, p.Goroutines)
	assert.Less(t, int(after.HeapAlloc)-int(before.HeapAlloc), n*most)
	runtime.KeepAlive(text)
}
