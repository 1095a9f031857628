package doctor

import (
	"slices"
	"strings"
)

// cgoCall begins the name of the wrapper that calls a function of C.
const cgoCall = "_Cfunc_"

// osLock returns the system call, or the function of C, in which a goroutine
// waits for a lock, or "". The names are all that a traceback tells of it:
// lock_semaphore and pthread_mutex_lock, but neither unlock nor clock_wait.
func osLock(s *Stack) string {
	for _, f := range s.Frames {
		switch f.Func {
		case "syscall.Flock", "syscall.FcntlFlock", "golang.org/x/sys/unix.Flock",
			"golang.org/x/sys/unix.FcntlFlock", "golang.org/x/sys/windows.LockFileEx":
			return short(f.Func)
		}
		if _, name, ok := strings.Cut(f.Func, cgoCall); ok {
			words := wordsOf(name)
			if slices.Contains(words, "lock") ||
				slices.Contains(words, "sem") && slices.Contains(words, "wait") {
				return name
			}
		}
		if !isStd(f.Func) && !strings.HasPrefix(f.Func, "golang.org/x/sys/") {
			break
		}
	}
	return ""
}

// promptCall returns the call in which goroutines of s wait for a file system or
// for a new process, or "": neither waits for anything else, but a dead mount does
// not answer. To open a file is none, since a pipe waits for its other end.
func promptCall(s *site) string {
	if s.op != Syscall {
		return ""
	}
	for _, f := range s.stacks[0].Frames {
		switch f.Func {
		case "syscall.Stat", "syscall.Lstat", "syscall.stat", "syscall.lstat",
			"syscall.fstatat", "syscall.Fstat", "syscall.Statfs", "syscall.Mkdir",
			"syscall.Unlink", "syscall.Rename", "syscall.Fsync", "syscall.Close",
			"syscall.forkExec", "golang.org/x/sys/unix.Stat",
			"golang.org/x/sys/unix.Lstat", "golang.org/x/sys/unix.Statfs":
			return short(f.Func)
		}
		if !isStd(f.Func) && !strings.HasPrefix(f.Func, "golang.org/x/sys/") {
			break
		}
	}
	return ""
}
