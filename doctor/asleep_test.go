package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// To accept connections is in order, but not if the runtime says that no goroutine
// can go on and there is no other one.
func TestAsleep(t *testing.T) {
	const banner = "fatal error: all goroutines are asleep - deadlock!\n\n"
	const accepts = "goroutine 1 [%]:\n" +
		"sync.runtime_Syncsemacquire(0x10626430, 0x1)\n\t/go/sema.goc:257 +0x120\n" +
		"sync.(*Cond).Wait(0x10626428, 0x10626420)\n\t/go/cond.go:62 +0x100\n" +
		"net.(*netFD).accept(0x10652240)\n\t/go/fd_unix.go:406 +0x340\n" +
		"net.(*TCPListener).Accept(0x1060e2c8)\n\t/go/tcpsock.go:234 +0x80\n" +
		"main.main()\n\t/src/main.go:22 +0xa0\n\n"
	const other = "goroutine 7 [chan receive]:\nmain.work()\n\t/src/main.go:9 +0x1\n" +
		"created by main.main\n\t/src/main.go:20 +0x1\n\n"
	for _, state := range []string{"semacquire", "sync.Cond.Wait", "select"} {
		dump := strings.Replace(accepts, "%", state, 1)
		r := Diagnose(Rules{}, parseOne(t, banner+dump))
		require.Len(t, r.Findings, 1, state)
		assert.Equal(t, "main.main", r.Findings[0].Function)
		assert.Equal(t, Critical, r.Findings[0].Severity)
		assert.Contains(t, r.Root, "goroutine 1 ")

		assert.Empty(t, Diagnose(Rules{}, parseOne(t, dump)).Findings, state)
		r = Diagnose(Rules{}, parseOne(t, banner+dump+other))
		require.Len(t, r.Findings, 1, state)
		assert.Equal(t, "main.work", r.Findings[0].Function)
	}
}
