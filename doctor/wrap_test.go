package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A window breaks its lines at the last column, wherever that is: the rest of an
// offset or of a line's number goes on in the next line.
func TestWindowBreaksOffsets(t *testing.T) {
	for dir := 30; dir < 56; dir++ {
		file := "d:/" + strings.Repeat("p", dir) + "/src/server/connection.go"
		dump := fmt.Sprintf("goroutine 7 [chan send, 12 minutes]:\n"+
			"server.(*Conn).serve(0x46be4d70)\n        %s:147 +0x9c\n"+
			"server.(*Conn).run(0x46be4d70)\n        %[1]s:53 +0x5a\n"+
			"main.main()\n        %[1]s:12 +0x65c1\n\n", file)
		var broken strings.Builder
		for line := range strings.SplitSeq(dump, "\n") {
			for len(line) > 80 {
				broken.WriteString(line[:80] + "\n")
				line = line[80:]
			}
			broken.WriteString(line + "\n")
		}
		p := parseOne(t, broken.String())
		assert.Zero(t, p.Unreadable, "%s\n%v", broken.String(), p.Troubles)
		require.Len(t, p.Stacks, 1)
		want := []int{147, 53, 12}
		require.Len(t, p.Stacks[0].Frames, len(want), broken.String())
		for i, f := range p.Stacks[0].Frames {
			assert.Equal(t, want[i], f.Line, broken.String())
			assert.Equal(t, file, f.File)
		}
	}
}

// A word of another writer is not taken for the rest of an offset.
func TestForeignWordIsNoOffset(t *testing.T) {
	p := parseOne(t, "goroutine 7 [chan send]:\nmain.f(0x1)\n\t/src/a.go:7 +0x1\n"+
		"deadbeef\nmain.g(0x1)\n\t/src/a.go:9 +0x1\n")
	assert.Equal(t, 1, p.Unreadable)
}

// The last call of a paste that is cut short tells where the goroutine stands.
func TestCallThatIsCut(t *testing.T) {
	const dump = "goroutine 252 [semacquire]:\n" +
		"sync.(*Mutex).Lock(0xc420166a48)\n\t/go/mutex.go:85 +0xd0\n" +
		"app.(*room).Join(0xc420166a40, 0xc421c96030, 0xa, 0xc4204"
	for _, end := range []string{"", "\n", "\n```\n(cut here, my terminal lost it)\n"} {
		p := parseOne(t, dump+end)
		require.Len(t, p.Stacks, 1)
		s := p.Stacks[0]
		require.Len(t, s.Frames, 2, end)
		assert.Equal(t, "app.(*room).Join", s.Frames[1].Func)
		words := s.args(0, nil)
		require.Len(t, words, 2)
		assert.Equal(t, uint64(0xc420166a40), words[1].receiver())
		assert.NotZero(t, p.Unreadable)
	}
	p := parseOne(t, dump[:len(dump)-len("0xc421c96030, 0xa, 0xc4204")-2])
	assert.Zero(t, p.Stacks[0].args(0, nil)[1].receiver(), "its address may be cut")
	for _, prose := range []string{"see log.Printf(the", "log.Printf(\"0x1"} {
		p := parseOne(t, "goroutine 7 [chan send]:\nmain.f(0x1)\n\t/src/a.go:7 +0x1\n"+
			prose+"\n")
		assert.Len(t, p.Stacks[0].Frames, 1, prose)
	}
}
