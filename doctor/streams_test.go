package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// alternate writes some lines of each text in turn, behind the names.
func alternate(texts, names []string) string {
	var b strings.Builder
	lines := make([][]string, len(texts))
	for i, text := range texts {
		lines[i] = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	}
	for more := true; more; {
		more = false
		for i := range lines {
			n := min(2+i, len(lines[i]))
			for _, line := range lines[i][:n] {
				b.WriteString(names[i] + line + "\n")
			}
			lines[i] = lines[i][n:]
			more = more || len(lines[i]) > 0
		}
	}
	return b.String()
}

// Dumps of instances whose lines alternate are taken apart, and are of different
// processes although their goroutines have the same ids and creators.
func TestStreams(t *testing.T) {
	texts := []string{dumpText(10, 3, 5), dumpText(10, 4, 2),
		strings.Repeat("2026-11-24 LOG: checkpoint\n", 9)}
	for _, names := range [][]string{
		{"web-1  | ", "web-2  | ", "db-1   | "},
		{"[pod/web-7d/app] ", "[pod/web-7e/app] ", "[pod/db-0/db] "},
		{"web.1.k3j@node-1    | ", "web.2.x9a@node-2    | ", "db.1.a@node-1    | "},
	} {
		all, err := Parse(strings.NewReader(alternate(texts, names)), "x")
		require.NoError(t, err)
		require.Len(t, all, 2)
		assert.Equal(t, outline([]*Snapshot{parseOne(t, texts[0])}, nil),
			strings.ReplaceAll(outline(all[:1], nil), "x: ", "sample: "))
		assert.Equal(t, "x (process 2)", all[1].Instance)
		assert.Equal(t, 5, all[1].Goroutines)
		assert.Zero(t, all[0].Unreadable+all[1].Unreadable)
	}
}

// The held lines of other instances are bounded; beyond, lines are read as they
// come, and none is lost.
func TestStreamsBound(t *testing.T) {
	var b strings.Builder
	b.WriteString("web-1 | " + strings.ReplaceAll(dumpText(10, 1, 5), "\n", "\nweb-1 | "))
	b.WriteString("\n")
	long := strings.Repeat("x", 1000)
	for i := range maxStreams/1000 + 100 {
		fmt.Fprintf(&b, "web-2 | %s %d\n", long, i)
	}
	b.WriteString("web-2 | " + strings.ReplaceAll(dumpText(20, 7, 5), "\n", "\nweb-2 | "))
	all, err := Parse(strings.NewReader(b.String()), "x")
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, 8, all[1].Goroutines)
}
