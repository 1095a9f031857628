package doctor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"example.com/chanx/internal/race"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sample is a dump with one of everything a line can be.
const sample = `goroutine 1 [select, 5 minutes]:
main.main()
	/src/app/main.go:12 +0x1d

goroutine 7 [chan send, 12 minutes]:
example.com/log4go.(*Writer).Write(0xc000010000, {0x1, 0x2, 0x3})
	/src/log4go/filelog.go:212 +0x4f
main.handler.func1({0x5?, ...})
	/src/app/main.go:40
net/http.HandlerFunc.ServeHTTP(...)
	/usr/local/go/src/net/http/server.go:2286
net/http.(*conn).serve(0xc0000a2000)
	/usr/local/go/src/net/http/server.go:2067 +0x690
created by net/http.(*Server).Serve in goroutine 1
	/usr/local/go/src/net/http/server.go:3464 +0x485

goroutine 8 [chan send, 3 minutes]:
example.com/log4go.(*Writer).Write(0xc000010000, {0x4, 0x5, 0x6})
	/src/log4go/filelog.go:212 +0x4f
main.handler.func1({0x5?, ...})
	/src/app/main.go:40
net/http.HandlerFunc.ServeHTTP(...)
	/usr/local/go/src/net/http/server.go:2286
net/http.(*conn).serve(0xc0000a3000)
	/usr/local/go/src/net/http/server.go:2067 +0x690
created by net/http.(*Server).Serve in goroutine 1
	/usr/local/go/src/net/http/server.go:3464 +0x485

goroutine 9 [IO wait]:
internal/poll.runtime_pollWait(0x7f, 0x72)
	/usr/local/go/src/runtime/netpoll.go:351 +0x85
main.Map[...].read(0x1)
	C:/src dir/app/main.go:50 +0x1
created by main.main
	C:/src dir/app/main.go:11 +0x1
`

func parseOne(t *testing.T, text string) *Snapshot {
	t.Helper()
	all, err := Parse(strings.NewReader(text), "sample")
	require.NoError(t, err)
	require.Len(t, all, 1)
	return all[0]
}

// checkSample asserts what is in sample, whatever was around it.
func checkSample(t *testing.T, p *Snapshot) {
	t.Helper()
	assert.Equal(t, 4, p.Goroutines)
	require.Len(t, p.Stacks, 3)
	send := p.Stacks[1]
	assert.EqualValues(t, "chan send", send.State)
	assert.Equal(t, 2, send.Count)
	assert.Equal(t, []Member{{7, 1, 12}, {8, 1, 3}}, send.members.list())
	assert.Equal(t, Frame{Func: "example.com/log4go.(*Writer).Write",
		File: "/src/log4go/filelog.go", Line: 212}, send.Frames[0])
	assert.Len(t, send.Frames, 4)
	assert.Equal(t, Frame{Func: "net/http.(*Server).Serve",
		File: "/usr/local/go/src/net/http/server.go", Line: 3464}, send.CreatedBy)
	assert.Equal(t, "C:/src dir/app/main.go", p.Stacks[2].CreatedBy.File)
	assert.Equal(t, "main.Map[...].read", p.Stacks[2].Frames[1].Func)
	assert.False(t, p.Truncated)
}

func TestParse(t *testing.T) {
	p := parseOne(t, sample)
	checkSample(t, p)
	assert.Zero(t, p.Unreadable, "%v", p.Troubles)
	assert.Equal(t, "sample", p.Target)
}

// each line of sample as something else has written it.
func rewrite(f func(i int, line string) string) string {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSuffix(sample, "\n"), "\n") {
		b.WriteString(f(i, line))
	}
	return b.String()
}

