//go:build !linux

package contention

import (
	"errors"
	"time"
)

func cpuTime() time.Duration { return 0 }

func cannotShare() string { return "pins processes to a CPU as Linux does it" }

func pinned(func() error) error { return errors.ErrUnsupported }
func makeIdle() error           { return errors.ErrUnsupported }
