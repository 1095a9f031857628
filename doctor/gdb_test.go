package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const gdbText = `(gdb) goroutine 79 bt
#0  runtime.gopark (unlockf={void (struct runtime.g *)} 0xc42186a9d8, lock=0x0, reason="semacquire") at /go/src/runtime/proc.go:275
#1  0x000000000043de91 in runtime.semacquire (addr=0xc4204d1f1c, profile=3)
    at /go/src/runtime/sema.go:130
#2  0x000000000045dd6d in sync.(*Mutex).Lock (m=0xc4204d1f18) at /go/src/sync/mutex.go:87
---Type <return> to continue, or q <return> to quit---
#3  0x00000000014c976f in app.(*Server).dispatch (s=0xc4204d1f00, p= []uint8 = {...}, x=0xc420000000) at
    /src/app/server.go:168
#4  0x0000000000457991 in runtime.goexit () at /go/src/runtime/asm_amd64.s:2197
#5  0x000000c42019cf40 in ?? ()
`

func TestGdbStack(t *testing.T) {
	p := parseOne(t, "It hangs:\n"+gdbText+"\n"+
		strings.ReplaceAll(gdbText, "79", "81")+"(gdb)\nas you see\n")
	assert.Equal(t, 2, p.Goroutines)
	assert.Zero(t, p.Unreadable)
	require.Len(t, p.Stacks, 1)
	s := p.Stacks[0]
	assert.Equal(t, Mutex, operationOf(s))
	assert.Equal(t, Frame{Func: "app.(*Server).dispatch",
		File: "/src/app/server.go", Line: 168}, siteOf(s))
	assert.Equal(t, uint64(79), s.members.member(0).ID)
	assert.Equal(t, uint64(0xc4204d1f00), s.args(0, nil)[3].receiver())
	assert.Equal(t, 1, s.args(0, nil)[3].n, "a slice has three words")
}

// Without the command, only a parked goroutine is known from a thread; a
// later stack of the same goroutine is a later look.
func TestGdbBegins(t *testing.T) {
	_, stack, _ := strings.Cut(gdbText, "\n")
	assert.Equal(t, 1, parseOne(t, stack).Goroutines)
	_, err := Parse(strings.NewReader(strings.Replace(stack, "runtime.gopark",
		"runtime.futex", 1)), "t")
	assert.ErrorIs(t, err, ErrNoDump)
	snaps, err := Parse(strings.NewReader(gdbText+gdbText), "t")
	require.NoError(t, err)
	assert.Len(t, snaps, 2)
}
