package doctor

import (
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
