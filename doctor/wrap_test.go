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
