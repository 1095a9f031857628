//go:build unix

package main

import (
	"bytes"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestRunInterrupted does what Ctrl-C does, while requests hang. It must not
// run beside other tests of run, which would be interrupted too.
func TestRunInterrupted(t *testing.T) {
	stderr := &trigger{text: phases[struck].title}
	stderr.fire = func() { _ = syscall.Kill(os.Getpid(), syscall.SIGINT) }
	var stdout bytes.Buffer
	code := run([]string{"-timeout", "1m"}, &stdout, stderr)
	assert.Equal(t, 130, code)
	assert.Empty(t, stdout.String())
	assert.Contains(t, stderr.seen.String(), "interrupted")
}
