package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	"example.com/chanx/doctor"
)

// phases are what both servers go through. The names are in the requests, and
// so in the log lines.
var phases = [...]struct{ name, title string }{
	well:   {"well", "All is well."},
	struck: {"fault", "The logs are rotated, and the fault strikes both."},
	lifted: {"lifted", "The fault is lifted."},
}

const (
	well = iota
	struck
	lifted
)

// stage is a replay that is running.
type stage struct {
	set           settings
	started       time.Time
	before, after *server
	log           *asyncLog // of after
	status        [len(phases)]status
}

// status is what after's status handlers returned.
type status struct {
	Code int `json:"code"`
	Kept int `json:"kept"` // errors that were listed
}

// replay runs both servers through the phases, and passes the result to publish
// while they are still running. All that it has started has ended when it
// returns. The error is ctx.Err() if it was interrupted before the end.
func replay(ctx context.Context, set settings, stderr io.Writer,
	publish func(*report, []sample) error,
) (err error) {
	dir, err := os.MkdirTemp("", "incident-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	st := &stage{set: set, started: time.Now()}
	if err := st.open(dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.before.stop(), st.after.stop()) }()
	samples, err := st.play(ctx, stderr)
	if err != nil {
		return err
	}
	if err := publish(st.report(samples), samples); err != nil {
		return err
	}
	if set.hold > 0 {
		st.hold(ctx, stderr)
	}
	return nil
}

// hold keeps the servers as they are, the first still hanging, until the time
// has passed or ctx is done. The address ends its line, for scripts.
func (st *stage) hold(ctx context.Context, stderr io.Writer) {
	fmt.Fprintf(stderr, "\nbefore hangs, for %v or until Ctrl-C, at %s\n"+
		"  go run ./cmd/chanx doctor %[2]s\n"+
		"after answers at %[3]s/status and /status/log\n",
		st.set.hold, st.before.url, st.after.url)
	select {
	case <-ctx.Done():
	case <-time.After(st.set.hold):
	}
}

// open starts the servers. The log counts as stalled after a third of the
// client's timeout: early enough to be seen while requests wait.
func (st *stage) open(dir string) (err error) {
	st.before, err = start(dir, "before", st.set,
		func(_ context.Context, d *disk) (requestLog, error) {
			return newTraceWriter(d)
		})
	if err != nil {
		return err
	}
	st.after, err = start(dir, "after", st.set,
		func(ctx context.Context, d *disk) (requestLog, error) {
			st.log = newAsyncLog(ctx, d, st.set.timeout/3)
			return st.log, nil
		})
	if err != nil {
		return errors.Join(err, st.before.stop())
	}
	return nil
}

// play goes through the phases and samples meanwhile. The last sample is taken
// at rest, so that the table and the end of the picture agree.
func (st *stage) play(ctx context.Context, stderr io.Writer) (samples []sample, err error) {
	entered := make(chan int)
	var watcher sync.WaitGroup
	watcher.Go(func() { samples = st.watch(entered, stderr) })
	for phase := range phases {
		if ctx.Err() != nil {
			break
		}
		entered <- phase
		st.enter(phase)
		var both sync.WaitGroup
		both.Go(func() { st.before.send(ctx, phase, st.set.requests) })
		both.Go(func() { st.after.send(ctx, phase, st.set.requests) })
		both.Wait()
		st.settle(ctx, phase)
	}
	close(entered)
	watcher.Wait()
	return append(samples, st.sample(lifted)), ctx.Err()
}

// enter turns to the next phase. Both logs are rotated after the disk has
// changed: that is how they meet the fault, and its end. At the first rotation
// before's consumer is there to take the request, however slow the machine; at
// the second it is not, and that is not worth a long wait.
func (st *stage) enter(phase int) {
	patience := [...]time.Duration{struck: time.Minute, lifted: st.set.timeout / 10}
	for _, s := range []*server{st.before, st.after} {
		if phase != well {
			s.disk.strike(phase == struck)
			s.log.rotate(patience[phase])
		}
	}
}

