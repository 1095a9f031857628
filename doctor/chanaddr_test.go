package doctor

import (
	"bytes"
	"fmt"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// record is a record of a profile with debug=1 whose innermost calls have no
// names.
func record(n int, function string, pcs ...uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d @", n)
	for _, pc := range append(pcs, 0x6d2f15) {
		fmt.Fprintf(&b, " %#x", pc)
	}
	fmt.Fprintf(&b, "\n#\t0x6d2f14\t%s+0x54\t/src/app/queue.go:31\n\n", function)
	return b.String()
}

func operationsOf(t *testing.T, records ...string) map[string]Operation {
	t.Helper()
	snaps, err := Parse(strings.NewReader(strings.Join(records, "")), "p")
	require.NoError(t, err)
	require.Len(t, snaps, 1)
	ops := make(map[string]Operation)
	for _, s := range newScene(Rules{}.withDefaults(), snaps[0]).sites {
		ops[short(s.at.Func)] = s.op
	}
	return ops
}

func TestChanAddrOfEachRelease(t *testing.T) {
	for _, c := range []struct {
		release    string
		send, recv []uint64
	}{
		{"1.26 amd64", []uint64{0x47f20e, 0x41491c, 0x414517},
			[]uint64{0x47f20e, 0x41590e, 0x415432}},
		{"1.20 amd64", []uint64{0x43bdb6, 0x405f05, 0x405b1d},
			[]uint64{0x43bdb6, 0x406f9d, 0x406ad8}},
		{"1.12 amd64", []uint64{0x42d6ec, 0x42d7de, 0x403f44, 0x403c35},
			[]uint64{0x42d6ec, 0x42d7de, 0x404ad4, 0x40477b}},
		{"1.18 386", []uint64{0xc3a48f, 0xc04a40, 0xc04734},
			[]uint64{0xc3a48f, 0xc05870, 0xc0549c}},
		{"1.22 arm64", []uint64{0x1042cd000, 0x1042ccc40, 0x1042cc878},
			[]uint64{0x1042cd000, 0x1042cd724, 0x1042cd314}},
	} {
		t.Run(c.release, func(t *testing.T) {
			assert.Equal(t, map[string]Operation{"a.Put": ChanSend, "a.Get": ChanReceive},
				operationsOf(t, record(7, "a.Put", c.send...), record(5, "a.Get", c.recv...)))
		})
	}
}

func TestChanAddrOfThisRelease(t *testing.T) {
	c, d := make(chan int), make(chan int)
	go chanAddrSend(c)
	go chanAddrReceive(d)
	defer func() { <-c; d <- 1 }()
	var b bytes.Buffer
	require.Eventually(t, func() bool {
		b.Reset()
		pprof.Lookup("goroutine").WriteTo(&b, 1)
		ops := operationsOf(t, b.String())
		return ops["doctor.chanAddrSend"] == ChanSend &&
			ops["doctor.chanAddrReceive"] == ChanReceive
	}, time.Minute, time.Millisecond, "%s", &b)
}

//go:noinline
func chanAddrSend(c chan int) { c <- 1 }

//go:noinline
func chanAddrReceive(c chan int) { <-c }

func TestChanAddrDoubtful(t *testing.T) {
	send := record(7, "a.Put", 0x47f20e, 0x41491c, 0x414517)
	for name, other := range map[string]string{
		"unknown digit":   record(5, "a.Get", 0x47f20e, 0x41590e, 0x415433),
		"too near":        record(5, "a.Get", 0x47f20e, 0x415452, 0x415432),
		"too far":         record(5, "a.Get", 0x47f20e, 0x41690e, 0x415432),
		"before the send": record(5, "a.Get", 0x47f20e, 0x41390e, 0x413432),
		"two bodies":      record(5, "a.Get", 0x47f20e, 0x41692c, 0x416517),
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, map[string]Operation{"a.Put": ChanAny, "a.Get": ChanAny},
				operationsOf(t, send, other))
		})
	}
}

func TestChanAddrSelectOfOldGo(t *testing.T) {
	assert.Equal(t, map[string]Operation{"a.Run": Select, "a.Get": ChanReceive},
		operationsOf(t, record(5, "a.Run", 0x42d6ec, 0x43d7de, 0x43cad4),
			record(5, "a.Get", 0x42d6ec, 0x42d7de, 0x404ad4, 0x40477b)))
}
