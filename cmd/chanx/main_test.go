package main

import (
	"bytes"
	"flag"
	"io"
	"log"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/leakgate"
)

var update = flag.Bool("update", false, "write the golden files anew")

// asCommand in the environment makes the test binary the command, for tests
// that need a process to send signals to.
const asCommand = "CHANX_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	if api := os.Getenv(asKubectl); api != "" {
		os.Exit(kubectl(api, os.Args[1:]))
	}
	leakgate.Main(m)
}

// outcome is what a run leaves behind.
type outcome struct {
	code           int
	stdout, stderr string
}

// chanx runs the command in this process.
func chanx(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(args, strings.NewReader(stdin), &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

// diagnose is chanx doctor without anything on standard input.
func diagnose(t *testing.T, args ...string) outcome {
	t.Helper()
	return chanx(t, "", append([]string{"doctor"}, args...)...)
}

// golden compares with testdata/name, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	name = "testdata/" + name
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(got), 0o644))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), got)
}

// write puts content into a file of the test's own.
func write(t *testing.T, name, content string) string {
	t.Helper()
	file := t.TempDir() + "/" + name
	require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
	return file
}

// nolog drops what a server under test complains of.
var nolog = log.New(io.Discard, "", 0)
