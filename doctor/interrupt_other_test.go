//go:build !unix

package doctor

import "os/exec"

func interrupt(*exec.Cmd) { panic("no SIGQUIT on this system") }
