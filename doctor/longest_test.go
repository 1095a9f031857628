package doctor

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The two longest waits tell for each site what a look at all others would.
func TestLongestIsThatOfAllOthers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		sites := []*site{{}, {}, {}, {}}
		waits := make(map[*site]int)
		var l longest
		for range r.IntN(8) {
			s, minutes := sites[r.IntN(len(sites))], r.IntN(6)
			l.add(s, minutes)
			waits[s] = max(waits[s], minutes)
		}
		for _, s := range sites {
			for minutes := range 8 {
				want := false
				for o, waited := range waits {
					want = want || o != s && waited+1 >= minutes
				}
				require.Equal(t, want, l.elsewhere(s, minutes))
			}
		}
	}
}

// An edge that is made late counts as one that was there before the sum.
func TestJoinCountsLikeSum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		g := &graph{sites: make(map[*site][]*node)}
		for range 20 {
			g.add(&node{site: &site{}, count: 1 + r.IntN(3)})
		}
		for i := range 40 {
			if i == 10 {
				g.sum()
			}
			a, b := g.order[r.IntN(20)], g.order[r.IntN(20)]
			if i < 10 {
				g.edge(a, b, toEnd)
			} else {
				g.join(a, b, toEnd)
			}
		}
		var got, want []int
		for _, n := range g.order {
			got = append(got, n.behind)
		}
		g.sum()
		for _, n := range g.order {
			want = append(want, n.behind)
		}
		assert.Equal(t, want, got)
	}
}
