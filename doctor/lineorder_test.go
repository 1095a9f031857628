package doctor

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newestFirst prints a dump as a log store does that shows its newest line
// first.
func newestFirst(dump, format string) string {
	lines := strings.Split(strings.TrimSuffix(dump, "\n"), "\n")
	for i, line := range lines {
		if format == "" {
			continue
		}
		lines[i] = fmt.Sprintf(format, i/60, i%60, line)
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n") + "\n"
}

func TestLineOrderNewestFirst(t *testing.T) {
	dump, err := os.ReadFile("testdata/cases/lock-cycle-addresses.txt")
	require.NoError(t, err)
	want, err := Parse(strings.NewReader(string(dump)), "t")
	require.NoError(t, err)
	for _, format := range []string{
		"2026-11-24T10:%02d:%02d.123Z app-7f9 %s",
		"2026-11-24 10:%02d:%02d\tapp\t%s",
		"{\"ts\":\"10:%02d:%02d\",\"log\":%q}",
	} {
		t.Run(format, func(t *testing.T) {
			got, err := Parse(strings.NewReader(newestFirst(string(dump), format)), "t")
			require.NoError(t, err)
			require.Len(t, got, 1)
			assert.Zero(t, got[0].Unreadable, "%v", got[0].Troubles)
			slices.Reverse(got[0].Stacks)
			require.Len(t, got[0].Stacks, len(want[0].Stacks))
			for i, s := range want[0].Stacks {
				assert.Equal(t, s.Frames, got[0].Stacks[i].Frames)
				assert.Equal(t, s.members.list(), got[0].Stacks[i].members.list())
			}
			assert.Contains(t, Diagnose(Rules{}, got...).Root, "20 ↔ 21")
		})
	}
}

func TestLineOrderIsBounded(t *testing.T) {
	var b strings.Builder
	for range 4 * maxReversed {
		b.WriteString("main.f(0x1)\n")
	}
	o := &lineOrder{}
	for line := range strings.Lines(b.String()) {
		o.hold([]byte(line))
		assert.LessOrEqual(t, len(o.held), maxReversed)
	}
}

// Lines beyond the bound of one goroutine are read as other text, not dropped.
func TestLineOrderLosesNothing(t *testing.T) {
	var b strings.Builder
	b.WriteString("main.g(0x1)\n\t/src/a.go:9 +0x1\n")
	for i := range 3 * maxReversed {
		fmt.Fprintf(&b, "main.f%d(0x1)\n", i)
	}
	b.WriteString("\t/src/a.go:7 +0x1\nmain.f(0x1)\ngoroutine 2 [chan send]:\n")
	b.WriteString("\t/src/a.go:9 +0x1\nmain.h(0x1)\ngoroutine 3 [chan send]:\n" +
		strings.Repeat("main.x(0x1)\n", 3*maxReversed))
	got, err := Parse(strings.NewReader(b.String()), "t")
	require.NoError(t, err)
	assert.Equal(t, 2, got[0].Goroutines)
	assert.Greater(t, got[0].Unreadable, 3*maxReversed)
}

// A dump whose beginning is cut off is none that is printed backwards.
func TestLineOrderCutAtTheBeginning(t *testing.T) {
	got, err := Parse(strings.NewReader("main.f(0x1)\n\t/src/a.go:7 +0x1\n\n"+
		"goroutine 2 [chan send]:\nmain.g(0x1)\n\t/src/a.go:9 +0x1\n"), "t")
	require.NoError(t, err)
	require.Len(t, got[0].Stacks, 1)
	assert.Equal(t, "main.g", got[0].Stacks[0].Frames[0].Func)
}

// A profile is put in order, too: its total comes last.
func TestLineOrderNewestFirstProfile(t *testing.T) {
	const profile = "goroutine profile: total 13\n" +
		"10 @ 0x43e0c5 0x40a1b2 0x6d2f15 0x6d2f89 0x46d781\n# labels: {\"a\":\"b\"}\n" +
		"#\t0x6d2f14\tmain.work+0x54\t/src/a.go:31\n" +
		"#\t0x6d2f88\tmain.run+0x40\t/src/a.go:12\n\n" +
		"3 @ 0x43e0c5 0x40a1b2 0x40a1b9 0x6d2f22 0x6d2f89 0x46d781\n" +
		"#\t0x6d2f21\tmain.send+0x54\t/src/a.go:41\n" +
		"#\t0x6d2f88\tmain.run+0x40\t/src/a.go:12\n\n"
	want := parseOne(t, profile)
	for _, format := range []string{
		"2026-11-24T10:%02d:%02d.123Z app-7f9 %s",
		"{\"ts\":\"10:%02d:%02d\",\"log\":%q}",
		"",
	} {
		t.Run(format, func(t *testing.T) {
			for dump, extract := range map[string]bool{profile: false,
				profile[strings.Index(profile, "10 @"):]: true} {
				got, err := Parse(strings.NewReader(newestFirst(dump, format)), "t")
				require.NoError(t, err)
				require.Len(t, got, 1)
				assert.Zero(t, got[0].Unreadable, "%v", got[0].Troubles)
				assert.Equal(t, extract, got[0].Extract)
				assert.Equal(t, 13, got[0].Goroutines)
				slices.Reverse(got[0].Stacks)
				require.Len(t, got[0].Stacks, 2)
				for i, s := range want.Stacks {
					assert.Equal(t, s.Frames, got[0].Stacks[i].Frames)
					assert.Equal(t, s.Labels, got[0].Stacks[i].Labels)
				}
			}
		})
	}
	one := "goroutine profile: total 2\n2 @ 0x43e0c5 0x6d2f22 0x46d781\n" +
		"#\t0x6d2f21\tmain.send+0x54\t/src/a.go:41"
	p := parseOne(t, newestFirst(one, ""))
	assert.Equal(t, "main.send", p.Stacks[0].Frames[1].Func)
	leaks, err := Parse(strings.NewReader(newestFirst(strings.Replace(profile,
		"goroutine ", "goroutineleak ", 1), "10:%02d:%02d app %s")), "t")
	require.NoError(t, err)
	assert.True(t, leaks[0].Stacks[0].Leaked)
	prose := parseOne(t, "It has 7 @ 0x43e0c5 and more:\n"+profile)
	assert.Equal(t, 13, prose.Goroutines)
	cut := profile[strings.Index(profile, "#\t0x6d2f88"):]
	for _, cut := range []string{cut,
		strings.ReplaceAll(strings.Replace(cut, "88", "77", 1), "\n\n", "\n")} {
		p = parseOne(t, cut) // its beginning is missing
		assert.Equal(t, "main.send", p.Stacks[0].Frames[3].Func)
	}
}

// In JSON the times of the lines stand between them.
func TestLineOrderWithTimes(t *testing.T) {
	got, err := Parse(strings.NewReader(`{"streams":[{"values":[["9","\t/a.go:9 +0x1"],`+
		`["8","main.g(0x2)"],["7","goroutine 3 [chan send]:"],["6",""],`+
		`["5","\t/a.go:7 +0x1"],["4","main.f(0x1)"],`+
		`["3","goroutine 2 [chan send]:"]]}]}`), "t")
	require.NoError(t, err)
	assert.Equal(t, 2, got[0].Goroutines)
	assert.Zero(t, got[0].Unreadable, "%v", got[0].Troubles)
	assert.Equal(t, "main.g", got[0].Stacks[0].Frames[0].Func)
}
