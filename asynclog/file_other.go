//go:build !unix

package asynclog

import (
	"errors"
	"os"
)

const (
	openFlags = 0
	noFollow  = 0
)

func isLoop(error) bool { return false }

// links returns 1: a file that is open keeps its name, or cannot be asked.
func links(os.FileInfo) uint64 { return 1 }

func own(*os.File, os.FileInfo) {}

func cannotSync(err error) bool { return errors.Is(err, errors.ErrUnsupported) }
