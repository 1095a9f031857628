package chanx

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

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

// Positions do not overflow, which takes more than half as many values as an
// int can count: values of no size, or bytes where an int has 32 bits.
func TestRingPositionsDoNotOverflow(t *testing.T) {
	const most = math.MaxInt
	for _, head := range []int{0, 1, most/2 + 2, most - 1} {
		r := NewRing[struct{}](most)
		r.head, r.n, r.sent = head, most/2+2, most/2+2
		assert.True(t, r.Send(struct{}{}))
		assert.NoError(t, r.TrySend(struct{}{}))
		_, err := r.TryRecv()
		assert.NoError(t, err)
		dst := make([]struct{}, most)
		n, err := r.RecvBatch(t.Context(), dst)
		assert.NoError(t, err)
		assert.Equal(t, most/2+3, n)
		assert.Zero(t, r.Len())
		assert.True(t, r.Send(struct{}{}))
		_, err = r.TryRecv()
		assert.NoError(t, err)

		r.n, r.sent = most, 2*most
		r.Send(struct{}{})
		assert.EqualValues(t, 1, r.Stats().Dropped)
	}
}
