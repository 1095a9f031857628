package asynclog

import (
	"context"
	"io"
	"log/slog"
)

// Handler is a slog.Handler that writes through a [Writer] and tells it the
// level of each record, so that the reserve and the counts by level work. See
// [NewHandler].
type Handler struct {
	// One handler for each way to mark a record. They are equal but for the
	// io.Writer they were made with, which is all a handler lets one choose;
	// passing the level by any other way would take a lock around the
	// formatting, or a goroutine-local variable.
	inner [lanes]slog.Handler
	w     *Writer
}

// lanes is every class, ordinary or urgent.
const lanes = 2 * int(classes)

// NewHandler returns a Handler that formats with the handlers newHandler
// makes. These must issue one Write for each record, as slog's own do:
//
//	h := asynclog.NewHandler(w, func(out io.Writer) slog.Handler {
//		return slog.NewJSONHandler(out, nil)
//	})
//
// newHandler is called several times, before NewHandler returns, and
// WithAttrs and WithGroup are called on each of the results; that is what they
// cost more than without. Handle costs the same. An error of Handle is that of
// [Writer.Write]. A nil w or newHandler, or one that returns nil, panics.
func NewHandler(w *Writer, newHandler func(io.Writer) slog.Handler) *Handler {
	if w == nil || newHandler == nil {
		panic("asynclog: nil Writer or constructor of a handler")
	}
	h := &Handler{w: w}
	return h.each(func(lane int) slog.Handler {
		if !h.used(lane) {
			return nil
		}
		inner := newHandler(&marked{w, class(lane / 2), mark(lane%2) * urgent})
		if inner == nil {
			panic("asynclog: the constructor returned a nil handler")
		}
		return inner
	})
}

// marked is the io.Writer for the records of one lane.
type marked struct {
	w      *Writer
	class  class
	urgent mark
}

func (m *marked) Write(p []byte) (int, error) {
	return m.w.write(p, m.class, m.urgent)
}

func (h *Handler) lane(l slog.Level) int {
	lane := 2 * int(classOf(l))
	if h.w.urgency(l) != 0 {
		lane++
	}
	return lane
}

// used reports whether there is a level for the lane: five of ten at most.
func (h *Handler) used(lane int) bool {
	c, u := class(lane/2), lane%2 == 1
	if c == classUnknown {
		return false
	}
	low := slog.LevelDebug + 4*slog.Level(c-classDebug)
	reserve := h.w.opts.ReserveLevel.Level()
	if u { // some level of the class is at or above the reserve's
		return c == classError || reserve < low+4
	}
	return c == classDebug || reserve > low
}

// Enabled asks the handler that would get the record.
func (h *Handler) Enabled(ctx context.Context, l slog.Level) bool {
	return h.inner[h.lane(l)].Enabled(ctx, l)
}

// Handle formats r on the caller's goroutine, as the handler does it, and
// never waits for the sink.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	return h.inner[h.lane(r.Level)].Handle(ctx, r)
}

// WithAttrs returns a Handler that adds attrs to each record.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	// Each handler gets a slice of its own, as it may keep and change it.
	return h.each(func(lane int) slog.Handler {
		if h.inner[lane] == nil {
			return nil
		}
		return h.inner[lane].WithAttrs(append([]slog.Attr(nil), attrs...))
	})
}

// WithGroup returns a Handler that puts what follows into a group.
func (h *Handler) WithGroup(name string) slog.Handler {
	return h.each(func(lane int) slog.Handler {
		if h.inner[lane] == nil {
			return nil
		}
		return h.inner[lane].WithGroup(name)
	})
}

func (h *Handler) each(f func(lane int) slog.Handler) *Handler {
	g := &Handler{w: h.w}
	for lane := range g.inner {
		g.inner[lane] = f(lane)
	}
	return g
}