func TestParseWrapped(t *testing.T) {
	for name, text := range map[string]string{
		"CRLF": strings.ReplaceAll(sample, "\n", "\r\n"),
		"kubernetes": rewrite(func(i int, line string) string {
			return fmt.Sprintf("2026-11-24T00:%02d:01.%dZ stderr F %s\n", i%60, i*7919,
				line)
		}),
		"systemd": rewrite(func(i int, line string) string {
			return fmt.Sprintf("Nov 24 %d:00:%02d web-3 app[%d]: %s\n", i%24, i%60,
				1+i*100, line)
		}),
		"systemd, blanks trimmed": rewrite(func(i int, line string) string {
			return strings.TrimRight(fmt.Sprintf("Nov 24 00:00:%02d web-3 app[81]: %s",
				i%60, line), " ") + "\n"
		}),
		"compose": rewrite(func(i int, line string) string {
			return "web_1  | " + line + "\n"
		}),
		"tabs made blanks": strings.ReplaceAll(sample, "\t", "    "),
		"rsyslog": rewrite(func(i int, line string) string {
			return "Nov 24 00:00:01 web app: " + strings.ReplaceAll(line, "\t", "#011") +
				"\n"
		}),
		"docker json-file": rewrite(func(i int, line string) string {
			b, _ := json.Marshal(map[string]string{"log": line + "\n",
				"stream": "stderr"})
			return string(b) + "\n"
		}),
		"go test -json": rewrite(func(i int, line string) string {
			b, _ := json.Marshal(map[string]string{"Action": "output", "Output": line +
				"\n"})
			return string(b) + "\n"
		}),
		"journalctl -o json": rewrite(func(i int, line string) string {
			b, _ := json.Marshal(map[string]any{"PRIORITY": 3, "MESSAGE": line})
			return string(b) + "\n"
		}),
		"one record of JSON": func() string {
			b, _ := json.Marshal(map[string]string{"level": "error", "msg": sample})
			return string(b) + "\n"
		}(),
		"in other text": "2026/11/24 listening\n(see above)\n\n" + sample +
			"\nexit status 2\nFAIL\tx\t0.1s\nbye (now)\n",
		"no empty lines":  strings.ReplaceAll(sample, "\n\n", "\n"),
		"no last newline": strings.TrimSuffix(sample, "\n"),
	} {
		t.Run(name, func(t *testing.T) {
			p := parseOne(t, text)
			checkSample(t, p)
			assert.Zero(t, p.Unreadable, "%v", p.Troubles)
		})
	}
}

// Foreign lines are counted, one by one, and cost nothing of the dump.
func TestParseInterleaved(t *testing.T) {
	foreign := 0
	text := rewrite(func(i int, line string) string {
		if i%3 == 1 && line != "" {
			foreign++
			return fmt.Sprintf("2026/11/24 00:00:01 request %d served\n%s\n", i, line)
		}
		return line + "\n"
	})
	p := parseOne(t, text)
	checkSample(t, p)
	// Those between two goroutines are ordinary text.
	assert.LessOrEqual(t, p.Unreadable, foreign)
	assert.GreaterOrEqual(t, p.Unreadable, foreign-3)
	assert.Len(t, p.Troubles, min(p.Unreadable, maxTroubles))
	assert.Contains(t, p.Troubles[0].Text, "served")
	assert.Equal(t, 2, p.Troubles[0].Line)
}

// A dump cut at any byte keeps all goroutines before the cut, and says that
// it is cut wherever the text itself shows it: after a call without its file
// and within a line that is no whole one.
func TestParseTruncated(t *testing.T) {
	whole := 0
	for n := strings.Index(sample, "]:"); n < len(sample); n++ {
		text := sample[:n]
		all, err := Parse(strings.NewReader(text), "cut")
		require.NoError(t, err)
		require.Len(t, all, 1)
		p := all[0]
		whole = max(whole, strings.Count(text, "\n\n"))
		require.GreaterOrEqual(t, p.Goroutines, whole, "at byte %d", n)
		last := text[strings.LastIndexByte(text, '\n')+1:]
		_, _, file := fileLine([]byte(last))
		between := last == "" || file || strings.HasSuffix(last, "]:")
		if !between {
			assert.True(t, p.Truncated || p.Unreadable > 0, "silent cut: %q", last)
		}
		if call := strings.HasSuffix(text, ")\n"); call {
			assert.True(t, p.Truncated, "silent cut after a call, at byte %d", n)
		}
	}
	assert.Equal(t, 3, whole)
}

