package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestParseURL is the table of which arguments are servers.
func TestParseURL(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("saved:6060", nil, 0o644))
	for arg, want := range map[string]string{
		"http://h":                       "http://h",
		"HTTPS://h:1/x":                  "https://h:1/x",
		"127.0.0.1:6060":                 "http://127.0.0.1:6060",
		"localhost:6060/app":             "http://localhost:6060/app",
		"[::1]:6060":                     "http://[::1]:6060",
		"[fe80::1%eth0]:6060":            "http://[fe80::1%25eth0]:6060",
		"http://a:b@[fe80::1%eth0]/x":    "http://a:b@[fe80::1%25eth0]/x",
		"http://[fe80::1%25eth0]/%41%42": "http://[fe80::1%25eth0]/%41%42",
		":6060":                          "http://localhost:6060",
		"ann:secret@h:6060":              "http://ann:secret@h:6060",
		"h/debug/pprof/goroutine":        "http://h/debug/pprof/goroutine",
		"web-1.example.com:8080/debug":   "http://web-1.example.com:8080/debug",
		"saved:6060":                     "",
		"dump.txt":                       "",
		"-":                              "",
		"./debug/pprof/goroutine.txt":    "",
		"/debug/pprof/goroutine":         "",
		`C:\dump.txt`:                    "",
		"h:0":                            "",
		"h:65536":                        "",
		"h:port":                         "",
		"a b.txt":                        "",
		"dir/with:6060":                  "",
		"goroutines.2026-11-28T10:15:00": "",
	} {
		u, err := parseURL(arg)
		require.NoError(t, err, arg)
		if want == "" {
			require.Nil(t, u, arg)
			continue
		}
		require.NotNil(t, u, arg)
		require.Equal(t, want, u.String(), arg)
	}
}

// TestPasswords: no message repeats a password, however malformed the URL, and
// none that was meant as one.
func TestPasswords(t *testing.T) {
	for _, target := range []string{
		"http://ann:se cret@h:6060", "http://ann:secret%zz@h",
		"http://ann:sec/ret@h:6060", "http://ann:secret@h:port",
		"http://ann:sec#ret@h:6060/", "http://ann:sec?ret@h:99999",
		"https://ann:secret@[::1", "http://:secret@", "ann:secret@nowhere",
		"http://ann:secret@\x7f:1",
	} {
		got := diagnose(t, "-timeout", "1s", target)
		require.Equal(t, exitTrouble, got.code, target)
		require.NotContains(t, got.stderr, "secret", target)
		require.NotContains(t, got.stderr, "cret@", target)
		require.NotContains(t, got.stderr, "ret@", target)
	}
	require.Equal(t, "http://xxxxx@h", redacted("http://a:b@c@h"))
}

// TestWithoutScheme: as people type it.
func TestWithoutScheme(t *testing.T) {
	u, err := url.Parse(text(t, requests(12)))
	require.NoError(t, err)
	got := diagnose(t, u.Host)
	require.Equal(t, exitFindings, got.code, got.stderr)
	require.Contains(t, got.stdout, "goroutines in http://127.0.0.1:")
	got = diagnose(t, "-for", "3ms", u.Host)
	require.Equal(t, exitFindings, got.code, got.stderr)
	require.Contains(t, diagnose(t, "https+insecure://h").stderr, "-insecure")
	for target, remedy := range map[string]string{
		"no-such-file":                   "a server is given as HOST:PORT",
		"goroutines.2026-11-28T10:15:00": "a server is given as HOST:PORT",
		"::1:6060":                       "an IPv6 server is given as [ADDRESS]:PORT",
		"h:65536":                        "and 65536 is no port: want 1 to 65535",
		"ann:secret@h:0/x":               "and 0 is no port",
		"unix:///run/app.sock":           "give the path of the socket alone",
		"13128":                          "a process is not read by its id",
	} {
		got = diagnose(t, target)
		require.Equal(t, exitTrouble, got.code)
		require.Contains(t, got.stderr, remedy, target)
	}
}

