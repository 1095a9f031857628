package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// To close a file waits for a read of it that is a system call: the poller does
// not know the file, so that nothing interrupts the read.
func TestCloseWaitsForRead(t *testing.T) {
	const closer = "goroutine 217 [semacquire, 318 minutes]:\n" +
		"internal/poll.runtime_Semacquire(0xc000b3a328?)\n\t/go/sema.go:76 +0x2c\n" +
		"internal/poll.(*FD).Close(0xc000b3a300)\n\t/go/fd_unix.go:118 +0x70\n" +
		"os.(*file).close(0xc000b3a300)\n\t/go/file_unix.go:37 +0x38\n" +
		"app.(*port).stop(0xc0008e0908)\n\t/src/port.go:50 +0x4a8\n" +
		"created by app.run in goroutine 1\n\t/src/run.go:24 +0x184\n\n"
	const reader = "goroutine 251 [syscall, 318 minutes]:\n" +
		"syscall.Syscall(0x3f, 0xb, 0xc000e0a000, 0x8000)\n\t/go/sys.go:74 +0x20\n" +
		"syscall.read(0xc000b3a300?)\n\t/go/zsys.go:736 +0x40\n" +
		"internal/poll.(*FD).Read(0xc000b3a300, {0xc000e0a000, 0x8000, 0x8000})\n" +
		"\t/go/fd_unix.go:161 +0x224\n" +
		"app.(*lines).next(0xc0009d28c0)\n\t/src/lines.go:53 +0x78\n" +
		"created by app.open in goroutine 1\n\t/src/open.go:41 +0x1b7\n\n"
	r := judged(t, closer+reader)
	_, f := findingOf(r, "app.(*port).stop")
	require.NotNil(t, f)
	assert.Equal(t, ReceiverPresent, f.Receiver)
	assert.Contains(t, r.Root, "goroutine 251: it holds (*FD) 0xc000b3a300")

	r = judged(t, closer+strings.ReplaceAll(reader, "b3a300", "b3a400"))
	_, f = findingOf(r, "app.(*port).stop")
	require.NotNil(t, f)
	assert.NotEqual(t, ReceiverPresent, f.Receiver, "of another file")
}
