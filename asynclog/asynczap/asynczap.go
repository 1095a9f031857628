// Package asynczap connects zap to an asynclog.Writer.
//
// It is a separate module, so that asynclog does not depend on zap.
package asynczap

import (
	"log/slog"

	"go.uber.org/zap/zapcore"

	"example.com/chanx/asynclog"
)

// NewCore returns a zapcore.Core that encodes with enc and writes to w. Unlike
// zapcore.NewCore with w it passes on the level of each entry, so that the
// reserve, the counts by level and SyncLevel of asynclog.Options work.
//
// Entries above zapcore.ErrorLevel are followed by w.Sync, as zap's own core
// does it, so that the last line of Fatal and Panic is written before the
// process ends. A nil argument panics.
func NewCore(enc zapcore.Encoder, w *asynclog.Writer,
	enab zapcore.LevelEnabler) zapcore.Core {
	if enc == nil || w == nil || enab == nil {
		panic("asynczap: nil argument of NewCore")
	}
	return &core{enab, enc, w}
}

type core struct {
	zapcore.LevelEnabler
	enc zapcore.Encoder
	w   *asynclog.Writer
}

// Level returns the lowest level enabled, for zapcore.LevelOf.
func (c *core) Level() zapcore.Level { return zapcore.LevelOf(c.LevelEnabler) }

func (c *core) With(fields []zapcore.Field) zapcore.Core {
	enc := c.enc.Clone()
	for _, f := range fields {
		f.AddTo(enc)
	}
	return &core{c.LevelEnabler, enc, c.w}
}

func (c *core) Check(e zapcore.Entry,
	ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

func (c *core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	buf, err := c.enc.EncodeEntry(e, fields)
	if err != nil {
		return err
	}
	defer buf.Free()
	if _, err := c.w.WriteLeveled(Level(e.Level), buf.Bytes()); err != nil {
		return err
	}
	if e.Level > zapcore.ErrorLevel {
		_ = c.Sync() // as zap: a full disk is no reason not to exit
	}
	return nil
}

func (c *core) Sync() error { return c.w.Sync() }

// Level returns the slog.Level for a level of zap: the four named alike are
// equal, and each level above Error is 4 more, so that Fatal is 20.
func Level(l zapcore.Level) slog.Level { return slog.Level(4 * int(l)) }
