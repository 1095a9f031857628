package main

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestUsage: a mistake is exit status 2 before anything is opened, and the
// message names the flag.
func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args string
		say  string
	}{
		{"", "no target"},
		{"-nope x", "-nope"},
		{"-color red x", "-color red"},
		{"-form 3 x", "-form 3"},
		{"-as one x", "-as one"},
		{"-many 0 x", "-many"},
		{"-minutes -1 x", "-minutes"},
		{"-timeout 0s x", "-timeout"},
		{"-every -1s http://x", "-every"},
		{"-every 1s x", "want a server"},
		{"-every 0 http://x", "want more than 0"},
		{"-for 0s http://x", "want more than 0"},
		{"-every 99ms http://x", "want at least 100ms"},
		{"-min-severity bad x", "info, warning or critical"},
		{"-header x http://x", "NAME: VALUE"},
		{"-json -html - x", "both on standard output"},
		{"-src /no/such x", "no such directory"},
		{"-binary /no/such x", "-binary /no/such"},
		{"- -", "only once"},
		{"http://", "no host"},
	} {
		got := diagnose(t, strings.Fields(test.args)...)
		require.Equal(t, exitTrouble, got.code, test.args)
		require.Empty(t, got.stdout, test.args)
		require.Contains(t, got.stderr, test.say, test.args)
	}
	for _, args := range [][]string{nil, {"nope"}, {"help", "nope"}} {
		require.Equal(t, exitTrouble, chanx(t, "", args...).code)
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"doctor", "-h"}, {"help", "doctor"}} {
		got := chanx(t, "", args...)
		require.Equal(t, exitClean, got.code)
		require.Empty(t, got.stderr)
		require.Contains(t, got.stdout, "Examples:")
		require.Contains(t, got.stdout, "-min-severity")
	}
	require.Equal(t, exitClean, chanx(t, "", "help").code)
	require.Contains(t, chanx(t, "", "version").stdout, "chanx ")
}

// TestOrder: flags may follow targets, until --.
func TestOrder(t *testing.T) {
	o, _, err := parseFlags([]string{"a", "-json", "b", "-every", "1s", "http://x",
		"--", "-c"})
	require.NoError(t, err)
	require.True(t, o.json)
	require.Equal(t, []string{"a", "b", "http://x", "-c"}, o.targets)
}

// TestEveryAndFor: each has a default once the other is given, and none before.
func TestEveryAndFor(t *testing.T) {
	for args, want := range map[string][2]time.Duration{
		"http://x":                   {0, 0},
		"-every 1s http://x":         {time.Second, time.Minute},
		"-for 10s http://x":          {5 * time.Second, 10 * time.Second},
		"-every 1s -for 2s http://x": {time.Second, 2 * time.Second},
	} {
		o, _, err := parseFlags(strings.Fields(args))
		require.NoError(t, err)
		require.Equal(t, want, [2]time.Duration{o.every, o.length}, args)
	}
}

// TestStatus: the exit status follows -min-severity if the input is complete.
func TestStatus(t *testing.T) {
	critical := write(t, "a.txt",
		"goroutine 1 [select]:\nmain.main()\n\t/m.go:3 +0x1\n\n"+requests(12))
	idle := write(t, "b.txt", idleDump)
	require.Equal(t, exitFindings, diagnose(t, "-min-severity", "critical",
		critical).code)
	require.Equal(t, exitClean, diagnose(t, "-min-severity", "info", idle).code)
	got := diagnose(t, "-many", "100", "-minutes", "60", "-min-severity",
		"critical", critical)
	require.Equal(t, exitClean, got.code)
	require.Contains(t, got.stdout, "12 goroutines")
	require.Equal(t, exitFindings, diagnose(t, "-min-severity", "critical",
		write(t, "e.txt", "goroutine 7 [chan send, 9 minutes]:\nmain.f(0x1)\n"+
			"\t/a.go:1 +0x1\n")).code, "an extract with a warning")
	require.Equal(t, exitFindings, diagnose(t, write(t, "c.txt",
		"goroutine 7 [select]:\nmain.f(0x1)\n\t/a.go:1 +0x1\n")).code, "an extract")
	require.Equal(t, exitFindings, diagnose(t, write(t, "d.txt",
		"goroutine profile: total 0\n")).code)
}

func TestPage(t *testing.T) {
	file := t.TempDir() + "/page.html"
	dump := write(t, "a.txt", requests(12))
	got := diagnose(t, "-html", file, dump)
	require.Equal(t, exitFindings, got.code)
	require.Contains(t, got.stdout, "CRITICAL")
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(page), "</html>")
	require.Contains(t, diagnose(t, "-html", "-", dump).stdout, "</html>")
	// Who reads only the first line of the text gets the whole page too.
	require.NoError(t, os.Remove(file))
	require.Equal(t, exitTrouble, run([]string{"doctor", "-html", file, dump},
		nil, full{}, full{}))
	require.FileExists(t, file)
	got = diagnose(t, "-html", t.TempDir()+"/no/page.html", dump)
	require.Equal(t, exitTrouble, got.code)
	require.Contains(t, got.stderr, "-html")
}

// TestColor: never in a pipe unless asked for.
func TestColor(t *testing.T) {
	dump := write(t, "a.txt", requests(12))
	require.NotContains(t, diagnose(t, dump).stdout, "\x1b[")
	require.Contains(t, diagnose(t, "-color", "always", dump).stdout, "\x1b[")
}

func TestColumns(t *testing.T) {
	dump := write(t, "a.txt", requests(12))
	t.Setenv("COLUMNS", "300")
	wide := diagnose(t, dump).stdout
	t.Setenv("COLUMNS", "60")
	require.Greater(t, strings.Count(diagnose(t, dump).stdout, "\n"),
		strings.Count(wide, "\n"))
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// TestOutputFails: a report that is not written is trouble.
func TestOutputFails(t *testing.T) {
	dump := write(t, "a.txt", requests(12))
	var stderr strings.Builder
	require.Equal(t, exitTrouble, run([]string{"doctor", dump},
		strings.NewReader(""), full{}, &stderr))
	require.Contains(t, stderr.String(), "no space left")
}
