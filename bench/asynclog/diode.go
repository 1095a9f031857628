package asynclog

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog/diode"
)

// The poll interval is that of zerolog's documentation. Without one, wake-ups
// get lost.
var diodes = peer{
	name: "zerolog diode", full: dropsOldest,
	open: func(s sink) (io.Writer, func() float64) {
		var told atomic.Int64
		// A sink that can be closed would be closed by the diode.
		w := diode.NewWriter(struct{ io.Writer }{s}, slots,
			10*time.Millisecond, func(missed int) { told.Add(int64(missed)) })
		return w, func() float64 {
			_ = w.Close()
			return float64(told.Load())
		}
	},
}
