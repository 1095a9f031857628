//go:build !linux

package rows

import (
	"errors"
	"time"
)

func cpuTime() time.Duration    { return 0 }
func threadTime() time.Duration { return 0 }

func pinned(func() error) error { return errors.ErrUnsupported }
func makeIdle() error           { return errors.ErrUnsupported }
func pinTo(int)                 {}
