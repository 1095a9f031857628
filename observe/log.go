package observe

import (
	"fmt"
	"strings"
	"time"

	"example.com/chanx"
	"example.com/chanx/asynclog"
	"example.com/chanx/doctor"
	"example.com/chanx/internal/printable"
)

// Log is an asynclog.Writer as it was seen: in records and in bytes, Accepted
// == Written + Dropped + Buffered.
type Log struct {
	Name           string `json:"name"`
	Accepted       Count  `json:"accepted"`
	Written        Count  `json:"written"`
	Dropped        Count  `json:"dropped"`
	Buffered       Count  `json:"buffered"`
	Refused        Count  `json:"refused"` // not accepted: after Close, or too long
	DroppedByLevel Levels `json:"dropped_by_level"`
	HighWater      int    `json:"high_water"` // most bytes ever buffered
	SinkErrors     uint64 `json:"sink_errors"`
	Restarts       uint64 `json:"restarts"` // after a panic of the sink
	Stalls         uint64 `json:"stalls"`
	Stalled        bool   `json:"stalled"` // now
	// StalledSince is when the stall was noticed; zero unless Stalled.
	StalledSince time.Time `json:"stalled_since,omitzero"`
	// LastError is the text of the last error of the sink that is not a stall,
	// and LastErrorAt when it was.
	LastError   string    `json:"last_error,omitempty"`
	LastErrorAt time.Time `json:"last_error_at,omitzero"`
	Rate        Rate      `json:"rate,omitzero"` // of Accepted and Dropped
}

// Count is a number of records and of their bytes.
type Count struct {
	Records uint64 `json:"records"`
	Bytes   uint64 `json:"bytes"`
}

// Levels is a number of records by level.
type Levels struct {
	Debug   uint64 `json:"debug"`
	Info    uint64 `json:"info"`
	Warn    uint64 `json:"warn"`
	Error   uint64 `json:"error"`
	Unknown uint64 `json:"unknown"`
}

type logSource struct {
	name    string
	w       *asynclog.Writer
	text    foreign[string] // of the last error
	history history
}

func (g *logSource) id() string { return g.name }

// lastError returns the last error that is not a stall, or zero.
func lastError(st *asynclog.Stats) (last asynclog.SinkError) {
	for _, e := range st.Errors {
		if e.Err != chanx.ErrStalled {
			last = e
		}
	}
	return last
}

// lost is "error 1, debug 3" of the records that were dropped, or "" if none
// has a level.
func (l Levels) lost() string {
	if l.Debug+l.Info+l.Warn+l.Error == 0 {
		return ""
	}
	var parts []string
	for _, c := range []struct {
		level string
		n     uint64
	}{{"error", l.Error}, {"warn", l.Warn}, {"info", l.Info},
		{"debug", l.Debug}, {"without a level", l.Unknown}} {
		if c.n > 0 {
			parts = append(parts, c.level+" "+printable.Number(c.n))
		}
	}
	return strings.Join(parts, ", ")
}

// trouble is what went wrong with the sink, ever.
func (g *Log) trouble() string {
	var parts []string
	for _, c := range []struct {
		n    uint64
		noun string
	}{{g.SinkErrors, "sink error"}, {g.Restarts, "restart"}, {g.Stalls, "stall"}} {
		if c.n > 0 {
			parts = append(parts, printable.Plural(c.n, c.noun))
		}
	}
	if lost := g.DroppedByLevel.lost(); lost != "" {
		parts = append(parts, "dropped: "+lost)
	}
	return strings.Join(parts, ", ")
}

func (g *logSource) report(l *look, s *Snapshot) {
	st := g.w.Stats()
	last := lastError(&st)
	log := Log{
		Name: l.name("log", g.name), Accepted: Count(st.Accepted),
		Written: Count(st.Written), Dropped: Count(st.Dropped),
		Buffered: Count(st.Buffered), Refused: Count(st.Refused),
		DroppedByLevel: Levels(st.DroppedByLevel), HighWater: st.HighWater,
		SinkErrors: st.SinkErrors, Restarts: st.Restarts, Stalls: st.Stalls,
		Stalled: st.Stalled, StalledSince: st.StalledSince,
		LastErrorAt: last.At,
	}
	if last.Err != nil {
		text, failed := g.text.ask(l, last.Err.Error)
		if log.LastError = shown(text); failed != "" {
			log.LastError = "its text is not known: Error " + failed
		}
	}
	now := moment{l.at, counts{st.Accepted.Records, st.Dropped.Records},
		st.SinkErrors}
	log.Rate = g.history.rateOf(l, now)
	s.Logs = append(s.Logs, log)
	s.add(log.problem(l.at))
}

// problem is the worst that is to be said about the log.
func (g *Log) problem(now time.Time) Problem {
	p := Problem{Kind: "log", Name: g.Name}
	r := g.Rate
	switch {
	case g.Stalled:
		p.Severity = doctor.Critical
		p.Sentence = fmt.Sprintf("log %s has stalled: its sink makes no progress, "+
			"noticed %s ago; %s buffered, %s dropped", quoted(g.Name),
			ago(now.Sub(g.StalledSince)), printable.Plural(g.Buffered.Records, "record"),
			printable.Number(g.Dropped.Records))
	case r.Dropped > 0:
		p.Severity = doctor.Warning
		p.Sentence = "log " + quoted(g.Name) + " drops records: " + r.share(r.Dropped) +
			", " + printable.Number(g.Dropped.Records) + " in all"
	case r.Failed > 0:
		p.Severity = doctor.Warning
		p.Sentence = "the sink of log " + quoted(g.Name) + " fails: " +
			printable.Plural(r.Failed, "error") + " in the last " + ago(r.Over)
	default:
		return Problem{}
	}
	if g.LastError != "" {
		p.Sentence += "; last error: " + g.LastError
	}
	return p
}
