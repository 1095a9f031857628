package doctor

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseArgs(t *testing.T) {
	for text, want := range map[string]args{
		"":                {},
		"...":             {inlined: true},
		"0xc000442730":    {n: 1, word: [3]uint64{0xc000442730}},
		"0x1, 0xc0000010": {n: 2, word: [3]uint64{0, 0xc0000010}},
		"{0x7f4018, 0xc000123450}, 0xfff, 0xc000": {n: 3,
			word: [3]uint64{0x7f4018, 0xc000123450, 0}},
		"0xc07e79a594?, 0x1?": {n: 2, word: [3]uint64{0xc07e79a594},
			doubtful: [3]bool{true, true}},
		"_, 0xc000442730":               {n: 2, word: [3]uint64{0, 0xc000442730}},
		"{...}, 0xc000442730, ...":      {n: 3, word: [3]uint64{0, 0xc000442730, 0}},
		"0x1000":                        {n: 1, word: [3]uint64{0x1000}},
		"0xffffffffffffffff, 0x, 0xc0z": {n: 3, word: [3]uint64{1<<64 - 1}},
	} {
		assert.Equal(t, want, parseArgs([]byte(text)), text)
	}
}

// What goes in comes out, whatever the addresses.
func TestWordStore(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	store := &wordStore{}
	var want [][]args
	var members []Member
	var at []uint32
	for range 20_000 {
		store.begin()
		var calls []args
		for range rnd.IntN(12) {
			a := args{n: rnd.IntN(4), inlined: rnd.IntN(5) == 0}
			for i := range a.n {
				a.word[i] = 0xc000000000 + uint64(rnd.IntN(4)*64)
				if rnd.IntN(4) == 0 {
					a.word[i] = rnd.Uint64()
				}
				a.doubtful[i] = rnd.IntN(2) == 0
			}
			calls = append(calls, a)
			store.call(a)
		}
		m := Member{ID: rnd.Uint64() >> rnd.IntN(64), Minutes: rnd.Uint32N(100)}
		if rnd.IntN(2) == 0 {
			m.Parent = rnd.Uint64() >> rnd.IntN(64)
		}
		want, at = append(want, calls), append(at, store.end(m))
		members = append(members, m)
	}
	for i := range want {
		m, _ := store.member(at[i])
		require.Equal(t, members[i], m)
		if got := store.read(at[i], nil); len(got) > 0 {
			require.Equal(t, want[i], got)
			continue
		}
		for _, a := range want[i] {
			require.Zero(t, a.word)
		}
	}
}

// A goroutine may have more distinct addresses than one byte counts, and more
// calls than are kept.
func TestWordStoreBounds(t *testing.T) {
	store := &wordStore{}
	store.begin()
	for i := range 400 {
		v := 0xc000000000 + uint64(i)*8
		store.call(args{n: 3, word: [3]uint64{v, v, v - 8}})
	}
	got := store.read(store.end(Member{}), nil)
	require.Greater(t, len(got), 200)
	for i, a := range got {
		v := 0xc000000000 + uint64(i)*8
		require.Equal(t, [3]uint64{v, v, v - 8}, a.word, i)
	}
	store.size = maxStore
	m, rest := store.member(store.end(Member{ID: 7, Parent: 1 << 63, Minutes: 9}))
	assert.Equal(t, Member{ID: 7, Parent: 1 << 63, Minutes: 9}, m)
	assert.Zero(t, rest[0], "without its words")
	assert.Equal(t, 1, store.dropped)
	store.chunks = make([][]byte, 1<<(32-chunkBits))
	store.chunks[0] = []byte{0, 0, 0, 0}
	store.chunks[len(store.chunks)-1] = make([]byte, 1<<chunkBits)
	m, _ = store.member(store.end(Member{ID: 8}))
	assert.Zero(t, m)
}

// Each goroutine of a stack has words of its own, in line with the frames.
func TestParseKeepsArguments(t *testing.T) {
	var b strings.Builder
	for i := range 3 {
		fmt.Fprintf(&b, "goroutine %d [sync.Mutex.Lock]:\n"+
			"sync.(*Mutex).lockSlow(0xc00020%d010)\n\t/go/mutex.go:1 +0x1\n"+
			"sync.(*Mutex).Lock(...)\n\t/go/mutex.go:2\n"+
			"app.(*T).Get(0xc00020%d000?, {0x7f3c28, 0xc000000008})\n"+
			"\t/app.go:1 +0x1\n"+
			"created by main.main in goroutine 1\n\t/main.go:8 +0x1\n\n", i+7, i, i)
	}
	p := parseOne(t, b.String())
	require.Len(t, p.Stacks, 1)
	s := p.Stacks[0]
	for i := range 3 {
		got := s.args(i, nil)
		require.Len(t, got, len(s.Frames))
		assert.Equal(t, uint64(0xc000200010)+uint64(i)<<12, got[0].word[0])
		assert.True(t, got[1].inlined)
		assert.Equal(t, args{n: 3, word: [3]uint64{0xc000200000 + uint64(i)<<12,
			0x7f3c28, 0xc000000008}, doubtful: [3]bool{true}}, got[2])
	}
	assert.Empty(t, s.args(3, nil))
	assert.Empty(t, (&Stack{}).args(0, nil))
}
