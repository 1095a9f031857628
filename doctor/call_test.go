package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A viewer numbers the lines, and the header was copied on its own.
func TestCallsNumbered(t *testing.T) {
	want := parseOne(t, bare)
	for _, form := range []string{"%d\t%s", "%d: %s", "%4d  %s", "  %d | %s",
		"%d \u2502 %s", "%d:\t%s"} {
		var b strings.Builder
		for i, line := range strings.Split(bare, "\n") {
			if line != "" && !strings.HasPrefix(line, "goroutine ") {
				line = fmt.Sprintf(form, 61+i, line)
			}
			b.WriteString(line + "\n")
		}
		got := parseOne(t, b.String())
		assert.Equal(t, want.Goroutines, got.Goroutines, form)
		assert.Zero(t, got.Unreadable, "%s %v", form, got.Troubles)
		require.Len(t, got.Stacks, len(want.Stacks), form)
		for i, s := range want.Stacks {
			assert.Equal(t, s.Frames, got.Stacks[i].Frames, form)
			assert.Equal(t, s.CreatedBy, got.Stacks[i].CreatedBy, form)
		}
	}
	for _, line := range []string{"9fans.net/go/acme.(*Win).Read(0x1)",
		"12345678 main.f(0x1)", "3 retries left", "12"} {
		assert.Equal(t, line, string(unnumbered([]byte(line))))
	}
}