// settle waits for the state that a phase must reach before the next begins. It
// gives up after a minute: then a claim is not observed.
func (st *stage) settle(ctx context.Context, phase int) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for !st.settled(ctx, phase) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (st *stage) settled(ctx context.Context, phase int) bool {
	answer := st.ask(ctx)
	st.status[phase] = answer
	switch phase {
	case struck:
		return st.log.kept(st.set.fault) && answer.Kept > 0
	case lifted:
		return st.after.written() && answer.Code == http.StatusOK
	}
	return st.before.written() && st.after.written()
}

// ask asks after's status handlers, as a probe and a person would.
func (st *stage) ask(ctx context.Context) (answer status) {
	answer.Code, _, _ = st.after.get(ctx, "/status")
	_, text, _ := st.after.get(ctx, "/status/log")
	var stats struct{ Errors []any }
	_ = json.Unmarshal([]byte(text), &stats)
	answer.Kept = len(stats.Errors)
	return answer
}

// written reports whether every line that s has accepted is in its files.
func (s *server) written() bool {
	a, _ := s.accounted()
	return a.Buffered == 0 && a.balanced()
}

// accounted returns the account of the log with the lines in its files, and
// the content of those: the marked lines are of requests sent after the fault.
func (s *server) accounted() (a account, c content) {
	a = s.log.account()
	c = s.disk.read("text=" + phases[lifted].name + "-")
	a.Written = c.lines
	return a, c
}

// sample is the state of both servers at one moment.
type sample struct {
	At            time.Duration // since the start
	Phase         int           // index into phases
	Before, After reading
}

// reading is the state of one server: its goroutines, and the outcomes of its
// requests so far, in all phases.
type reading struct {
	goroutines
	Answered, TimedOut int
}

// goroutines are those of one server.
type goroutines struct {
	Now     int `json:"now"`
	Blocked int `json:"blocked_in_send"`
	// At is where most of those are blocked, as "dir/file.go:12", and In the
	// function. Both are empty if none is.
	At string `json:"blocked_at,omitempty"`
	In string `json:"blocked_in,omitempty"`

	file string // of At, with all its directories
	line int
}

// watch samples often enough for a picture of ten seconds, and at the beginning
// of each phase, until entered is closed. It prints a line each second.
func (st *stage) watch(entered <-chan int, stderr io.Writer) (samples []sample) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	phase, open, next := well, true, time.Duration(0)
	for {
		select {
		case phase, open = <-entered:
			if !open {
				return samples
			}
			fmt.Fprintln(stderr, phases[phase].title, "(before | after)")
			next = 0
		case <-tick.C:
		}
		s := st.sample(phase)
		samples = append(samples, s)
		if b, a := s.Before, s.After; s.At >= next {
			next = s.At + time.Second
			fmt.Fprintf(stderr, "%5.1fs  answered %d | %d   timed out %d | %d   "+
				"goroutines %d | %d\n", s.At.Seconds(), b.Answered, a.Answered,
				b.TimedOut, a.TimedOut, b.Now, a.Now)
		}
	}
}

func (st *stage) sample(phase int) sample {
	groups := doctor.Diagnose(doctor.Rules{}, doctor.Take()).Groups
	return sample{
		At:     time.Since(st.started),
		Phase:  phase,
		Before: st.before.reading(groups),
		After:  st.after.reading(groups),
	}
}

func (s *server) reading(groups []doctor.Group) (r reading) {
	most := 0
	for _, g := range groups {
		n := 0
		for _, stack := range g.Stacks {
			n += stack.Labels[labelKey+"="+s.url]
		}
		r.Now += n
		if g.Operation != doctor.ChanSend {
			continue
		}
		r.Blocked += n
		if n > most {
			most = n
			r.In, r.file, r.line = g.Function, g.File, g.Line
			file := filepath.ToSlash(g.File)
			r.At = fmt.Sprintf("%s/%s:%d", path.Base(path.Dir(file)), path.Base(file), g.Line)
		}
	}
	for i := range phases {
		c, _ := s.phases[i].now()
		r.Answered += c.Answered
		r.TimedOut += c.TimedOut
	}
	return r
}
