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

// promptCalls are the functions of packages syscall and golang.org/x/sys, in small
// letters, that wait for a file system, a new process or the reader of a pipe or
// console, and for nothing else. To open a file is none, since that of a pipe waits
// for its other end; nor is to read, which may wait for input.
var promptCalls = set([]string{
	"stat", "lstat", "fstat", "fstatat", "statx", "statfs", "fstatfs", "access",
	"faccessat", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename",
	"renameat", "renameat2", "link", "symlink", "readlink", "readlinkat", "chmod",
	"fchmod", "fchmodat", "chown", "lchown", "fchown", "utimes", "utimensat",
	"truncate", "ftruncate", "fsync", "fdatasync", "sync", "syncfs",
	"readdirent", "getdents", "getdirentries", "pread", "pwrite", "getxattr",
	"lgetxattr", "listxattr", "setxattr", "mount", "unmount", "close",
	"getfileattributesex", "findfirstfile", "flushfilebuffers", "forkexec",
	"write", "writev", "writefile", "writeconsole",
})

// promptCall returns the call in which goroutines of s wait although it does not
// take long, unless a mount is dead, say, or "".
func promptCall(s *site) string {
	if s.op != Syscall {
		return ""
	}
	for _, f := range s.stacks[0].Frames {
		pkg := packageOf(f.Func)
		system := pkg == "syscall" || strings.HasPrefix(pkg, "golang.org/x/sys/")
		switch name := strings.ToLower(strings.TrimPrefix(f.Func, pkg+".")); {
		case !system || !promptCalls[name]:
		case strings.HasPrefix(name, "write"):
			return "a write"
		default:
			return short(f.Func)
		}
		if !system && !isStd(f.Func) {
			break
		}
	}
	return ""
}
