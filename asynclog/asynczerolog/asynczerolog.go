// Package asynczerolog connects zerolog to an asynclog.Writer.
//
// It is a separate module, so that asynclog does not depend on zerolog.
package asynczerolog

import (
	"log/slog"

	"github.com/rs/zerolog"

	"example.com/chanx/asynclog"
)

// Writer is a zerolog.LevelWriter. Unlike an asynclog.Writer alone it passes on
// the level of each event, so that the reserve, the counts by level and SyncLevel
// of asynclog.Options work:
//
//	logger := zerolog.New(asynczerolog.Writer{w})
//
// It has the methods of the asynclog.Writer as well. zerolog calls Close before
// Fatal ends the process, which writes all records that were accepted.
type Writer struct{ *asynclog.Writer }

var _ zerolog.LevelWriter = Writer{}

// WriteLevel is the WriteLeveled of the asynclog.Writer. A record without a
// level, from Log or WithLevel(NoLevel), is written without one.
func (w Writer) WriteLevel(l zerolog.Level, p []byte) (int, error) {
	if l == zerolog.NoLevel {
		return w.Write(p)
	}
	return w.WriteLeveled(Level(l), p)
}

// Level returns the slog.Level for a level of zerolog: those named alike are
// equal, Trace is -8, Fatal 12 and Panic 16.
func Level(l zerolog.Level) slog.Level {
	return slog.Level(4 * (int(l) - int(zerolog.InfoLevel)))
}
