package chanx

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

// A receiver that took the token, and leaves values behind, wakes the next one.
// Two values under one token need an unlucky moment: both sent while the token
// lies there, between one receiver's look and its wait. So they are put into
// the ring by hand.
func TestRingTokenIsPassedOn(t *testing.T) {
	for name, take := range map[string]func(r *Ring[int]){
		"receive": func(r *Ring[int]) { _, _ = r.receive(true) },
		"take":    func(r *Ring[int]) { _, _ = r.take(make([]int, 1)) },
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			r := NewRing[int](2)
			got := make(chan error)
			go func() {
				_, err := r.Recv(ctx)
				got <- err
			}()
			synctest.Wait()
			r.buf[r.push()] = 1
			r.buf[r.push()] = 2
			take(r)
			assert.NoError(t, <-got, name)
		})
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
