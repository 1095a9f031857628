package doctor

import (
	"context"
	"log/slog"
	"time"
)

// Options configure [Watch]. The zero value samples and reports nothing: set
// OnAlert or Logger.
type Options struct {
	// Every is the time between samples; zero means 30 seconds. Negative
	// panics. Watch waits longer where taking and judging a sample took more
	// than a hundredth of that, so that it never costs more than one percent of
	// one core. The time in OnAlert does not count.
	Every time.Duration

	// Rules are the thresholds; see there.
	Rules Rules

	// Confirm is how many samples in a row must have a finding before it is
	// reported, Clear how many must lack it before it counts as gone; zero
	// means 2 and 3. Negative panics.
	Confirm, Clear int

	// Budget is how many alerts an hour may have; zero means 10. An alert above
	// it is held back until the budget allows it, and dropped if its finding is
	// over before that; either way Suppressed of the next alert counts it.
	// Negative panics.
	Budget int

	// Info has findings of severity Info reported too.
	Info bool

	// OnAlert gets each alert, on the goroutine of Watch, with no lock held. A
	// hook that blocks delays the next sample; one that panics ends Watch with
	// that panic.
	OnAlert func(Alert)

	// Logger gets each alert as well. It is called on a separate goroutine: in
	// the incident this package comes from it was the log that blocked. A
	// logger that does not keep up misses alerts, never delays them.
	Logger *slog.Logger

	// Take is where snapshots come from; nil means [Take]. [TakeStacks] costs
	// more and knows waiting times.
	Take func() *Snapshot
}

// Alert is one change in what [Watch] knows.
type Alert struct {
	// Finding is the finding, as last seen if it is gone.
	Finding Finding

	// Gone says that it is over.
	Gone bool

	// Suppressed is how many alerts have been held back by the budget, or
	// missed by the logger, since the last alert. Each counts once, however
	// many samples it is held back for: the alerts that came due are those
	// delivered at once and those counted here.
	Suppressed int
}

// Watch samples the process it runs in until ctx is done, and reports a finding
// once when it is confirmed, once when it gets worse, and once when it is gone.
// It returns ctx.Err(). It is meant to run on a separate goroutine:
//
//	go doctor.Watch(ctx, doctor.Options{Logger: slog.Default()})
//
// Between samples it costs nothing. It panics if a number in opts is negative.
func Watch(ctx context.Context, opts Options) error {
	w := newWatcher(opts)
	if w.opts.Logger != nil {
		w.log = make(chan Alert, 16)
		defer close(w.log)
		go logAlerts(w.opts.Logger, w.log)
	}
	timer := time.NewTimer(0)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			start := time.Now()
			report := w.sample()
			cost := time.Since(start)
			w.tell(report, start)
			timer.Reset(max(w.opts.Every, 100*cost))
		}
	}
}

func newWatcher(opts Options) *watcher {
	if opts.Every < 0 || min(opts.Confirm, opts.Clear, opts.Budget) < 0 {
		panic("doctor: Watch with a negative number in its Options")
	}
	opts.Rules = opts.Rules.withDefaults()
	if opts.Every == 0 {
		opts.Every = 30 * time.Second
	}
	if opts.Confirm == 0 {
		opts.Confirm = 2
	}
	if opts.Clear == 0 {
		opts.Clear = 3
	}
	if opts.Budget == 0 {
		opts.Budget = 10
	}
	if opts.Take == nil {
		opts.Take = Take
	}
	return &watcher{opts: opts, known: make(map[siteKey]*episode)}
}

// watcher is Watch between two samples.
type watcher struct {
	opts       Options
	log        chan Alert
	first      *Snapshot // what workers there were
	recent     []*Snapshot
	known      map[siteKey]*episode
	spent      []time.Time // alerts of the last hour
	suppressed int
}

