package growth

import (
	"time"

	"example.com/chanx"
)

func byCapacity() []series {
	at := []int{1, 8, 64, 512, 4096, 65_536}
	return []series{
		timed("Ring.Send, ring full", "capacity", at, 4, flat,
			func(capacity int, d time.Duration) (float64, error) {
				r := chanx.NewRing[int](capacity)
				for i := range capacity {
					r.Send(i)
				}
				return perOperation(1, batch, d, func() {
					for i := range batch {
						r.Send(i)
					}
				}), nil
			}),
		timed("Ring.Send + TryRecv, ring half full", "capacity", at, 4, flat,
			func(capacity int, d time.Duration) (float64, error) {
				r := chanx.NewRing[int](capacity)
				for i := range capacity / 2 {
					r.Send(i)
				}
				return perOperation(1, batch, d, func() {
					for i := range batch {
						r.Send(i)
						_, _ = r.TryRecv()
					}
				}), nil
			}),
		timed("SendDropOldest, channel full", "capacity", at, 4, flat,
			func(capacity int, d time.Duration) (float64, error) {
				ch := make(chan int, capacity)
				for i := range capacity {
					ch <- i
				}
				return perOperation(1, batch, d, func() {
					for i := range batch {
						chanx.SendDropOldest(ch, i)
					}
				}), nil
			}),
	}
}