func TestParseOdd(t *testing.T) {
	for name, test := range map[string]struct {
		text               string
		goroutines, stacks int
		unreadable         int
		state, function    string
	}{
		"elided": {"goroutine 1 [running]:\nmain.f(0x1)\n\t/a.go:1 +0x1\n" +
			"...80 frames elided...\nmain.main()\n\t/a.go:2 +0x1\n", 1, 1, 0, "running",
			"main.f"},
		"additional": {"goroutine 1 [running]:\nmain.f(0x1)\n\t/a.go:1 +0x1\n" +
			"...additional frames elided...\n", 1, 1, 0, "running", "main.f"},
		"no stack": {"goroutine 5 [running]:\n\tgoroutine running on other thread; " +
			"stack unavailable\ncreated by main.main in goroutine 1\n\t/a.go:2 +0x1\n",
			1, 1, 0, "running", ""},
		"ancestors": {"goroutine 5 [select]:\nmain.f()\n\t/a.go:1 +0x1\n" +
			"created by main.g in goroutine 3\n\t/a.go:2 +0x1\n" +
			"[originating from goroutine 3]:\nmain.g(...)\n\t/a.go:9 +0x1\n" +
			"created by main.main\n\t/a.go:10 +0x1\n", 1, 1, 0, "select", "main.f"},
		"with addresses": {"goroutine 1 gp=0xc00 m=0 mp=0x5 [chan send]:\n" +
			"runtime.chansend(0xc1, 0x2)\n\t/chan.go:160 +0x1 fp=0x1 sp=0x2 pc=0x3\n" +
			"main.f()\n\t/a.go:1 fp=0x1 sp=0x2 pc=0x3\n", 1, 1, 0, "chan send",
			"runtime.chansend"},
		"headers only": {"goroutine 1 [running]:\ngoroutine 2 [select]:\n", 2, 2, 0,
			"running", ""},
		"cut header": {"goroutine 1 [running]:\n\ngoroutine 2 [chan re\n\n", 2, 2,
			1, "running", ""},
		"call without file": {"goroutine 2 " +
			"[select]:\nmain.f()\nmain.g()\n\t/a.go:1 +0x1\n" +
			"created by main.h\n\t/a.go:1\n", 1, 1, 1, "select", "main.f"},
		"file without call": {"goroutine 2 [select]:\n\t/a.go:1 +0x1\n" +
			"created by main.h\n\t/a.go:1\n", 1, 1, 1, "select", ""},
		"orphan": {"goroutine 2 [select]:\nmain.f()\n\t/a.go:1 +0x1\n\n" +
			"main.g()\n\t/a.go:2 +0x1\n", 1, 1, 2, "select", "main.f"},
		"glued header": {"goroutine 2 [select]:2026/11/24 " +
			"hello\nmain.f()\n\t/a.go:1 +0x1\n",
			1, 1, 1, "select", "main.f"},
	} {
		t.Run(name, func(t *testing.T) {
			p := parseOne(t, test.text)
			assert.Equal(t, test.goroutines, p.Goroutines)
			assert.Len(t, p.Stacks, test.stacks)
			assert.Equal(t, test.unreadable, p.Unreadable, "%v", p.Troubles)
			assert.EqualValues(t, test.state, p.Stacks[0].State)
			if test.function != "" {
				assert.Equal(t, test.function, p.Stacks[0].Frames[0].Func)
			}
		})
	}
}

func TestParseNothing(t *testing.T) {
	for _, text := range []string{"", "\n", "hello\n", "goroutine leak\n",
		"{\"log\":\"x\"}\n"} {
		all, err := Parse(strings.NewReader(text), "file.txt")
		require.ErrorIs(t, err, ErrNoDump)
		assert.Contains(t, err.Error(), "file.txt: no goroutine")
		assert.Empty(t, all)
	}
}

// What was read before a reader failed is kept.
func TestParseReaderFails(t *testing.T) {
	broken := errors.New("connection reset")
	r := io.MultiReader(strings.NewReader(sample), iotest.ErrReader(broken))
	all, err := Parse(r, "file.txt")
	require.ErrorIs(t, err, broken)
	assert.Contains(t, err.Error(), "file.txt: line ")
	require.Len(t, all, 1)
	assert.Equal(t, 4, all[0].Goroutines)
}

// Bytes may come one by one.
func TestParseSlowReader(t *testing.T) {
	all, err := Parse(iotest.OneByteReader(strings.NewReader(sample)), "x")
	require.NoError(t, err)
	checkSample(t, all[0])
}

// Several dumps in one file are several snapshots, with or without a banner
// between them.
func TestParseSeveral(t *testing.T) {
	running := "goroutine 99 [running]:\nmain.dump()\n\t/a.go:1 +0x1\ncreated " +
		"by main.main\n\t/a.go:2\n\n"
	for name, text := range map[string]string{
		"appended": sample + sample + sample,
		"each begins with who writes it": running + sample +
			strings.ReplaceAll(running, "99", "105") + sample + running + sample,
		"banners": "SIGQUIT: quit\n\n" + sample + "\nSIGQUIT: quit\n\n" + sample +
			"\n2026/11/24 panic: boom\n\n" + sample,
	} {
		t.Run(name, func(t *testing.T) {
			all, err := Parse(strings.NewReader(text), "x")
			require.NoError(t, err)
			require.Len(t, all, 3)
			for _, p := range all {
				assert.Equal(t, all[0].Goroutines, p.Goroutines)
				assert.Len(t, p.Stacks, len(all[0].Stacks))
				assert.Zero(t, p.Unreadable, "%v", p.Troubles)
			}
		})
	}
}

