package doctor

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The banner of a crash counts behind whatever stands before the dump, and in
// prose only if nothing else could say it.
func TestParseBannerBehindText(t *testing.T) {
	const asleep = "fatal error: all goroutines are asleep - deadlock!"
	const long = "Nov 24 10:00:00 a-host-with-a-long-name.region-1.internal." +
		"example.com app[81]: "
	const g = "goroutine 7 [select]:\nmain.f()\n\t/a.go:1 +0x1\n\n"
	under := func(prefix, text string) string {
		return prefix + text + "\n" + prefix + "\n" + prefix + "goroutine 7 [select]:\n" +
			prefix + "main.f()\n" + prefix + "\t/a.go:1 +0x1\n"
	}
	for text, want := range map[string]string{
		under(long, "SIGQUIT: quit"):              "SIGQUIT: quit",
		under(long, "panic: boom"):                "panic: boom",
		under("> ", asleep):                       asleep,
		under("    ", "panic: boom"):              "panic: boom",
		under("[x] ", asleep):                     asleep,
		"It says " + asleep + " here\n" + g:       asleep + " here",
		"It says panic: boom here\n" + g:          "",
		long + "panic: boom\n" + g:                "",
		g + "\nIt was " + asleep + "\n":           asleep,
		g + "\nIt was a panic: boom\n":            "",
		"panic: a [recovered]\n\tpanic: b\n" + g:  "panic: a [recovered]",
		"panic: x\n\n" + asleep + "\n\n" + g:      asleep,
		"2026/11/24 10:00:00 panic: boom\n\n" + g: "panic: boom",
	} {
		p := parseOne(t, text)
		assert.Equal(t, want, p.Banner, text)
		assert.Equal(t, 1, p.Goroutines, text)
	}
}
