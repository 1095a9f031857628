package asynclog

import (
	"context"
	"io"
	"log/slog"
	"slices"
)

// Handler is a slog.Handler that writes through a [Writer] and passes on the
// level of each record, so that the reserve, the counts by level and
// Options.SyncLevel work. See [NewHandler].
type Handler struct {
	// A lane is a range of levels that a Writer treats alike, with its own
	// handler. The handlers differ only in the io.Writer they were made with,
	// the only thing that a handler lets one choose; passing the level in any
	// other way would take a lock around the formatting, or a goroutine-local
	// variable.
	lanes []slog.Handler
	from  []slog.Level // where lanes[1:] begin
}

// NewHandler returns a Handler that formats with the handlers that newHandler
// makes. These must issue one Write for each record, as slog's own do:
//
//	h := asynclog.NewHandler(w, func(out io.Writer) slog.Handler {
//		return slog.NewJSONHandler(out, nil)
//	})
//
// newHandler is called up to six times before NewHandler returns, and WithAttrs
// and WithGroup are called on each of the results; so these cost more than
// without a Handler. Handle costs the same. An error of Handle is that of
// [Writer.Write]. A nil w or newHandler, or one that returns nil, panics.
func NewHandler(w *Writer, newHandler func(io.Writer) slog.Handler) *Handler {
	if w == nil || newHandler == nil {
		panic("asynclog: nil Writer or constructor of a handler")
	}
	h := &Handler{from: w.thresholds()}
	for lane := range len(h.from) + 1 {
		level := h.from[max(lane, 1)-1]
		if lane == 0 {
			level--
		}
		inner := newHandler(&leveled{w, w.severity(level)})
		if inner == nil {
			panic("asynclog: the constructor returned a nil handler")
		}
		h.lanes = append(h.lanes, inner)
	}
	return h
}

// thresholds returns the levels at which a severity changes, in order.
func (w *Writer) thresholds() []slog.Level {
	from := []slog.Level{slog.LevelInfo, slog.LevelWarn, slog.LevelError,
		w.opts.ReserveLevel.Level()}
	if w.opts.SyncLevel != nil {
		from = append(from, w.opts.SyncLevel.Level())
	}
	slices.Sort(from)
	return slices.Compact(from)
}

// leveled is the io.Writer for the records of one lane.
type leveled struct {
	w        *Writer
	severity severity
}

func (l *leveled) Write(p []byte) (int, error) {
	return l.w.write(p, l.severity)
}

func (h *Handler) lane(l slog.Level) slog.Handler {
	lane := 0
	for lane < len(h.from) && l >= h.from[lane] {
		lane++
	}
	return h.lanes[lane]
}

// Enabled asks the handler that would get the record.
func (h *Handler) Enabled(ctx context.Context, l slog.Level) bool {
	return h.lane(l).Enabled(ctx, l)
}

// Handle formats r on the caller's goroutine, as the handler does it. It waits
// only where [Writer.Write] does.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	return h.lane(r.Level).Handle(ctx, r)
}

// WithAttrs returns a Handler that adds attrs to each record. It resolves each
// slog.LogValuer among them once, also inside groups, so that all levels show
// the same value. Other methods of values, such as MarshalJSON or String, and
// a ReplaceAttr are called by each of the handlers: up to six times.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	attrs = resolved(attrs)
	return h.each(func(inner slog.Handler) slog.Handler {
		// A slice for each: a handler may keep and change it.
		return inner.WithAttrs(slices.Clone(attrs))
	})
}

// resolved returns a copy of attrs without any LogValuer.
func resolved(attrs []slog.Attr) []slog.Attr {
	attrs = slices.Clone(attrs)
	for i := range attrs {
		v := attrs[i].Value.Resolve()
		if v.Kind() == slog.KindGroup {
			v = slog.GroupValue(resolved(v.Group())...)
		}
		attrs[i].Value = v
	}
	return attrs
}

// WithGroup returns a Handler that puts the attributes that follow into a
// group. An empty name returns the receiver.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.each(func(inner slog.Handler) slog.Handler {
		return inner.WithGroup(name)
	})
}

func (h *Handler) each(f func(slog.Handler) slog.Handler) *Handler {
	g := &Handler{from: h.from, lanes: make([]slog.Handler, len(h.lanes))}
	for lane, inner := range h.lanes {
		g.lanes[lane] = f(inner)
	}
	return g
}