func TestParseBanner(t *testing.T) {
	for text, want := range map[string]string{
		"fatal error: all goroutines are asleep - deadlock!\n\n" +
			sample: "fatal error: all goroutines are asleep - deadlock!",
		"panic: test timed out after 1s\n\trunning tests:\n\n" +
			sample: "panic: test timed out after 1s",
		"Nov 24 00:00:00 web app[9]: SIGQUIT: quit\n" +
			sample: "SIGQUIT: quit",
		"2026/11/24 http: panic serving 1.2.3.4: boom\n" + sample: "",
		"we saw a panic: boom\n" + sample:                         "",
	} {
		assert.Equal(t, want, parseOne(t, text).Banner)
	}
}

// A million equal goroutines are one stack and a member each.
func TestParseStreams(t *testing.T) {
	const n = 100_000
	one := "[chan send]:\nmain.f(0x1)\n\t/a.go:1 +0x1\ncreated by main.main in " +
		"goroutine 1\n\t/a.go:2 +0x1\n\n"
	i := 0
	r := readerFunc(func(p []byte) (int, error) {
		if i++; i > n {
			return 0, io.EOF
		}
		return copy(p, fmt.Sprintf("goroutine %d %s", i+1, one)), nil
	})
	all, err := Parse(r, "x")
	require.NoError(t, err)
	assert.Equal(t, n, all[0].Goroutines)
	assert.Len(t, all[0].Stacks, 1)
	assert.Equal(t, n, all[0].Stacks[0].members.len())
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Another goroutine of a known stack costs its member, nothing else.
func TestParseAllocations(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	dump := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "goroutine %d [select]:\nmain.f(0x%x)\n\t/a.go:1 +0x1\n\n",
				i+2, i)
		}
		return b.String()
	}
	small, large := dump(1_000), dump(10_000)
	few := testing.AllocsPerRun(5, func() { Parse(strings.NewReader(small), "x") })
	many := testing.AllocsPerRun(5, func() {
		Parse(strings.NewReader(large),
			"x")
	})
	assert.LessOrEqual(t, many-few, 30.0, "only the list of members grows")
}

const profileSample = `goroutine profile: total 7
4 @ 0x485bee 0x41797c 0x417577 0x643abe 0x48d261
# labels: {"tenant":"a"}
#	0x643abd	main.main.func1+0x1d	/src/d1.go:3

2 @ 0x485bee 0x463fe6 0x643b4f 0x48d261
#	0x643b4e	main.Map[...].f+0xe		/src/d 1.go:4
#	0x643b4f	main.main+0xe		/src/d1.go:5

1 @ 0x1 0x2
#	0x1
#	0x2

`

func TestParseProfile(t *testing.T) {
	p := parseOne(t, profileSample)
	assert.Equal(t, 7, p.Goroutines)
	assert.Zero(t, p.Unreadable, "%v", p.Troubles)
	require.Len(t, p.Stacks, 3)
	s := p.Stacks[0]
	assert.Equal(t, 4, s.Count)
	assert.Equal(t, map[string]int{"tenant=a": 4}, s.Labels)
	assert.Equal(t, []Frame{{PC: 0x485bee}, {PC: 0x41797c}, {PC: 0x417577},
		{Func: "main.main.func1", File: "/src/d1.go", Line: 3}}, s.Frames)
	assert.Equal(t, "main.Map[...].f", p.Stacks[1].Frames[2].Func)
	assert.Equal(t, []uint64{0x485bee, 0x41797c, 0x417577, 0x463fe6, 1, 2},
		p.unresolved())
	assert.EqualValues(t, "channel operation", operationOf(s))

	names := map[uint64]string{0x485bee: "runtime.gopark",
		0x41797c: "runtime.chansend",
		0x417577: "runtime.chansend1", 0x463fe6: "runtime.selectgo"}
	p.Resolve(named(names))
	assert.EqualValues(t, "chan send", operationOf(p.Stacks[0]))
	assert.EqualValues(t, "select", operationOf(p.Stacks[1]))
	assert.Equal(t, []uint64{1, 2}, p.unresolved())
}

// A profile that lacks goroutines it announces is cut, and says how many.
func TestParseProfileTruncated(t *testing.T) {
	for n := strings.Index(profileSample,
		"\n4") + 1; n < len(profileSample)-12; n++ {
		all, err := Parse(strings.NewReader(profileSample[:n]), "x")
		require.NoError(t, err)
		p := all[0]
		if p.Goroutines < 7 {
			assert.True(t, p.Truncated, "at byte %d", n)
			assert.GreaterOrEqual(t, p.Goroutines+p.Unreadable, 7)
		}
	}
}

