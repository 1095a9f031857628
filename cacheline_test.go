package chanx

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

// Objects that goroutines write to millions of times a second fill whole cache
// lines, so that two made one after the other share none.
func TestHotObjectsShareNoLine(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) == 4 {
		t.Skip("the padding is for 64 bits")
	}
	for name, size := range map[string]uintptr{
		"Ring":         unsafe.Sizeof(Ring[int]{}),
		"Broadcast":    unsafe.Sizeof(Broadcast[int]{}),
		"Subscription": unsafe.Sizeof(Subscription[int]{}),
		"pulse":        unsafe.Sizeof(pulse{}),
		"workerRun":    unsafe.Sizeof(workerRun{}),
	} {
		assert.Zero(t, size%64, "%s has %d bytes", name, size)
	}
}

// Neighbors in memory share no cache line: neither the slots of small rings,
// whatever their number, nor those of rings of values of no size, which have
// none.
func TestRingSlotsShareNoLine(t *testing.T) {
	for _, capacity := range []int{1, 3, 7, 8, 63, 64, 1024} {
		owner := make(map[uintptr]int)
		for i := range 100 {
			buf := makeSlots[int32](capacity, "ring")
			first := uintptr(unsafe.Pointer(unsafe.SliceData(buf))) / 64
			last := uintptr(unsafe.Pointer(&buf[capacity-1])) / 64
			for line := first; line <= last; line++ {
				other, taken := owner[line]
				assert.False(t, taken && other != i, "capacity %d", capacity)
				owner[line] = i
			}
			defer func() { _ = buf[0] }() // keeps it where it is
		}
	}
	assert.Len(t, makeSlots[struct{}](3, "ring"), 3)
}
