package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.com/chanx/asynclog"
)

// phases are what both servers go through. The names are in the requests, and
// so in the log lines.
var phases = [...]struct{ name, title string }{
	{"well", "All is well."},
	{"fault", "The logs are rotated, and the fault strikes both."},
	{"lifted", "The fault is lifted."},
}

// The indexes of phases.
const (
	well = iota
	struck
	lifted
)

// sampleEvery is short enough for a picture of ten seconds.
const sampleEvery = 100 * time.Millisecond

// side is one server with its load and what came of it.
type side struct {
	*server
	load    *load
	tallies [len(phases)]tally
}

func newSide(s *server, timeout time.Duration) *side {
	return &side{server: s, load: newLoad(s.url, timeout)}
}

// stage is a replay that is running.
type stage struct {
	set           settings
	started       time.Time
	phase         atomic.Int64
	before, after *side
	log           *asyncLog // of after
	status        [len(phases)]status
}

// status is what after's status handlers said of its log.
type status struct {
	Code int `json:"code"`
	Kept int `json:"kept"` // errors that were listed
}

// replay runs both servers through the phases, and hands what came of it to
// publish while they are still there. All that it has started has ended when
// it returns. The error is ctx.Err() if it was interrupted before the end.
func replay(ctx context.Context, set settings, stderr io.Writer,
	publish func(*report, []sample) error) (err error) {
	dir, err := os.MkdirTemp("", "incident-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	st := &stage{set: set, started: time.Now()}
	if err := st.open(dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	rep, film, err := st.film(ctx, stderr)
	if err != nil {
		return err
	}
	if err := publish(rep, film); err != nil {
		return err
	}
	if set.hold > 0 {
		st.hold(ctx, set.hold, stderr)
	}
	return nil
}

// film plays, watches, and reports.
func (st *stage) film(ctx context.Context, stderr io.Writer) (rep *report, film []sample, err error) {
	watching, stop := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	var watchErr error
	watcher.Go(func() {
		film, watchErr = watch(watching, sampleEvery, st.sample,
			newProgress(stderr))
	})
	err = st.play(ctx)
	stop()
	watcher.Wait()
	if err = errors.Join(err, watchErr); err != nil {
		return nil, nil, err
	}
	last, err := st.sample()
	if err != nil {
		return nil, nil, err
	}
	film = append(film, last)
	rep, err = st.report(film)
	return rep, film, err
}

// open starts the servers. The log counts as stalled after a third of the
// client's timeout: early enough to be seen while requests wait.
func (st *stage) open(dir string) error {
	before, err := startBefore(dir, st.set.fault)
	if err != nil {
		return err
	}
	after, log, err := startAfter(dir, st.set.fault, st.set.timeout/3)
	if err != nil {
		return errors.Join(err, before.stop())
	}
	st.before = newSide(before, st.set.timeout)
	st.after, st.log = newSide(after, st.set.timeout), log
	return nil
}

func (st *stage) close() error {
	st.before.load.close()
	st.after.load.close()
	return errors.Join(st.before.stop(), st.after.stop())
}

// play goes through the phases. It returns ctx.Err() if it was interrupted.
func (st *stage) play(ctx context.Context) error {
	for i := range phases {
		st.enter(i)
		st.loadBoth(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		st.await(ctx, st.settled(i))
	}
	return ctx.Err()
}

// enter turns to the next phase. Both logs are rotated after the disk has
// changed: that is how they meet the fault, and a chance to meet its end. The
// first time somebody is there to take it, however slow the machine. The
// second time before has nobody, and that is not worth waiting for.
func (st *stage) enter(phase int) {
	st.phase.Store(int64(phase))
	for _, s := range [...]*side{st.before, st.after} {
		switch phase {
		case struck:
			s.disk.strike()
			s.rotation(time.Minute)
		case lifted:
			s.disk.lift()
			s.rotation(st.set.timeout / 10)
		}
	}
}

func (st *stage) loadBoth(ctx context.Context) {
	phase := st.phase.Load()
	var both sync.WaitGroup
	for _, s := range [...]*side{st.before, st.after} {
		both.Go(func() {
			s.load.send(ctx, phases[phase].name, st.set.requests,
				&s.tallies[phase])
		})
	}
	both.Wait()
}

// await gives a state some time to come about, as long as the client would
// wait for an answer. Whether it has is for the claims to say.
func (st *stage) await(ctx context.Context, reached func(context.Context) bool) {
	ctx, cancel := context.WithTimeout(ctx, st.set.timeout)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !reached(ctx) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// settled returns what each phase should come to before the next begins.
func (st *stage) settled(phase int) func(context.Context) bool {
	return func(ctx context.Context) bool {
		answer, err := st.ask(ctx)
		if err != nil {
			return false
		}
		st.status[phase] = answer
		switch phase {
		case struck:
			return st.noticed() && answer.Kept > 0 &&
				answer.Code == http.StatusServiceUnavailable
		case lifted:
			return st.written(st.after) && answer.Code == http.StatusOK
		}
		return st.written(st.before) && st.written(st.after)
	}
}

// ask asks after's status handlers, as a probe and a person would.
func (st *stage) ask(ctx context.Context) (status, error) {
	code, _, err := st.get(ctx, "/status")
	if err != nil {
		return status{}, err
	}
	_, text, err := st.get(ctx, "/status/log")
	if err != nil {
		return status{}, err
	}
	var stats struct{ Errors []any }
	err = json.Unmarshal(text, &stats)
	return status{Code: code, Kept: len(stats.Errors)}, err
}

func (st *stage) get(ctx context.Context, path string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", st.after.url+path, nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := st.after.load.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, text, err
}

// noticed reports whether after's log has kept what the fault did.
func (st *stage) noticed() bool {
	return slices.ContainsFunc(st.log.Stats().Errors, func(e asynclog.SinkError) bool {
		return st.set.fault.caused(e.Err)
	})
}

// written reports whether every record that s has accepted is in its files.
func (st *stage) written(s *side) bool {
	a, _, err := s.accounted()
	return err == nil && a.Buffered == 0 && a.balanced()
}

// accounted returns the account of the log with the lines in its files, and
// what else those say: the marked are from requests sent after the fault.
func (s *side) accounted() (a account, c content, err error) {
	a = s.account()
	c, err = s.disk.lines("text=" + phases[lifted].name + "-")
	a.Written = int64(c.records)
	return a, c, err
}

// sample reads both servers.
func (st *stage) sample() (sample, error) {
	all, err := profileAll()
	return sample{
		At:     time.Since(st.started),
		Phase:  int(st.phase.Load()),
		Before: st.before.reading(all),
		After:  st.after.reading(all),
	}, err
}

func (s *side) reading(all map[string]goroutines) reading {
	r := reading{goroutines: all[s.label]}
	for i := range s.tallies {
		c := s.tallies[i].now()
		r.Answered += c.Answered
		r.TimedOut += c.TimedOut
	}
	return r
}