// FuzzParse asserts what holds for any input: no crash, no more goroutines
// than headers or announced, the sum of the stacks, and that what is said of
// them can be written in every form.
func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(profileSample))
	f.Add([]byte("panic: x\n\n" + sample + "goroutine 1 gp=0x1 [x (leaked)]:\n"))
	f.Add([]byte(`{"log":"goroutine 1 [running]:\n"}` + "\n"))
	files, _ := filepath.Glob(filepath.Join("testdata", "corpus", "*-*1.txt"))
	files = files[:min(3, len(files))]
	cases, _ := filepath.Glob(filepath.Join("testdata", "cases", "*.txt"))
	for _, store := range stores {
		f.Add([]byte(store.do(strings.Split(sample, "\n"))))
	}
	for _, name := range append(files, cases...) {
		text, _ := os.ReadFile(name)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := Parse(bytes.NewReader(text), "fuzz")
		if err != nil && !errors.Is(err, ErrNoDump) {
			t.Fatal(err)
		}
		for _, p := range all {
			sum := 0
			for _, s := range p.Stacks {
				sum += s.Count
				if n := s.members.len(); n > 0 && n != s.Count {
					t.Fatalf("%d members of %d", n, s.Count)
				}
			}
			if sum != p.Goroutines || len(p.Troubles) > p.Unreadable {
				t.Fatalf("sum %d, goroutines %d, troubles %d of %d", sum,
					p.Goroutines, len(p.Troubles), p.Unreadable)
			}
		}
		r := Diagnose(Rules{}, all...)
		for _, err := range []error{
			r.WriteText(io.Discard, TextOptions{Width: 20, Idle: true}),
			r.WriteJSON(io.Discard), r.WriteHTML(io.Discard),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Lines that no dump has, and forms that few dumps have.
func TestParseRare(t *testing.T) {
	const g = "goroutine 5 [select]:\nmain.f()\n\t/a.go:1 +0x1\n"
	long := strings.Repeat("x", 3*maxLine)
	for name, test := range map[string]struct {
		text       string
		goroutines int
		unreadable int
	}{
		"a line longer than the buffer": {g + "\n" + long + "\n" + g[:10] + "6" +
			g[11:], 2, 0},
		"within a goroutine": {"goroutine 5 [select]:\n" + long +
			"\nmain.f()\n\t/a.go:1\n", 1, 1},
		"JSON of nothing we know": {`{"level":"info"}` + "\n{not json\n" + g, 1, 0},
		"the end of a test run": {g + "exit status 2\nFAIL\tapp\t0.1s\n", 1,
			0},
		"FAIL at once": {g + "FAIL\tapp\t0.1s\n", 1, 0},
		"prose with a parenthesis": {g + "we saw a thing (once)\n" +
			"main.main()\n\t/a.go:2 +0x1\n", 1, 1},
		"no profile's total": {"goroutine profile: total many\n1 @ " +
			"0x1\n#\t0x0\tmain.f+0x1\t/a.go:1\n",
			1, 1},
		"a call outside": {"goroutine profile: total " +
			"1\n#\t0x0\tmain.f+0x1\t/a.go:1\n1 @ 0x1\n", 1, 1},
		"a call without file": {"goroutine profile: total 1\n1 @ " +
			"0x1\n#\t0x0\tmain.f+0x1\n", 1, 1},
		"a call without line": {"goroutine profile: total 1\n1 @ " +
			"0x1\n#\t0x0\tmain.f+0x1\t/a.go\n", 1, 1},
		"a foreign line in a profile": {"goroutine profile: total 2\n1 @ " +
			"0x1\n\nhello\n1 @ 0x2\n", 2, 1},
		"text after a profile": {"goroutine profile: total 1\n1 @ " +
			"0x1\n\nhello\n", 1, 0},
		"announced and missing": {"goroutine profile: total 5\n1 @ 0x1\n", 1,
			4},
		"ancestors without creator": {g + "[originating from goroutine 3]:\n" +
			"main.g(...)\n\t/a.go:9 +0x1\n\ngoroutine 6 [select]:\nmain.f()\n\t/a.go:1\n", 2, 0},
		"file after the creator's": {g + "created by main.g in goroutine " +
			"1\n\t/a.go:9 +0x1\n" +
			"\t/b.go:9 +0x1\n", 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := parseOne(t, test.text)
			assert.Equal(t, test.goroutines, p.Goroutines)
			assert.Equal(t, test.unreadable, p.Unreadable, "%v", p.Troubles)
		})
	}
}

// The goroutine that writes a dump stands before goroutine 1; one that was
// the only one of its stack moves to the dump that it begins.
func TestParseSeveralBegunByAnother(t *testing.T) {
	writer := func(id int, at string) string {
		return fmt.Sprintf("goroutine %d [running]:\nmain.%s()\n\t/a.go:1 +0x1\n\n",
			id, at)
	}
	const rest = "goroutine 1 [select]:\nmain.main()\n\t/a.go:2 +0x1\n\n"
	all, err := Parse(strings.NewReader(writer(7, "dump")+rest+writer(8,
		"other")+rest), "x")
	require.NoError(t, err)
	require.Len(t, all, 2)
	for i, want := range []string{"main.dump", "main.other"} {
		assert.Equal(t, 2, all[i].Goroutines)
		require.Len(t, all[i].Stacks, 2)
		assert.Equal(t, want, all[i].Stacks[0].Frames[0].Func)
	}
	assert.Equal(t, uint64(8), all[1].Stacks[0].members.member(0).ID)

	// Its stack stays in the first dump if it is not the only one of it, and
	// others of the second dump join it there.
	parked := strings.Replace(writer(5, "other"), "running", "select", 1)
	all, err = Parse(strings.NewReader(writer(7, "dump")+rest+writer(8, "dump")+
		rest+writer(9, "dump")+rest+writer(4, "dump")+parked+writer(9, "dump")), "x")
	require.NoError(t, err)
	require.Len(t, all, 3, "the last one is quoted again")
	assert.Equal(t, []Member{{ID: 7}}, all[0].Stacks[0].members.list())
	assert.Equal(t, []Member{{ID: 8}}, all[1].Stacks[0].members.list())
	require.Len(t, all[2].Stacks, 3)
	assert.Equal(t, []Member{{ID: 9}, {ID: 4}}, all[2].Stacks[0].members.list())
	assert.Equal(t, 2, all[2].Stacks[0].Count)

	// Only one that is running writes a dump.
	all, err = Parse(strings.NewReader(writer(7, "dump")+rest+parked+rest), "x")
	require.NoError(t, err)
	require.Len(t, all, 1, "goroutine 1 is quoted again")
	assert.Equal(t, 3, all[0].Goroutines)

	// A dump of nothing else, twice.
	all, err = Parse(strings.NewReader(writer(7, "dump")+writer(7, "dump")), "x")
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, 1, all[1].Goroutines)
}

