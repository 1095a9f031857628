package doctor

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCases reads dumps in the forms in which people paste them and compares
// the result with the golden file. testdata/cases/README.md has their origin.
func TestCases(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "cases", "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			all, err := Parse(bytes.NewReader(text), "case")
			got := outline(all, err)
			golden := strings.TrimSuffix(name, ".txt") + ".want"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
		})
	}
}

// outline writes down all that has been read.
func outline(all []*Snapshot, err error) string {
	var b strings.Builder
	if err != nil {
		fmt.Fprintf(&b, "error: %v\n", err)
	}
	for _, p := range all {
		fmt.Fprintf(&b, "%s: %d goroutines", p.Instance, p.Goroutines)
		for _, note := range []struct {
			holds bool
			text  string
		}{
			{p.Banner != "", ", banner " + p.Banner},
			{p.Extract, ", an extract"},
			{p.Truncated, ", cut short"},
			{p.Unreadable > 0, fmt.Sprintf(", %d unreadable", p.Unreadable)},
		} {
			if note.holds {
				b.WriteString(note.text)
			}
		}
		b.WriteByte('\n')
		for _, trouble := range p.Troubles {
			fmt.Fprintf(&b, "  line %d: %s: %q\n", trouble.Line, trouble.Why,
				trouble.Text)
		}
		for _, s := range p.Stacks {
			outlineStack(&b, s)
		}
	}
	return b.String()
}

func outlineStack(b *strings.Builder, s *Stack) {
	fmt.Fprintf(b, "  %d %q", s.Count, s.State)
	for i, m := range s.members.all() {
		fmt.Fprintf(b, " %d<%d(%d)", m.ID, m.Parent, m.Minutes)
		if i == 9 {
			fmt.Fprintf(b, " …")
			break
		}
	}
	if len(s.Labels) > 0 {
		fmt.Fprintf(b, " %v", s.Labels)
	}
	b.WriteByte('\n')
	var calls []args
	if s.members.len() > 0 {
		calls = s.args(0, nil)
	}
	for i, f := range s.Frames {
		fmt.Fprintf(b, "    %s", placeOf(f))
		if i < len(calls) {
			for _, w := range calls[i].word[:calls[i].n] {
				fmt.Fprintf(b, " %#x", w)
			}
		}
		b.WriteByte('\n')
	}
	if s.CreatedBy.Func != "" {
		fmt.Fprintf(b, "    by %s\n", placeOf(s.CreatedBy))
	}
}

func placeOf(f Frame) string {
	if f.Func == "" {
		return fmt.Sprintf("%#x", f.PC)
	}
	return fmt.Sprintf("%s %s:%d", f.Func, f.File, f.Line)
}