// TestOtherPrefix: influxdata/kapacitor#1147 and a location /pprof/ of a proxy,
// below which net/http/pprof is, in whichever way it is given.
func TestOtherPrefix(t *testing.T) {
	for _, prefix := range []string{"/pprof/", "/app/v1/debug/pprof/"} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != prefix+"goroutine" {
				http.NotFound(w, r)
				return
			}
			io.WriteString(w, requests(12))
		})
		for _, path := range []string{prefix, strings.TrimSuffix(prefix, "/")} {
			got := diagnose(t, url+path)
			require.Equal(t, exitFindings, got.code, path+got.stderr)
		}
	}
}

// TestProxyIsDown: golang/go#20371, a server behind a proxy, which is not
// reached itself. That is no outage of the server.
func TestProxyIsDown(t *testing.T) {
	down := &url.Error{Op: "Get", Err: &net.OpError{Op: "proxyconnect",
		Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}}
	err := (&fetcher{}).why(t.Context(), down)
	require.ErrorContains(t, err, "the proxy cannot be reached")
	require.False(t, errors.As(err, &unanswered{}))
}

// TestOtherProfiles: a path of net/http/pprof as people copy it.
func TestOtherProfiles(t *testing.T) {
	url := text(t, requests(12))
	for _, path := range []string{"/debug/pprof/goroutine/",
		"/debug/pprof/goroutine/?debug=2"} {
		require.Equal(t, exitFindings, diagnose(t, url+path).code, path)
	}
	got := diagnose(t, url+"/debug/pprof/heap/")
	require.Equal(t, exitTrouble, got.code)
	require.Contains(t, got.stderr, "the profile heap has no goroutines: give "+url+
		"/debug/pprof/goroutine\n")
}

// TestUnits: a number without a unit is told which one it lacks.
func TestUnits(t *testing.T) {
	for args, want := range map[string]string{
		"-every 2 h:1":     "want 2s",
		"-for 1.5 h:1":     "want 1.5s",
		"-timeout 30 h:1":  "want 30s",
		"-every often h:1": "want a duration such as 2s",
	} {
		got := diagnose(t, strings.Fields(args)...)
		require.Equal(t, exitTrouble, got.code)
		require.Contains(t, got.stderr, want, args)
		require.Equal(t, 1, strings.Count(got.stderr, want))
	}
}

// TestCleanMessages: no name of a file, no answer of a server and no line of a
// dump drives the terminal, whichever way it goes there.
func TestCleanMessages(t *testing.T) {
	const evil = "\x1b]0;owned\a\u009b31m\u202e\u200b"
	dump := strings.ReplaceAll(requests(12), "writer.go", "wri"+evil+"ter.go") +
		"\ngoroutine 7 [" + evil + "]:\n\t" + evil + "\nmain." + evil + "()\n"
	named := write(t, "evil"+strings.ReplaceAll(evil, "/", "")+".txt", dump)
	for _, args := range [][]string{
		{named}, {"-json", named}, {"-json", "-stacks", named},
		{"-html", "-", named}, {"-all", named},
		{evil}, {"-binary", evil, named}, {"-src", evil, named},
		{"-form", evil, named}, {"-nope" + evil}, {"http://h/" + evil},
		{"-html", "/no/" + evil, named}, {evil + "\nchanx: forged"},
	} {
		got := diagnose(t, args...)
		for _, c := range got.stdout + got.stderr {
			require.False(t, c != '\n' && (c < ' ' || c >= 0x7f && c < 0xa0 ||
				c == 0x202e || c == 0x200b), "%q in %q", c, got.stdout+got.stderr)
		}
		require.NotContains(t, got.stderr, "\nchanx: forged")
	}
	got := chanx(t, "", evil)
	require.NotContains(t, got.stderr, "\x1b")
}