// Without a main goroutine it is the first that comes up again.
func TestParseSeveralWithoutMain(t *testing.T) {
	const one = "goroutine 5 [select]:\nmain.f()\n\t/a.go:1 +0x1\n\n" +
		"goroutine 6 [select]:\nmain.f()\n\t/a.go:1 +0x1\n\n"
	for text, want := range map[string][]int{
		one + one: {2, 2},
		one + "goroutine profile: total 1\n1 @ 0x1\n#\t0x1\tmain.f+0x1\t" +
			"/a.go:1\n\n" + one: {2, 1, 2},
		one + "panic: boom\n\n" + strings.ReplaceAll(one, "goroutine ",
			"goroutine 1"): {2, 2},
	} {
		all, err := Parse(strings.NewReader(text), "x")
		require.NoError(t, err)
		var counts []int
		for _, p := range all {
			counts = append(counts, p.Goroutines)
		}
		assert.Equal(t, want, counts, text)
	}
}

// Labels of a dump are kept as those of a profile are.
func TestParseLabels(t *testing.T) {
	p := parseOne(t, `goroutine 5 [select labels:{"a": "b"}]:`+
		"\nmain.f()\n\t/a.go:1 +0x1\n\n"+
		"goroutine 6 [select]:\nmain.f()\n\t/a.go:1 +0x1\n\n")
	require.Len(t, p.Stacks, 1)
	assert.Equal(t, map[string]int{"a=b": 1}, p.Stacks[0].Labels)
	assert.False(t, p.Stacks[0].Bubble)
	assert.True(t, parseOne(t, "goroutine 5 [select (durable), synctest bubble 3]:"+
		"\nmain.f()\n\t/a.go:1 +0x1\n\n").Stacks[0].Bubble)

	all, err := Parse(strings.NewReader("goroutine profile: total 4\n4 @ 0x1\n"+
		"#\t0x1\tmain.f+0x1\t/a.go:1\n\n"+
		`goroutine 5 [select labels:{"a": "b"}]:`+
		"\nmain.f()\n\t/a.go:1 +0x1\n\n"), "x")
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, map[string]int{"a=b": 1}, all[1].Stacks[0].Labels)
}

