package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The innermost call comes first, whichever way the arrows point.
func TestChain(t *testing.T) {
	const header = "goroutine 44 [sync.RWMutex.RLock, 11 minutes]:"
	for _, text := range []string{
		header + "   # renderer\n  render.Run → ... → store.(*Store).Objects\n" +
			"    → store.(*Store).Len   store/store.go:114  (wants RLock)\n",
		header + "\nrender.Run -> store.(*Store).Objects -> " +
			"store.(*Store).Len (store/store.go:114)\n",
		header + "\nrender.Run() > store.(*Store).Objects(0xc000) >\n" +
			"store.(*Store).Len store/store.go:114\n",
		header + " render.Run => store.(*Store).Objects => " +
			"store.(*Store).Len store/store.go:114\n",
		header + "\n  store.(*Store).Len store/store.go:114 ← store.(*Store).Objects\n" +
			"    <- render.Run\n",
		header + "\n  render.Run » store.(*Store).Objects » store.(*Store).Len " +
			"at store/store.go:114\n  created by main.main\n\t/src/main.go:7\n",
	} {
		for _, end := range []string{"", "\n", "\n```\nThe cause is clear.\n"} {
			p := parseOne(t, text+end)
			require.Len(t, p.Stacks, 1, text)
			assert.Zero(t, p.Unreadable, "%s %v", text, p.Troubles)
			assert.True(t, p.Extract || strings.Contains(text, "created"), text)
			require.Len(t, p.Stacks[0].Frames, 3, text)
			assert.Equal(t, Frame{Func: "store.(*Store).Len", File: "store/store.go",
				Line: 114}, p.Stacks[0].Frames[0], text)
			assert.Equal(t, "store.(*Store).Objects", p.Stacks[0].Frames[1].Func, text)
			assert.Equal(t, "render.Run", p.Stacks[0].Frames[2].Func, text)
		}
	}
	for _, text := range []string{
		"sync.(*Mutex).Lock → app.(*A).Get → main.main",
		"main.main ← app.(*A).Get ← sync.(*Mutex).Lock",
	} {
		p := parseOne(t, "goroutine 4 [semacquire]:\n"+text+"\n\n")
		assert.Equal(t, "sync.(*Mutex).Lock", p.Stacks[0].Frames[0].Func)
		assert.Equal(t, Mutex, operationOf(p.Stacks[0]))
	}
}

// Lines of other writers that have an arrow are not understood, as before.
func TestChainProse(t *testing.T) {
	for _, text := range []string{"GET /a -> 200", "a.B → the other side",
		"x > 3", "... → ...", "a.b, c.d → e.f"} {
		p := parseOne(t, "goroutine 4 [chan send]:\nmain.f(0x1)\n\t/src/a.go:1 +0x1\n"+
			text+"\nmain.main()\n\t/src/a.go:9 +0x1\n")
		assert.Equal(t, 1, p.Unreadable, text)
		assert.Len(t, p.Stacks[0].Frames, 2, text)
	}
}
