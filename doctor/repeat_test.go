package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goroutineText is a goroutine in the usual form, created by main.start.
func goroutineText(id, minutes int, state, function string) string {
	if minutes > 0 {
		state = fmt.Sprintf("%s, %d minutes", state, minutes)
	}
	return fmt.Sprintf("goroutine %d [%s]:\n%s()\n\t/src/a.go:%d +0x1d\n"+
		"created by main.start in goroutine 1\n\t/src/a.go:9 +0x1\n\n", id, state,
		function, len(function))
}

// dumpText is a dump of goroutine 1 and n others from id first on.
func dumpText(first, n, minutes int) string {
	return dumpOfMain(minutes) + filled(1, func(b *strings.Builder, _ int) {
		for i := range n {
			b.WriteString(goroutineText(first+i, minutes, "chan send", "main.put"))
		}
	})
}

func dumpOfMain(minutes int) string {
	text := goroutineText(1, minutes, "chan receive", "main.main")
	head, _, _ := strings.Cut(text, "created by")
	return head + "\n"
}

// What comes again in an input is a later dump only if most of it does, of the
// same process only if it can be, and otherwise a quotation.
func TestParseRepeats(t *testing.T) {
	const prose = "As you can see:\n\n"
	whole := dumpText(10, 20, 5)
	running := "goroutine 50 [running]:\nruntime/debug.Stack()\n\t/s.go:1 +0x1\n" +
		"main.dump()\n\t/a.go:1 +0x1\ncreated by main.start in goroutine 1\n" +
		"\t/src/a.go:9 +0x1\n\n"
	for name, test := range map[string]struct {
		text string
		want []string // instance and number of goroutines of each
	}{
		"once":  {whole, []string{"x 21"}},
		"twice": {whole + whole, []string{"x 21", "x 21"}},
		"later, grown": {
			whole + dumpText(10, 90, 6),
			[]string{"x 21", "x 91"},
		},
		"later, others came": {
			whole + dumpText(20, 30, 6),
			[]string{"x 21", "x 31"},
		},
		"later, almost all new": {
			whole + dumpText(27, 30, 6),
			[]string{"x 21", "x 31"},
		},
		"a restart, low ids": {
			whole + dumpText(2, 7, 1),
			[]string{"x 21", "x (process 2) 8"},
		},
		"another program": {
			whole + strings.ReplaceAll(whole, "main.start", "app.run"),
			[]string{"x 21", "x (process 2) 21"},
		},
		"one is quoted": {
			whole + prose + goroutineText(12, 5, "chan send", "main.put"),
			[]string{"x 21"},
		},
		"main is quoted": {
			whole + prose + dumpOfMain(5),
			[]string{"x 21"},
		},
		"several, one by one": {
			whole + prose + dumpOfMain(5) + prose +
				goroutineText(12, 5, "chan send", "main.put") + prose +
				goroutineText(13, 5, "chan send", "main.put"),
			[]string{"x 21"},
		},
		"most are quoted": {
			dumpText(10, 3, 5) + prose + goroutineText(10, 5, "chan send", "main.put") +
				goroutineText(11, 5, "chan send", "main.put") +
				goroutineText(12, 5, "chan send", "main.put"),
			[]string{"x 4"},
		},
		"quoted, cut before its file": {
			dumpText(10, 2, 5) + prose + "goroutine 1 [chan receive, 5 minutes]:\n" +
				"main.main()\n\nand so on\n",
			[]string{"x 3"},
		},
		"another main": {
			dumpText(10, 1, 5) + prose +
				strings.ReplaceAll(dumpOfMain(6), "/src/a.go", "/src/b.go") +
				goroutineText(10, 6, "select", "main.get"),
			[]string{"x 2", "x (process 2) 2"},
		},
		"quoted with another": {
			whole + prose + goroutineText(12, 5, "chan send", "main.put") +
				goroutineText(99, 5, "select", "main.other"),
			[]string{"x 22"},
		},
		"quoted with a like one": {
			whole + prose + goroutineText(12, 5, "chan send", "main.put") +
				goroutineText(99, 5, "chan send", "main.put"),
			[]string{"x 22"},
		},
		"quoted first": {
			goroutineText(12, 5, "chan send", "main.put") + prose + whole,
			[]string{"x 21"},
		},
		"main quoted first": {
			dumpOfMain(5) + prose + whole,
			[]string{"x 21"},
		},
		"small, but whole": {
			whole + running + dumpOfMain(6),
			[]string{"x 21", "x 2"},
		},
		"much smaller, in a rush": {
			dumpText(10, 100, 5) + "panic: x\n\n" + dumpText(10, 3, 0),
			[]string{"x 101", "x (process 2) 4"},
		},
		"a crash after a crash": {
			"panic: a\n\n" + whole + "panic: b\n\n" + dumpText(10, 20, 0),
			[]string{"x 21", "x (process 2) 21"},
		},
		"a crash elsewhere": {
			"panic: a\n\n" + whole + "panic: b\n\n" + dumpText(40, 20, 0),
			[]string{"x 21", "x (process 2) 21"},
		},
		"goroutines between text": {
			goroutineText(7, 1, "select", "main.a") + prose +
				goroutineText(8, 1, "select", "main.a"),
			[]string{"x 2"},
		},
		"without ids": {
			strings.Repeat("goroutine NN [select]:\nmain.f()\n\t/a.go:1 +0x1\n\n", 3),
			[]string{"x 3"},
		},
		"profiles": {
			"goroutine profile: total 9\n9 @ 0x1\n\ngoroutine profile: total 8\n8 @ 0x1\n\n",
			[]string{"x 9", "x 8"},
		},
		"a much smaller profile": {
			"goroutine profile: total 9\n9 @ 0x1\n\ngoroutine profile: total 2\n2 @ 0x1\n\n",
			[]string{"x 9", "x (process 2) 2"},
		},
	} {
		all, err := Parse(strings.NewReader(test.text), "x")
		require.NoError(t, err, name)
		var got []string
		for _, p := range all {
			got = append(got, fmt.Sprintf("%s %d", p.Instance, p.Goroutines))
			sum := 0
			for _, s := range p.Stacks {
				assert.Contains(t, []int{0, s.Count}, s.members.len(), name)
				sum += s.Count
			}
			assert.Equal(t, p.Goroutines, sum, name)
			if !strings.Contains(name, "cut") {
				assert.Zero(t, p.Unreadable, "%s: %v", name, p.Troubles)
			}
		}
		assert.Equal(t, test.want, got, name)
	}
}

