package asynclog

import (
	"io"

	"gopkg.in/natefinch/lumberjack.v2"
)

// Lumberjack starts a goroutine that never ends, one for each Logger.
var lumber = peer{
	name: "lumberjack", full: waits, opensFile: true,
	open: func(s sink) (io.Writer, func() float64) {
		w := &lumberjack.Logger{
			Filename: s.path, MaxSize: fileSize >> 20, MaxBackups: 1,
		}
		return w, func() float64 {
			_ = w.Close()
			return untold
		}
	},
}
