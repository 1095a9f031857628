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

// The goroutine of main has no creator that ends it: a line of another writer may
// stand within it.
func TestCallsAfterForeignLines(t *testing.T) {
	const head = "goroutine 1 [semacquire]:\nsync.(*WaitGroup).Wait(0xc0000a6010)\n" +
		"\t/go/wg.go:130 +0x65\n"
	const rest = "app.(*Pool).Close(0xc0000a6000)\n\t/src/pool.go:88 +0x91\nmain.main()\n" +
		"\t/src/main.go:31 +0x1b5\n\n"
	const other = "goroutine 7 [select]:\napp.run()\n\t/src/run.go:1 +0x1\n"
	for text, want := range map[string]int{
		head + "a line\n" + rest + other:                       3,
		head + "a line\nanother: 7\n" + rest:                   3,
		head + "a line\n\n" + rest + other:                     1,
		head + "a line\n" + other:                              1,
		head + "a line\nand again\n" + strings.TrimSpace(rest): 3,
		head + strings.Repeat("a line\n", maxAside+1) + rest:   1,
	} {
		p := parseOne(t, text)
		assert.Len(t, p.Stacks[len(p.Stacks)-1-strings.Count(text, "app.run")].Frames, want, text)
		assert.Equal(t, 1+strings.Count(text, "app.run"), p.Goroutines, text)
	}
}

// The exit of a process is not of the goroutine before it.
func TestCallsBeforeExit(t *testing.T) {
	for _, exit := range []string{"exit status 2", "FAIL\tapp\t0.1s", "Program exited.",
		" [process exited with non-zero status]"} {
		p := parseOne(t, "goroutine 7 [select]:\napp.run()\n\t/src/run.go:1 +0x1\n"+exit+"\n")
		assert.Zero(t, p.Unreadable, exit)
	}
}
