package growth

import "time"

func byRecord() []series {
	return []series{
		timed("asynclog.Write", "bytes of a record",
			[]int{16, 64, 256, 1024, 4096, 16_384, 65_536}, 5, linear,
			func(size int, d time.Duration) (float64, error) {
				return writing(1, size, d)
			}),
	}
}