// How an input ends, and what is then missing.
func TestParseEnds(t *testing.T) {
	const g = "goroutine 1 [select]:\nmain.f()\n\t/a.go:1 +0x1\n"
	const within = "the input ends within a goroutine"
	for text, why := range map[string]string{
		g:                               "",
		strings.TrimSuffix(g, "\n"):     "",
		g + "\ngorou":                   "the input ends within a header",
		g + "\ngorou\n":                 "",
		g + "\ngoods\n":                 "",
		g + "\ngoods":                   "",
		g + "\n\r":                      "",
		g + "main.main()\n":             within,
		g + "main.main()":               within,
		strings.Replace(g, "1", "7", 1): "",
		strings.TrimSuffix(strings.Replace(g, "1", "7", 1), "\n"): within,
		"goroutine 1 [select]:":                                   within,
		"goroutine 7 [select]:\nmain.f()\n\t/a.go:1 +0x1\n" +
			"[originating from goroutine 3]:\nmain.g()": "",
		"goroutine profile: total 3\n2 @ 0x1\n#\t0x1\tmain.f+0x1\t" +
			"/a.go:1\n\n": "the profile announces 3 goroutines and has 2",
	} {
		p := parseOne(t, text)
		assert.Equal(t, why != "", p.Truncated, "%q", text)
		var found []string
		for _, trouble := range p.Troubles {
			found = append(found, trouble.Why)
		}
		if why == "" {
			assert.Empty(t, found, "%q", text)
		} else {
			assert.Contains(t, found, why, "%q", text)
		}
	}
}

// Between goroutines only what looks like a call of one is missed.
func TestParseStrayCalls(t *testing.T) {
	const g = "goroutine 1 [select]:\nmain.f()\n\t/a.go:1 +0x1\n\n"
	for line, want := range map[string]int{
		"\t/a.go:12 +0x1f": 1,
		"/a.go:12":         0,
		"at /a.c:12 +0x1f": 0,
		"a.go +0x1f":       0,
		"12:30 +0x1f":      0,
	} {
		assert.Equal(t, want, parseOne(t, g+line+"\n\n").Unreadable, line)
	}
}

// A dump that is indented as a whole, by blanks or a tab, is one; the next
// that is not has no prefix any more.
func TestParseIndented(t *testing.T) {
	for _, indent := range []string{"\t", "    ", " "} {
		indented := indent + strings.ReplaceAll("goroutine 1 [select]:\n"+
			"main.f(0x1)\n\t/a.go:1 +0x1\nmain.main()\n\t/b.go:2\n",
			"\n", "\n"+indent)
		all, err := Parse(strings.NewReader(indented+"\n\ngoroutine 2 [select]:\n"+
			"main.f(0x1)\n"+indent+"/a.go:1 +0x1\nmain.main()\n"+indent+
			"/b.go:2\n\n"), "x")
		require.NoError(t, err)
		require.Len(t, all, 1, "%q", indent)
		assert.Equal(t, 2, all[0].Goroutines, "%q", indent)
		assert.Zero(t, all[0].Unreadable, "%q: %v", indent, all[0].Troubles)
		assert.Len(t, all[0].Stacks, 1, "%q", indent)
	}
}

// What a record of a profile is, and what is none.
func TestParseRecords(t *testing.T) {
	const named = "#\t0x0\tmain.f+0x1\t/a.go:1\n"
	f := Frame{Func: "main.f", File: "/a.go", Line: 1}
	for _, test := range []struct {
		text       string
		counts     []int
		first      []Frame
		unreadable int
	}{
		{"2 @ 0x1\n" + named + "\n3 @ 0x2 0x3\n\n", []int{2, 3}, []Frame{f}, 0},
		{"2 @ 0x1\n3 @ 0x2 0x3\n\n", []int{2, 3}, []Frame{{PC: 1}}, 0},
		{"5 @ 0x1\n\n" + named, []int{5}, []Frame{f}, 0},
		{"5 @\n" + named, []int{5}, []Frame{f}, 0},
		{"5 @ 0x1\n" + named + named, []int{5}, []Frame{f, f}, 0},
		{"5 @ 0x1 0x2\n#\t0x9\tmain.f+0x1\t/a.go:1\n", []int{5},
			[]Frame{{PC: 1}, {PC: 2}, f}, 0},
		{"5 @ 0x1 0x2\n#\t0x2\tmain.f+0x1\t/a.go:1\n", []int{5},
			[]Frame{{PC: 1}, f}, 0},
		{"5 @ 0x1 0x2\n#\t0x1\tmain.f+0x1\t/a.go:1\n#\t0x2\tmain.f\t/a.go:1\n",
			[]int{5}, []Frame{f, f}, 0},
		{"5 @ 0x1\n#\t0x1\t+0x1\t/a.go:1\n", []int{5},
			[]Frame{{Func: "+0x1", File: "/a.go", Line: 1}}, 0},
		{"5 @ 0x1\n\n7\n6 0x1\n0 @ 0x1\n-1 @ 0x1\nx @ 0x1\n1073741825 @ 0x1\n",
			[]int{5}, []Frame{{PC: 1}}, 0}, // and after it is over
		{"7\n6 0x1\n0 @ 0x1\n-1 @ 0x1\nx @ 0x1\n1073741825 @ 0x1\n5 @ 0x1\n",
			[]int{5}, []Frame{{PC: 1}}, 6},
		{"5 @ 0x1\n\nany text\n6 @ x\n", []int{5}, []Frame{{PC: 1}}, 0},
		{"1073741824 @ 0x1\n", []int{1 << 30}, []Frame{{PC: 1}}, 0},
	} {
		p := parseOne(t, "goroutine profile: total 5\n"+test.text)
		var counts []int
		for _, s := range p.Stacks {
			counts = append(counts, s.Count)
		}
		assert.Equal(t, test.counts, counts, test.text)
		assert.Equal(t, test.first, p.Stacks[0].Frames, test.text)
		assert.Equal(t, test.unreadable, p.Unreadable, "%q: %v", test.text,
			p.Troubles)
	}
}

