//go:build unix

package asynclog

import (
	"errors"
	"os"
	"syscall"
)

const (
	// openFlags keeps the opening of a FIFO from waiting for a reader, and lets
	// Close end a write to it. It means nothing for other files.
	openFlags = syscall.O_NONBLOCK

	noFollow = syscall.O_NOFOLLOW
)

// isLoop reports whether err is that of an open with noFollow. FreeBSD says
// EMLINK, NetBSD EFTYPE, which other systems do not have.
func isLoop(err error) bool {
	return errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EMLINK)
}

// links returns the number of names of a file.
func links(st os.FileInfo) uint64 {
	if s, ok := st.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Nlink)
	}
	return 1
}

// own gives file the owner and group of an older one, or at least the group.
func own(file *os.File, like os.FileInfo) {
	s, ok := like.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	if file.Chown(int(s.Uid), int(s.Gid)) != nil {
		_ = file.Chown(-1, int(s.Gid))
	}
}

// cannotSync reports whether err is that of a Sync of something that is not
// on a disk, possibly through a wrapper.
func cannotSync(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTTY) ||
		errors.Is(err, errors.ErrUnsupported)
}
