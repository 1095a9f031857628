package chanx

import (
	"context"
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
