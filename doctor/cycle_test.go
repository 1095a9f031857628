package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Three goroutines that wait for each other are one finding, and the others are
// behind them.
func TestGraphCycleOfThree(t *testing.T) {
	const a, b, c = 0xc000100000, 0xc000200000, 0xc000300000
	inside := func(typ string, object uint64) string {
		return fmt.Sprintf("app.(*%s).Do(%#x)", typ, object)
	}
	r := judged(t, locker(20, 9, "A", a, inside("C", c))+
		locker(21, 9, "B", b, inside("A", a))+
		locker(22, 9, "C", c, inside("B", b))+
		locker(23, 8, "A", a)+locker(24, 8, "B", b))
	var critical []Finding
	for _, f := range r.Findings {
		if f.Severity == Critical {
			critical = append(critical, f)
		}
	}
	require.Len(t, critical, 1)
	assert.Contains(t, r.Root, "deadlock: goroutines 20 and 21 and 22 wait for each "+
		"other (20 ↔ 21 ↔ 22): 20 waits for (*A) 0xc000100000, which 21 holds")
	assert.Contains(t, r.Root, "2 behind them")
	require.NotEmpty(t, r.Waits)
	assert.True(t, r.Waits[0].Cycle)
	assert.Equal(t, 2, r.Waits[0].Behind)
}

// Two locks of one object may be taken in either order.
func TestGraphTwoLocksOfOneObject(t *testing.T) {
	const object = 0xc000100000
	second := strings.Replace(locker(21, 9, "A", object), "lockSlow(0xc000100010)",
		"lockSlow(0xc000100020)", 1)
	r := judged(t, locker(20, 9, "A", object)+strings.Replace(second, "Get", "Set",
		1))
	assert.Contains(t, r.Root, "most likely a deadlock: goroutines 20 and 21 wait "+
		"for each other (20 ↔ 21): 20 waits for (*A) 0xc000100000, which 21 may hold")
	require.NotEmpty(t, r.Findings)
	for _, f := range r.Findings {
		assert.Equal(t, ReceiverPresent, f.Receiver, f.Sentence)
		// Either may have come to its lock without the other one.
		assert.Equal(t, ConfidenceMedium, f.Confidence, f.Sentence)
		assert.Equal(t, ConfidenceMedium, f.ReceiverConfidence, f.Sentence)
	}
}

// The receiver of the method that locks is often doubtful, because nothing
// needs it after the lock. A lock at the beginning of its object tells it.
func TestGraphCycleDoubtful(t *testing.T) {
	const a, b = 0xc000100000, 0xc000100010 // so close that a lock may be in either
	waiting := func(id int, typ string, lock uint64, below string) string {
		return fmt.Sprintf("goroutine %d [sync.Mutex.Lock, 13 minutes]:\n"+
			"internal/sync.(*Mutex).lockSlow(%#x)\n\t/go/mutex.go:1 +0x1\n"+
			"sync.(*Mutex).Lock(...)\n\t/go/mutex.go:2\n"+
			"app.(*%s).use(0xbebc200?)\n\t/app/%s.go:7 +0x1\n%s"+
			"created by app.Start in goroutine 1\n\t/app/app.go:5 +0x1\n\n",
			id, lock, typ, typ, below)
	}
	both := func(typ string, object uint64) string {
		return fmt.Sprintf("app.(*%s).both(%#x)\n\t/app/%s.go:9 +0x1\n", typ, object,
			typ)
	}
	dump := waiting(5, "B", b, both("A", a)) + waiting(6, "A", a, both("B", b))
	for i := range 20 {
		dump += waiting(30+i, "A", a, "") + waiting(60+i, "B", b, "")
	}
	r := judged(t, dump)
	assert.Contains(t, r.Root, "deadlock: goroutines")
	assert.Contains(t, r.Root, "5 waits for (*B) 0xc000100010, which 6 holds")
	assert.Contains(t, r.Root, "6 waits for (*A) 0xc000100000, which 5 holds")
	assert.Contains(t, r.Root, "40 behind them")
}

// A cycle that is known by names only is no proof.
func TestGraphNamesProveNoDeadlock(t *testing.T) {
	r := Diagnose(Rules{}, process(
		standing(20, "chan send", "app.(*W).Put", inRequest),
		standing(1, "sync.Mutex.Lock", "sync.(*Mutex).Lock", "app.(*W).take",
			"app.(*W).run")))
	assert.NotContains(t, r.Root, "deadlock")
}