// A part of a dump says that it is one.
func TestParseExtract(t *testing.T) {
	for text, want := range map[string]bool{
		dumpText(10, 2, 0):                       false,
		goroutineText(7, 0, "select", "main.f"):  true,
		goroutineText(7, 0, "running", "main.f"): true,
		goroutineText(7, 0, "running", "debug.Stack") + goroutineText(8, 0, "select",
			"main.f"): false,
		"goroutine profile: total 1\n1 @ 0x1 0x2\n":  false,
		"1 @ 0x1 0x2\n#\t0x1\tmain.f+0x1\t/a.go:1\n": true,
	} {
		assert.Equal(t, want, parseOne(t, text).Extract, text)
	}
}

// An input may have more dumps than anybody reads. The first and the last ones
// are kept, and it says how many are not.
func TestParseManyDumps(t *testing.T) {
	const n = 2*maxSnapshots + 7
	text := filled(1, func(b *strings.Builder, _ int) {
		for i := range n {
			b.WriteString(dumpText(10, 2, i+1))
		}
	})
	all, err := Parse(strings.NewReader(text), "x")
	require.NoError(t, err)
	require.Len(t, all, maxSnapshots)
	assert.Equal(t, uint32(1), all[0].Stacks[0].members.member(0).Minutes)
	last := all[maxSnapshots-1]
	assert.Equal(t, uint32(n), last.Stacks[0].members.member(0).Minutes)
	assert.Equal(t, n-maxSnapshots, last.Unreadable)
	assert.Contains(t, last.Troubles[0].Why, "1007 dumps")
}

// More different stacks than any process has are not kept, and it says so.
func TestParseManyStacks(t *testing.T) {
	text := filled(1, func(b *strings.Builder, _ int) {
		for i := range maxStacks + 5 {
			fmt.Fprintf(b, "goroutine %d [s%d]:\n", i+2, i)
		}
	})
	p := parseOne(t, text)
	assert.Equal(t, maxStacks, p.Goroutines)
	assert.Equal(t, 5, p.Unreadable)
	assert.Contains(t, p.Troubles[0].Why, "100000 different stacks")
}
