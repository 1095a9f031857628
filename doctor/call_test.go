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

func TestFileLine(t *testing.T) {
	for line, want := range map[string]string{
		"\t/a.go:12 +0x1d":                      "/a.go 12",
		"        /a.go:12 +0x1d":                "/a.go 12",
		"\t/a.go:12 +0x1d fp=0x1 sp=0x2 pc=0x3": "/a.go 12",
		"\t/a.go:12 fp=0x1 sp=0x2 pc=0x3":       "/a.go 12",
		"\t/a.go:12":                            "/a.go 12",
		"\tC:/a+b.go:12":                        "C:/a+b.go 12",
		"\t/a.go:":                              "",
		"\t:12":                                 "",
		"\t/a.go:1x":                            "",
		"\t/a.go:x":                             "",
		"\t/a.go":                               "",
		"+0x1":                                  "",
		"a":                                     "",
		"":                                      "",
	} {
		file, number, ok := fileLine([]byte(line))
		assert.Equal(t, want != "", ok, line)
		if ok {
			assert.Equal(t, want, string(file)+" "+string(number))
		}
	}
}

// What stands in the place of a call is not taken for one, and a call that
// lacks a part of itself is one all the same.
func TestParseOddCalls(t *testing.T) {
	const head, f = "goroutine 7 [select]:\n", "main.f()\n\t/a.go:1 +0x1\n"
	call := Frame{Func: "main.f", File: "/a.go", Line: 1}
	for text, want := range map[string][]Frame{
		f:                      {call},
		"log(x)=y\n" + f:       {call},
		"a log (of x)\n" + f:   {call},
		"(x)\n" + f:            {call},
		"done)\n" + f:          {call},
		"\tgarbage\n" + f:      {call},
		"main.g()\n" + f:       {{Func: "main.g"}, call},
		f + "main.g()\n":       {call, {Func: "main.g"}},
		f + "\t/b.go:2 +0x1\n": {call, {File: "/b.go", Line: 2}},
		"main.g()\ncreated by main.h in goroutine 1\n\t/b.go:2\n": {
			{Func: "main.g"}},
	} {
		all, err := Parse(strings.NewReader(head+text+"\n"+
			strings.Replace(head, "7", "8", 1)+f+"\n"), "x")
		require.NoError(t, err)
		p := all[0]
		assert.Equal(t, 2, p.Goroutines, text)
		assert.Equal(t, want, p.Stacks[0].Frames, text)
		assert.Equal(t, []Frame{call}, p.Stacks[len(p.Stacks)-1].Frames,
			"%q does not spoil the next", text)
		odd := 1
		if text == f {
			odd = 0
		}
		assert.Equal(t, odd, p.Unreadable, "%q: %v", text, p.Troubles)
	}
}

// The output of go test ends a goroutine, and so does a crash after the last
// call of main.
func TestParseAfterTheLastCall(t *testing.T) {
	const g = " [select]:\nmain.f()\n\t/a.go:1 +0x1\n"
	for _, end := range []string{"exit status 2", "FAIL\texample.com/x\t1.0s"} {
		p := parseOne(t, "goroutine 7"+g+end)
		assert.False(t, p.Truncated)
		p = parseOne(t, "goroutine 7"+g+end+"\nany other text\n")
		assert.Zero(t, p.Unreadable, "%v", p.Troubles)
	}
	all, err := Parse(strings.NewReader("goroutine 1"+g+"panic: boom\n\n"+
		"goroutine 9"+g), "x")
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, "panic: boom", all[1].Banner)
	p := parseOne(t, "goroutine 7"+g+"[originating from goroutine 3]:\nmain.g()\n"+
		"\n\t/b.go:1 +0x1f\n")
	assert.Equal(t, 1, p.Unreadable, "the ancestor ends")
}
