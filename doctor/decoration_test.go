package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// CI systems and input methods change the lines of a dump.
func TestLinesOfCI(t *testing.T) {
	want := parseOne(t, bare)
	each := func(f func(i int, line string) string) string {
		var b strings.Builder
		for i, line := range strings.Split(strings.TrimSuffix(bare, "\n"), "\n") {
			b.WriteString(f(i, line) + "\n")
		}
		return b.String()
	}
	message := strings.NewReplacer("|", "||", "\n", "|n", "\r", "|r", "[", "|[", "]",
		"|]", "'", "|'", "(*", "|0x0028*").Replace(bare)
	for name, text := range map[string]string{
		"TeamCity": "##teamcity[testStarted name='T']\n##teamcity[testStdErr name='T' " +
			"out='panic|n|n" + message + "' flowId='7']\n##teamcity[testFinished name='T']\n",
		"Buildkite": each(func(i int, line string) string {
			return fmt.Sprintf("\x1b_bk;t=17000000%05d\a%s", i, line)
		}),
		"Buildkite, copied": each(func(i int, line string) string {
			return fmt.Sprintf("_bk;t=17000000%05d%s", i, line)
		}),
		"Azure": each(func(i int, line string) string {
			if strings.HasPrefix(line, "goroutine") {
				line = "##[error]" + line
			}
			return "2026-11-24T10:00:00.1234567Z " + line
		}),
		"wide": each(func(i int, line string) string {
			if strings.HasPrefix(line, "goroutine") {
				line = strings.NewReplacer("[", "\uff3b", "]", "\uff3d", ":", "\uff1a",
					"1", "\uff11").Replace(line)
			}
			return line
		}),
	} {
		got := parseOne(t, text)
		assert.Zero(t, got.Unreadable, "%s %v", name, got.Troubles)
		require.Len(t, got.Stacks, len(want.Stacks), name)
		for i, s := range want.Stacks {
			assert.Equal(t, s.Frames, got.Stacks[i].Frames, name)
			assert.Equal(t, s.State, got.Stacks[i].State, name)
		}
	}
	for _, text := range []string{"##teamcity[a b='goroutine 1 |[x|]'|n']\n",
		"##teamcity[goroutine 1 |[running|]:|n\n"} {
		_, err := Parse(strings.NewReader(text), "t")
		assert.ErrorIs(t, err, ErrNoDump, text)
	}
}
