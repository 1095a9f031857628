package growth

import (
	"io"
	"time"

	"example.com/chanx"
	"example.com/chanx/asynclog"
)

const batch = 256

func byProducers() []series {
	at := []int{1, 2, 8, 64, 1024}
	return []series{
		timed("TrySend, channel full", "producers", at, 3, flat,
			func(producers int, d time.Duration) (float64, error) {
				ch := make(chan int, 1)
				ch <- 0
				return perOperation(producers, batch, d, func() {
					for i := range batch {
						chanx.TrySend(ch, i)
					}
				}), nil
			}),
		timed("asynclog.Write of 190 bytes", "producers", at, 3, flat,
			func(producers int, d time.Duration) (float64, error) {
				return writing(producers, 190, d)
			}),
	}
}

// writing writes records to a sink that costs nothing.
func writing(producers, size int, d time.Duration) (float64, error) {
	w := asynclog.New(io.Discard, asynclog.Options{})
	record := make([]byte, size)
	record[size-1] = '\n'
	cost := perOperation(producers, batch, d, func() {
		for range batch {
			_, _ = w.Write(record)
		}
	})
	return cost, w.Close()
}
