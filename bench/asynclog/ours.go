package asynclog

import (
	"io"
	"time"

	"example.com/chanx/asynclog"
)

var (
	ours       = chanx("asynclog", dropsOldest, asynclog.Options{})
	oursNewest = chanx("asynclog, DropNewest", dropsNewest, asynclog.Options{
		Full: asynclog.DropNewest,
	})
	oursWait = chanx("asynclog, Wait", waits, asynclog.Options{
		Full: asynclog.Wait, MaxWait: time.Minute,
	})
)

func chanx(name, full string, opts asynclog.Options) peer {
	open := func(s sink) (io.Writer, func() float64) {
		w := asynclog.New(s, opts)
		return w, func() float64 {
			if err := w.Close(); err != nil {
				return untold // the sink did not take it in time
			}
			return float64(w.Stats().Dropped.Records)
		}
	}
	return peer{name: name, full: full, open: open}
}
