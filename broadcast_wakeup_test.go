package chanx

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A subscription that receives a value before the sender of that value, which
// wakes after its unlock, comes to tell it, is told of the next value all the
// same. The sender is delayed by hand: its store is made here, its wake later.
func TestBroadcastTellsTheOvertaken(t *testing.T) {
	b := NewBroadcast[int](2)
	s := b.Subscribe(0)
	ready := s.Ready()
	b.buf[0], b.next, b.n, b.sent = 1, 1, 1, 1
	v, _, err := s.TryRecv()
	assert.NoError(t, err)
	assert.Equal(t, 1, v)
	b.wake(1)
	for len(ready) > 0 {
		<-ready
	}
	b.Send(2)
	assert.Len(t, ready, 1)
}
