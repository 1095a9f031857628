package asynclog

import (
	"io"
	"time"

	"example.com/chanx/asynclog"
)

var (
	ours       = chanx("asynclog", asynclog.Options{})
	oursNewest = chanx("asynclog, DropNewest", asynclog.Options{
		Full: asynclog.DropNewest,
	})
	oursWait = chanx("asynclog, Wait", asynclog.Options{
		Full: asynclog.Wait, MaxWait: time.Minute,
	})
)

func chanx(name string, opts asynclog.Options) peer {
	return peer{name: name, open: func(s sink) (io.Writer, func() float64) {
		w := asynclog.New(s, opts)
		return w, func() float64 {
			if err := w.Close(); err != nil {
				return untold // the sink did not take it in time
			}
			return float64(w.Stats().Dropped.Records)
		}
	}}
}
