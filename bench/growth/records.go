package growth

import (
	"time"

	"example.com/chanx/bench/figure"
)

func byRecord() []series {
	return []series{
		{"asynclog.Write", "bytes of a record",
			[]int{16, 64, 256, 1024, 4096, 16_384, 65_536}, 5, linear,
			figure.Time,
			func(size int, d time.Duration) (float64, error) {
				return writing(1, size, d)
			}},
	}
}
