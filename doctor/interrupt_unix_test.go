//go:build unix

package doctor

import (
	"os/exec"
	"syscall"
)

// interrupt asks a process for its goroutines.
func interrupt(cmd *exec.Cmd) { cmd.Process.Signal(syscall.SIGQUIT) }
