package asynclog

import "log/slog"

// class is the part of a record's level that the buffer keeps. Four classes and
// not the level itself: counts by level must fit in fixed memory.
type class uint8

const (
	classUnknown class = iota
	classDebug
	classInfo
	classWarn
	classError
	classes
	classSkip class = 7 // no record; see mark
)

func classOf(l slog.Level) class {
	switch {
	case l < slog.LevelInfo:
		return classDebug
	case l < slog.LevelWarn:
		return classInfo
	case l < slog.LevelError:
		return classWarn
	}
	return classError
}

// Levels counts records by level, as far as the level was known: a record has
// one if it came through a [Handler] or [Writer.WriteLeveled]. Levels between
// the four named ones count as the next lower, those below Debug as Debug.
type Levels struct {
	Debug, Info, Warn, Error, Unknown uint64
}

// tally is Levels while it is being counted.
type tally [classes]uint64

func (t *tally) levels() Levels {
	return Levels{
		Debug:   t[classDebug],
		Info:    t[classInfo],
		Warn:    t[classWarn],
		Error:   t[classError],
		Unknown: t[classUnknown],
	}
}

// severity is what a level means to a Writer; the zero value is that of a
// record without one.
type severity struct {
	class  class
	urgent mark // the bit of a mark: the reserve is for this record
	sync   bool // see Options.SyncLevel
}

func (w *Writer) severity(l slog.Level) severity {
	s := severity{class: classOf(l)}
	if l >= w.opts.ReserveLevel.Level() {
		s.urgent = urgent
	}
	s.sync = w.opts.SyncLevel != nil && l >= w.opts.SyncLevel.Level()
	return s
}
