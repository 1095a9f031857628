package asynclog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCutLearnsWhatLinesAre(t *testing.T) {
	long := strings.Repeat("ä", 3000) // 4,096 is the middle of one
	for p, want := range map[string]bool{
		"":                          false,
		"no end":                    false,
		"a line\n":                  true,
		"a line\nand more":          true,
		"a\x00line\n":               false,
		"two\nlines\x00":            false,
		"\xff\n":                    false,
		"\xc3\n":                    false,
		long + "\n":                 true,
		"x" + long + "\n":           true,
		"x" + long:                  false,
		"x" + long + "\xff\n":       true, // beyond what is looked at
		long[:4094] + "\xff" + "\n": false,
	} {
		var c cut
		c.learn([]byte(p))
		require.Equal(t, want, c.lines, "%.20q, %d bytes", p, len(p))
	}
	c := cut{lines: true}
	c.learn([]byte{0})
	require.True(t, c.lines, "once is enough")
}

func TestCutRest(t *testing.T) {
	for _, c := range []struct {
		cut  cut
		p    string
		want int
	}{
		{cut{}, "x\n", 0},
		{cut{owed: 10, lines: true}, "ab\ncd\n", 3},
		{cut{owed: 10, lines: true}, "abcd", 4},
		{cut{owed: 2, lines: true}, "abcd\n", 2},
		{cut{owed: 10}, "ab\ncd\n", 6},
		{cut{owed: 4}, "ab\ncd\n", 4},
	} {
		require.Equal(t, c.want, c.cut.rest([]byte(c.p)), "%+v %q", c.cut, c.p)
	}
}

func TestCutCountsWhatIsOwed(t *testing.T) {
	lines := cut{lines: true}
	lines.wrote([]byte("ab\ncd\n"), 4)
	require.Equal(t, 2, lines.owed)
	lines.wrote([]byte("x"), 0)
	require.Equal(t, 2, lines.owed, "nothing was written")
	lines.wrote([]byte("ab\ncd\n"), 3)
	require.Zero(t, lines.owed, "between two lines")
	lines.wrote([]byte("ab"), 2)
	require.Equal(t, maxLine, lines.owed)
	lines.finished([]byte("cd\n"), 2)
	require.Equal(t, maxLine-2, lines.owed)
	lines.finished([]byte("\n"), 1)
	require.Zero(t, lines.owed)

	binary := cut{}
	binary.wrote([]byte("ab\ncd\n"), 3)
	require.Equal(t, 3, binary.owed)
	binary.wrote([]byte("cd\n"), 3)
	require.Zero(t, binary.owed)
}
