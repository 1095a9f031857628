package asynclog

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// reportMessage is the message of a report in every form.
const reportMessage = "log records lost"

// ReportJSON renders a loss as slog's JSON handler would, at level WARN, with
// the attributes records, bytes, since and, where known, levels; and too_large,
// a number of records, if some were refused as too large:
//
//	{"time":"…","level":"WARN","msg":"log records lost","records":12,
//	 "bytes":2280,"since":"…","levels":{"info":11,"error":1}}
//
// on one line. Use it as Options.Report.
func ReportJSON(l Loss) []byte {
	var b bytes.Buffer
	return reportTo(&b, slog.NewJSONHandler(&b, nil), l)
}

// ReportText renders a loss as slog's text handler would; see [ReportJSON].
//
//	time=… level=WARN msg="log records lost" records=12 bytes=2280 since=… levels.error=1
func ReportText(l Loss) []byte {
	var b bytes.Buffer
	return reportTo(&b, slog.NewTextHandler(&b, nil), l)
}

// ReportPlain renders a loss as a line that begins like those of package log:
//
//	2026/01/02 15:04:05 log records lost: 12 records, 2280 bytes, since 2026-01-02T15:03:59.5Z (info 11, error 1)
func ReportPlain(l Loss) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s: %v, since %s", l.Until.Format("2006/01/02 15:04:05"),
		reportMessage, l.Count, l.Since.Format(time.RFC3339Nano))
	var known []string
	for _, a := range l.Levels.attrs() {
		known = append(known, fmt.Sprintf("%s %d", a.Key, a.Value.Uint64()))
	}
	if len(known) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(known, ", "))
	}
	if l.TooLarge.Records > 0 {
		fmt.Fprintf(&b, "; refused as too large: %v", l.TooLarge)
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// reportLike renders a loss in the form of the first record that was lost. It
// is what a nil Options.Report means.
func reportLike(l Loss) []byte {
	switch l.format {
	case formJSON:
		return ReportJSON(l)
	case formText:
		return ReportText(l)
	}
	return ReportPlain(l)
}

func reportTo(b *bytes.Buffer, h slog.Handler, l Loss) []byte {
	r := slog.NewRecord(l.Until, slog.LevelWarn, reportMessage, 0)
	r.AddAttrs(
		slog.Uint64("records", l.Records),
		slog.Uint64("bytes", l.Bytes),
		slog.Time("since", l.Since),
		slog.Attr{Key: "levels", Value: slog.GroupValue(l.Levels.attrs()...)},
	)
	if n := l.TooLarge.Records; n > 0 {
		r.AddAttrs(slog.Uint64("too_large", n))
	}
	// A handler that writes to memory does not fail, and a group without
	// attributes is left out by it.
	_ = h.Handle(context.Background(), r)
	return b.Bytes()
}

// attrs returns the counts that are not zero; none if no level was known.
func (l Levels) attrs() (attrs []slog.Attr) {
	for _, c := range []struct {
		name string
		n    uint64
	}{
		{"debug", l.Debug}, {"info", l.Info}, {"warn", l.Warn},
		{"error", l.Error}, {"unknown", l.Unknown},
	} {
		if c.n > 0 {
			attrs = append(attrs, slog.Uint64(c.name, c.n))
		}
	}
	if l.Debug+l.Info+l.Warn+l.Error == 0 {
		return nil
	}
	return attrs
}
