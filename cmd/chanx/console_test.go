//go:build unix

package main

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

// onTerminal runs chanx doctor with a terminal of so many columns as standard
// output and error, and returns what appears there.
func onTerminal(t *testing.T, columns uint16, stdin io.Reader,
	args ...string) (int, string) {
	t.Helper()
	screen, tty, err := pty.Open()
	require.NoError(t, err)
	defer screen.Close()
	require.NoError(t, pty.Setsize(screen, &pty.Winsize{Rows: 24, Cols: columns}))
	var shown bytes.Buffer
	read := make(chan struct{})
	go func() {
		io.Copy(&shown, screen) // ends with an error once tty is closed
		close(read)
	}()
	if stdin == nil {
		stdin = tty
	}
	code := run(append([]string{"doctor"}, args...), stdin, tty, tty)
	tty.Close()
	<-read
	return code, strings.ReplaceAll(shown.String(), "\r\n", "\n")
}

// plainly removes the settings of colors and widths from the environment.
func plainly(t *testing.T) {
	for _, name := range []string{"NO_COLOR", "COLUMNS"} {
		t.Setenv(name, "")
	}
	t.Setenv("TERM", "xterm")
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestTerminal: color and the terminal's width there, and neither in a pipe.
func TestTerminal(t *testing.T) {
	plainly(t)
	dump := write(t, "a.txt", requests(12))
	piped := diagnose(t, dump)
	require.NotContains(t, piped.stdout, "\x1b")
	for _, columns := range []uint16{50, 80, 160} {
		code, shown := onTerminal(t, columns, nil, dump)
		require.Equal(t, exitFindings, code)
		require.Contains(t, shown, "\x1b[1;31mCRITICAL")
		longest := 0
		for line := range strings.Lines(escapes.ReplaceAllString(shown, "")) {
			if !strings.Contains(line, ".go:") || strings.Contains(line, "(") {
				longest = max(longest, len(strings.TrimSpace(line)))
			}
			if !strings.HasPrefix(line, "            ") { // no call of a stack
				require.LessOrEqual(t, len(line)-1, int(columns), line)
			}
		}
		require.Greater(t, longest, 20)
		if columns == 80 {
			require.Equal(t, piped.stdout, escapes.ReplaceAllString(shown, ""))
		}
	}
	_, narrow := onTerminal(t, 50, nil, "-color", "never", dump)
	_, wide := onTerminal(t, 160, nil, "-color", "never", dump)
	require.Greater(t, strings.Count(narrow, "\n"), strings.Count(wide, "\n"))
	_, tiny := onTerminal(t, 3, nil, "-color", "never", dump)
	_, forty := onTerminal(t, 40, nil, "-color", "never", dump)
	require.Equal(t, forty, tiny, "less than 40 columns is no width")
}

// TestTerminalColor: a setting of the user is above the terminal.
func TestTerminalColor(t *testing.T) {
	dump := write(t, "a.txt", requests(12))
	for _, test := range []struct {
		name, value string
		args        []string
		want        bool
	}{
		{"TERM", "xterm", nil, true},
		{"NO_COLOR", "1", nil, false},
		{"TERM", "dumb", nil, false},
		{"NO_COLOR", "1", []string{"-color", "always"}, true},
		{"TERM", "xterm", []string{"-color", "never"}, false},
		{"TERM", "xterm", []string{"-json"}, false},
	} {
		t.Run(test.name+"="+test.value, func(t *testing.T) {
			plainly(t)
			t.Setenv(test.name, test.value)
			_, shown := onTerminal(t, 80, nil, append(test.args, dump)...)
			require.Equal(t, test.want, strings.Contains(shown, "\x1b["), shown)
		})
	}
}

// TestTerminalColumns: COLUMNS is how a person says it.
func TestTerminalColumns(t *testing.T) {
	plainly(t)
	dump := write(t, "a.txt", requests(12))
	_, want := onTerminal(t, 120, nil, dump)
	t.Setenv("COLUMNS", "120")
	_, got := onTerminal(t, 60, nil, dump)
	require.Equal(t, want, got)
}

// TestTerminalInput: a prompt asks for the dump.
func TestTerminalInput(t *testing.T) {
	plainly(t)
	in, keyboard, err := pty.Open()
	require.NoError(t, err)
	defer in.Close()
	defer keyboard.Close()
	go io.WriteString(in, requests(12)+"\x04\x04")
	code, shown := onTerminal(t, 80, keyboard, "-")
	require.Equal(t, exitFindings, code)
	require.Contains(t, shown, "reading from the terminal; paste a dump")
	_, shown = onTerminal(t, 80, strings.NewReader(requests(1)), "-")
	require.NotContains(t, shown, "reading from the terminal")
}

// TestProgress: shown on a terminal after a second, not at every read, and
// wiped in the end.
func TestProgress(t *testing.T) {
	var w bytes.Buffer
	start := time.Now()
	p := &progress{w: &w, screen: true, started: start}
	p.add(1e6, start.Add(time.Second-1))
	require.Empty(t, w.String())
	p.done()
	require.Empty(t, w.String(), "nothing to wipe")
	p.add(5e5, start.Add(time.Second))
	require.Equal(t, "\r\x1b[Kreading: 1.5 MB, 1 s", w.String())
	w.Reset()
	p.add(1e6, start.Add(time.Second+200*time.Millisecond-1))
	require.Empty(t, w.String())
	p.add(1e6, start.Add(time.Second+200*time.Millisecond))
	require.Contains(t, w.String(), "3.5 MB")
	p.done()
	require.True(t, strings.HasSuffix(w.String(), "\r\x1b[K"))
	w.Reset()
	p.done()
	require.Empty(t, w.String())

	screen, tty, err := pty.Open()
	require.NoError(t, err)
	defer screen.Close()
	defer tty.Close()
	require.True(t, newProgress(&console{stderr: tty}, 0).screen)
	require.False(t, newProgress(&console{stderr: &w}, 0).screen)
}

// TestProgressInPipe: a line now and then, without what drives a terminal.
func TestProgressInPipe(t *testing.T) {
	var w bytes.Buffer
	start := time.Now()
	p := &progress{w: &w, servers: 1000, started: start}
	p.answered(start.Add(inPipe - 1))
	require.Empty(t, w.String())
	p.answered(start.Add(inPipe))
	require.Equal(t, "chanx: reading: 0.0 MB, 5 s, 2 of 1000 servers\n", w.String())
	p.answered(start.Add(2*inPipe - 1))
	p.answered(start.Add(2 * inPipe))
	p.done()
	require.Equal(t, 2, strings.Count(w.String(), "\n"))
	require.NotContains(t, w.String(), "\x1b")
}

// TestProgressOfLooks: each look is told, also in a pipe.
func TestProgressOfLooks(t *testing.T) {
	n := 0
	url := text(t, requests(12))
	got := diagnose(t, "-form", "2", "-every", "100ms", "-for", "250ms", url)
	require.Equal(t, exitFindings, got.code)
	for line := range strings.Lines(got.stderr) {
		n++
		require.Regexp(t, `^chanx: look `+number(n)+` after [0-9.]+m?s: 12 `+
			`goroutines$`, strings.TrimSpace(line))
	}
	require.Greater(t, n, 1)

	// There is a second look, however short the time, and each look reports how
	// many servers it lacks.
	got = diagnose(t, "-for", "1ns", url, refused(t))
	require.Equal(t, 2, strings.Count(got.stderr, "\n"), got.stderr)
	require.Equal(t, 2, strings.Count(got.stderr,
		": 12 goroutines, 1 of 2 servers failed\n"), got.stderr)
}

// TestWatchTimes: a look every so often, and the last one at the end of the
// time; looks that take longer are not made up for.
func TestWatchTimes(t *testing.T) {
	for _, test := range []struct{ every, length, cost, want string }{
		{"5s", "1m", "0s", "0s 5s 10s 15s 20s 25s 30s 35s 40s 45s 50s 55s 1m0s"},
		{"5s", "12s", "0s", "0s 5s 10s 12s"},
		{"5s", "1s", "0s", "0s 1s"},
		{"5s", "16s", "6s", "0s 11s 17s"},
		{"5s", "1s", "6s", "0s 7s"},
	} {
		synctest.Test(t, func(t *testing.T) {
			duration := func(s string) time.Duration {
				d, err := time.ParseDuration(s)
				require.NoError(t, err)
				return d
			}
			started := time.Now()
			var at []string
			url := &url.URL{Scheme: "http", Host: "h", Path: "/dump.txt"}
			client := &http.Client{Transport: fake(func(*http.Request) (*http.Response,
				error) {
				at = append(at, time.Since(started).String())
				time.Sleep(duration(test.cost))
				return &http.Response{StatusCode: 200,
					Body: io.NopCloser(strings.NewReader(idleDump))}, nil
			})}
			o := &options{every: duration(test.every), length: duration(test.length)}
			p := &progress{w: io.Discard}
			targets := []*target{{server: &server{url: url,
				form: "2", fetch: &fetcher{client, time.Minute, nil, p,
					make(chan struct{}, 1), nil}}}}
			lookAll(t.Context(), targets, &console{}, p)
			watch(t.Context(), o, targets, &console{}, p)
			require.Equal(t, test.want, strings.Join(at, " "))
		})
	}
}