// episode is a finding from its first sample to its last.
type episode struct {
	finding  Finding
	seen     int // samples in a row that have it
	missed   int // samples in a row that lack it
	reported bool
	severity Severity // that was reported
	held     bool     // an alert is due, and the budget does not allow it
}

// maxRecent is the number of snapshots kept in addition to the first.
const maxRecent = 2

// sample takes a snapshot and judges it.
func (w *watcher) sample() *Report {
	return Diagnose(w.opts.Rules, w.series(w.opts.Take())...)
}

// tell gives the alerts that the report makes due.
func (w *watcher) tell(report *Report, now time.Time) {
	found := make(map[siteKey]bool)
	for _, f := range report.Findings {
		if f.Severity == Info && !w.opts.Info {
			continue
		}
		key := siteKey{f.Operation, f.Function, f.File, f.Line}
		found[key] = true
		w.saw(key, f, now)
	}
	for key, e := range w.known {
		if !found[key] {
			w.lacks(key, e, now)
		}
	}
}

// series is the snapshots to compare: the first, the last few, and this one.
func (w *watcher) series(snap *Snapshot) []*Snapshot {
	var all []*Snapshot
	if w.first == nil {
		w.first = snap
	} else {
		all = append(all, w.first)
	}
	all = append(append(all, w.recent...), snap)
	if snap != w.first {
		w.recent = append(w.recent, snap)
		w.recent = w.recent[max(0, len(w.recent)-maxRecent):]
	}
	for _, s := range all {
		s.Instance = "" // the hook's may differ: it is one process
	}
	return all
}

func (w *watcher) saw(key siteKey, f Finding, now time.Time) {
	e := w.known[key]
	if e == nil {
		e = &episode{}
		w.known[key] = e
	}
	e.finding = f
	e.seen++
	if e.missed > 0 {
		e.missed, e.held = 0, false
	}
	if e.seen < w.opts.Confirm || e.reported && f.Severity <= e.severity {
		return
	}
	if w.alert(e, false, now) {
		e.reported, e.severity = true, f.Severity
	}
}

func (w *watcher) lacks(key siteKey, e *episode, now time.Time) {
	if e.seen > 0 {
		e.seen, e.held = 0, false
	}
	e.missed++
	if e.missed < w.opts.Clear && e.reported {
		return
	}
	if e.reported && !w.alert(e, true, now) {
		return // given as soon as the budget allows
	}
	delete(w.known, key)
}

// alert gives the alert that is due in e, or holds it back and reports false.
func (w *watcher) alert(e *episode, gone bool, now time.Time) bool {
	for len(w.spent) > 0 && now.Sub(w.spent[0]) >= time.Hour {
		w.spent = w.spent[1:]
	}
	if len(w.spent) >= w.opts.Budget {
		if !e.held {
			e.held = true
			w.suppressed++
		}
		return false
	}
	w.spent = append(w.spent, now)
	e.held = false
	a := Alert{Finding: e.finding, Gone: gone, Suppressed: w.suppressed}
	w.suppressed = 0
	if w.log != nil {
		select {
		case w.log <- a:
		default:
			w.suppressed++
		}
	}
	if w.opts.OnAlert != nil {
		w.opts.OnAlert(a)
	}
	return true
}

func logAlerts(logger *slog.Logger, alerts <-chan Alert) {
	for a := range alerts {
		level := slog.LevelWarn
		switch {
		case a.Gone || a.Finding.Severity == Info:
			level = slog.LevelInfo
		case a.Finding.Severity == Critical:
			level = slog.LevelError
		}
		f := a.Finding
		logger.Log(context.Background(), level, "doctor: "+f.Sentence,
			"gone", a.Gone, "severity", f.Severity.String(),
			"operation", f.Operation, "function", f.Function, "file", f.File,
			"line", f.Line, "count", f.Count, "receiver", f.Receiver,
			"confidence", f.Confidence, "suppressed", a.Suppressed)
	}
}