func TestParseLeakProfile(t *testing.T) {
	const record = ": total 1\n1 @ 0x1\n# labels: {\"a\":\"b\"}\n\n1 @ 0x2\n\n"
	p := parseOne(t, "goroutineleak profile"+record)
	assert.True(t, p.Stacks[0].Leaked)
	assert.Equal(t, map[string]int{"a=b": 1}, p.Stacks[0].Labels)
	assert.Empty(t, p.Stacks[1].Labels, "those of the record before")
	assert.False(t, parseOne(t, "goroutine profile"+record).Stacks[0].Leaked)
}

// A crash may come right after a profile.
func TestParseCrashAfterProfile(t *testing.T) {
	all, err := Parse(strings.NewReader("goroutine profile: total 1\n1 @ 0x1\n\n"+
		"panic: boom\n\ngoroutine 7 [running]:\nmain.f()\n\t/a.go:1 +0x1\n"), "x")
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, "panic: boom", all[1].Banner)
}

// People write a stack down with the files behind the calls, and remarks behind
// those; what only waits has no file.
func TestParseSketch(t *testing.T) {
	p := parseOne(t, "goroutine 13 [sync.Cond.Wait, 198 minutes]:\n"+
		"  sync.(*Cond).Wait\n"+
		"  kgo.(*consumer).stop    consumer.go:1819   <- waits (see 8)\n"+
		"  Store.Bucket  store.go:88\n"+
		"  created by kgo.NewClient   client.go:572  \u2190 here\n"+
		"goroutine 14 [select]:\n"+
		"  kgo.(*Client).loop(client.go:1022)\n"+
		"  google.com\n"+
		"  created by kgo.NewClient   client.go:573\n")
	require.Len(t, p.Stacks, 2)
	assert.Equal(t, []Frame{{Func: "sync.(*Cond).Wait"},
		{Func: "kgo.(*consumer).stop", File: "consumer.go", Line: 1819},
		{Func: "Store.Bucket", File: "store.go", Line: 88}}, p.Stacks[0].Frames)
	assert.Equal(t, Frame{Func: "kgo.NewClient", File: "client.go", Line: 572},
		p.Stacks[0].CreatedBy)
	assert.Equal(t, []Frame{{Func: "kgo.(*Client).loop", File: "client.go",
		Line: 1022}}, p.Stacks[1].Frames)
	assert.True(t, p.Extract)
	assert.Equal(t, 1, p.Unreadable, "google.com is no call")
	assert.Equal(t, 8, p.Troubles[0].Line)
}

// Who writes stacks down chooses which: the main goroutine makes it no whole dump.
func TestParseSketchIsExtract(t *testing.T) {
	const call = "goroutine 1 [sync.Mutex.Lock]:\nsync.(*Mutex).Lock(...)\n"
	assert.True(t, parseOne(t, call+"app.f(...)\n    app.go:7\n").Extract)
	assert.False(t, parseOne(t, call+"app.f(...)\n    app.go:7 +0x1d\n").Extract)
	assert.False(t, parseOne(t, "goroutine 1 [select]:\napp.f(...)\n\tapp.go:7\n").Extract)
}

// A header in prose is no goroutine, wherever in its line it stands.
func TestParseMentionedFirst(t *testing.T) {
	got := parseOne(t, "goroutine 7 [chan send, 12 minutes]: blocked forever!\n\n"+sample)
	assert.Equal(t, 4, got.Goroutines)
	assert.Equal(t, 2, got.Unreadable, "%v", got.Troubles)
}
