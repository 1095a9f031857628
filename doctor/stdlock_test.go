package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// writerDump is n goroutines that wait for the lock of a console, and one that
// writes to one. The lock is not part of the value that all calls have.
func writerDump(n int, value, state, call string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "goroutine %d [semacquire, 14 minutes]:\n"+
			"sync.runtime_Semacquire(0x111b2254)\n\td:/go/sema.go:47 +0x26\n"+
			"sync.(*Mutex).Lock(0x111b2250)\n\td:/go/mutex.go:83 +0x19f\n"+
			"os.(*File).write(0x111ce0d8, 0x59f23b00)\n\td:/go/file_windows.go:395 +0x59\n"+
			"app.(*logger).log(0x111b45a0)\n\td:/src/logger.go:158 +0x25b\n\n", 40+i)
	}
	fmt.Fprintf(&b, "goroutine 6231 [%s]:\n%s(0x7, 0x11b56000)\n\td:/go/z.go:1231 +0x64\n"+
		"os.(*File).write(%s, 0x1f2b6e00)\n\td:/go/file_windows.go:397 +0xd3\n"+
		"app.(*logger).log(0x111b45a0)\n\td:/src/logger.go:160 +0x25b\n\n", state, call, value)
	return mainGoroutine + b.String()
}

// The holder of a lock of the standard library is further on in the same call of
// the same value.
func TestStdLock(t *testing.T) {
	r := judged(t, writerDump(8, "0x111ce0d8", "syscall, 14 minutes",
		"syscall.WriteConsole"))
	assert.Contains(t, r.Root, "everything waits for goroutine 6231: it may hold "+
		"(*File) 0x111ce0d8 and has been in a system call")
	require.Len(t, r.Findings, 2)
	assert.Contains(t, r.Findings[0].Sentence, "; the other side does not read")
	assert.Contains(t, r.Findings[1].Sentence, "a write does not take that long")
	assert.Contains(t, judged(t, writerDump(100, "0x111ce0d8", "syscall, 14 minutes",
		"syscall.write")).Root, "everything waits for goroutine 6231")

	for _, other := range []string{
		writerDump(8, "0x111ce0e8", "syscall, 14 minutes", "syscall.write"),
		writerDump(8, "0x111ce0d8", "select, 14 minutes", "app.wait")} {
		r = judged(t, other)
		assert.NotContains(t, r.Root, "everything waits for")
		assert.Contains(t, r.Findings[0].Sentence, "no goroutine is seen to hold it")
	}
	r = judged(t, writerDump(8, "...", "syscall, 14 minutes", "syscall.write"))
	assert.Contains(t, r.Findings[0].Sentence, "a goroutine in os.(*File).write may hold it")
}
