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

	"example.com/chanx"
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
	log           *ringLog // of after
	status        [len(phases)]status
}

// status is what after's status handler said of its consumer.
type status struct {
	Code  int `json:"code"`
	Exits int `json:"exits"` // that it listed
}

// replay runs both servers through the phases. All that it has started has
// ended when it returns.
func replay(ctx context.Context, set settings, stderr io.Writer) (rep *report, film []sample, err error) {
	dir, err := os.MkdirTemp("", "incident-")
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	st := &stage{set: set, started: time.Now()}
	if err := st.open(dir); err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, st.close()) }()

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

// open starts the servers. The consumer is taken for stalled after a third of
// the client's timeout: early enough to be replaced while requests wait.
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
			return st.noticed() && answer.Exits > 0 &&
				answer.Code == http.StatusServiceUnavailable
		case lifted:
			return st.written(st.after) && answer.Code == http.StatusOK
		}
		return st.written(st.before) && st.written(st.after)
	}
}

// ask asks after's status handler, as a probe would.
func (st *stage) ask(ctx context.Context) (status, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", st.after.url+"/status", nil)
	if err != nil {
		return status{}, err
	}
	resp, err := st.after.load.client.Do(req)
	if err != nil {
		return status{}, err
	}
	defer resp.Body.Close()
	var body struct{ Workers []struct{ Exits []any } }
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		return status{}, err
	}
	answer := status{Code: resp.StatusCode}
	for _, w := range body.Workers {
		answer.Exits += len(w.Exits)
	}
	return answer, nil
}

// noticed reports whether the supervisor has kept what the fault did.
func (st *stage) noticed() bool {
	return slices.ContainsFunc(st.log.status().Exits, func(e chanx.Exit) bool {
		return st.set.fault.caused(e.Err)
	})
}

// written reports whether every record that s has accepted is in its files.
func (st *stage) written(s *side) bool {
	a, _, err := s.accounted()
	return err == nil && a.Buffered == 0 && a.balanced()
}

// accounted returns the account of the log with the lines in its files, and
// how many of these are from requests sent after the fault.
func (s *side) accounted() (a account, late int, err error) {
	a = s.account()
	lines, late, err := s.disk.lines("text=" + phases[lifted].name + "-")
	a.Written = int64(lines)
	return a, late, err
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
