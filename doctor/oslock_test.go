package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A call of C or of the system that takes a lock is not at work for minutes.
func TestOSLock(t *testing.T) {
	dump := func(minutes, call string) *Report {
		return judged(t, "goroutine 60 [syscall"+minutes+"]:\n"+
			call+"(0x7f09b8050000, 0x3f7)\n\t_cgo_gotypes.go:193 +0x4d\n"+
			"app.(*locks).take(0xc0001b2a80, 0x3f7)\n\t/src/app.go:233 +0x65\n\n")
	}
	for _, call := range []string{"app/shm._Cfunc_lock_semaphore",
		"app._Cfunc_pthread_mutex_lock", "app._Cfunc_sem_wait", "syscall.Flock",
		"golang.org/x/sys/unix.FcntlFlock"} {
		r := dump(", 2 minutes", call)
		require.Len(t, r.Findings, 1, call)
		assert.Equal(t, Warning, r.Findings[0].Severity)
		assert.Contains(t, r.Root, " waits for a lock that is not Go's")
		assert.Empty(t, dump("", call).Findings, "it may be at the door")
	}
	for _, call := range []string{"app._Cfunc_unlock", "app._Cfunc_clock_wait",
		"app._Cfunc_block_read", "app._Cfunc_gtk_main", "syscall.Read"} {
		assert.Empty(t, dump(", 90 minutes", call).Findings, call)
	}
}

// A file system that does not answer, and a child that does not start.
func TestOSPromptCall(t *testing.T) {
	dump := func(minutes int, call string) *Report {
		return judged(t, fmt.Sprintf("goroutine 60 [syscall, %d minutes]:\n"+
			"syscall.Syscall6(0x106, 0xffffffffffffff9c)\n\t/go/a.s:9 +0x4d\n"+
			"%s(0xffffffffffffff9c)\n\t/go/z.go:9 +0x4d\n"+
			"app.(*config).check(0xc0001b2a80)\n\t/src/app.go:233 +0x65\n\n",
			minutes, call))
	}
	for _, call := range []string{"syscall.fstatat", "syscall.forkExec",
		"syscall.Fsync", "golang.org/x/sys/unix.Statfs", "syscall.unlinkat",
		"golang.org/x/sys/unix.Getdents", "syscall.ReadDirent"} {
		r := dump(5, call)
		require.Len(t, r.Findings, 1, call)
		assert.Equal(t, Warning, r.Findings[0].Severity)
		assert.Contains(t, r.Root, call[strings.LastIndexByte(call, '/')+1:]+
			" does not take that long")
		assert.Empty(t, dump(4, call).Findings)
	}
	const start = "goroutine 60 [syscall, 5 minutes]:\nsyscall.forkExec(0x1)\n" +
		"\t/go/z.go:9 +0x4d\nos/exec.(*Cmd).Start(0x1)\n\t/go/z.go:9 +0x4d\n" +
		"app.run(0x1)\n\t/src/app.go:233 +0x65\n\n"
	assert.Len(t, judged(t, start).Findings, 1, "to start a child is not to wait for it")
	for _, call := range []string{"syscall.openat", "syscall.read", "syscall.wait4",
		"golang.org/x/sys/unix.IoctlGetInt"} {
		assert.Empty(t, dump(500, call).Findings, call)
	}
}
