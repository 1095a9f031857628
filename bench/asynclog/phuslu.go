package asynclog

import (
	"io"
	"sync/atomic"

	"github.com/phuslu/log"
)

var (
	phusluWait = phuslu("phuslu async", waits)
	phusluDrop = phuslu("phuslu async, DiscardOnFull", dropsNewest)
)

// phuslu keeps the slice it is given instead of copying it, as its own logger
// hands over its buffer. The adapter does not copy either: the floods write the
// same bytes again and again, so that it pays for nothing it would not pay for
// in its own house. The check of the law does not, and shows it.
func phuslu(name, full string) peer {
	open := func(s sink) (io.Writer, func() float64) {
		w := &telling{to: &log.AsyncWriter{
			Writer:      log.IOWriter{Writer: s},
			ChannelSize: slots, DiscardOnFull: full == dropsNewest,
		}}
		return w, func() float64 {
			_ = w.to.Close()
			return float64(w.refused.Load())
		}
	}
	return peer{name: name, full: full, open: open}
}

// telling counts the errors that the callers got.
type telling struct {
	to      *log.AsyncWriter
	refused atomic.Int64
}

func (t *telling) Write(p []byte) (int, error) {
	n, err := t.to.Write(p)
	if err != nil {
		t.refused.Add(1)
	}
	return n, err
}
