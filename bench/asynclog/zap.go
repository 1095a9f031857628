package asynclog

import (
	"io"

	"go.uber.org/zap/zapcore"
)

var zap = peer{
	name: "zap buffered", full: waits,
	open: func(s sink) (io.Writer, func() float64) {
		w := &zapcore.BufferedWriteSyncer{
			WS: zapcore.AddSync(s), Size: bufferSize,
		}
		return w, func() float64 {
			_ = w.Stop()
			return untold
		}
	},
}
