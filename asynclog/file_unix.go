//go:build unix

package asynclog

import "syscall"

// openFlags keeps the opening of a FIFO from waiting for a reader, and lets
// Close end a write to it. It means nothing for other files.
const openFlags = syscall.O_NONBLOCK
