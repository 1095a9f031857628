package main

import (
	"io/fs"
	"net/http"
	"syscall"
	"testing"

	"example.com/chanx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func fullErr() error {
	return &fs.PathError{Op: "write", Path: "f", Err: syscall.ENOSPC}
}

// goodReport is one on which every claim about the fault full holds.
func goodReport() *report {
	phase := func(i, answered, timedOut, health int) phaseReport {
		return phaseReport{
			Name: phases[i].name,
			counts: counts{Sent: 200, Answered: answered, TimedOut: timedOut,
				Health: 20, HealthOK: health},
			Status: &status{Code: http.StatusOK},
		}
	}
	cause := fullErr()
	rep := &report{Fault: "full", Requests: 200}
	rep.Before = serverReport{
		Phases: []phaseReport{
			phase(well, 200, 0, 20), phase(struck, 64, 136, 6),
			phase(lifted, 0, 200, 0),
		},
		Goroutines: goroutines{Now: 340, Blocked: 336,
			At: "incident/before.go:7", In: "main" + blockedIn},
		MostBlocked: 336,
		Log:         account{Accepted: 264, Written: 200, Buffered: 64},
	}
	rep.After = serverReport{
		Phases: []phaseReport{
			phase(well, 200, 0, 20), phase(struck, 200, 0, 20),
			phase(lifted, 200, 0, 20),
		},
		Goroutines: goroutines{Now: 5},
		Log:        account{Accepted: 600, Written: 464, Dropped: 136},
		LateLines:  180,
		LostLines:  136,
		State:      "running",
		SinkErrors: 9,
		Kept:       []keptReport{{Reason: cause.Error(), cause: cause}},
		Told:       []string{"asynclog: the sink fails"},
	}
	rep.After.Phases[struck].Status = &status{Code: 503, Kept: 1}
	return rep
}

func TestJudgeObservesAll(t *testing.T) {
	rep := goodReport()
	rep.judge(full)
	assert.True(t, rep.Observed)
	require.NotEmpty(t, rep.Claims)
	for _, c := range rep.Claims {
		assert.True(t, c.Observed, c.Text)
	}
}

// TestJudgeRefutes spoils one figure at a time: the claim about it must fall,
// and with it the whole.
func TestJudgeRefutes(t *testing.T) {
	for want, spoil := range map[string]func(*report){
		"before answered every request while all was well": func(r *report) {
			r.Before.Phases[well].Answered--
		},
		"before hung when the fault struck, with its health check": func(r *report) {
			r.Before.Phases[struck].HealthOK = 20
		},
		"before answered nobody after the fault was lifted": func(r *report) {
			r.Before.Phases[lifted].Answered++
		},
		"336 goroutines of before are blocked in a channel send, for 336 " +
			"requests that timed out": func(r *report) {
			r.Before.Goroutines.In = "main.elsewhere"
		},
		"before logs nothing any more": func(r *report) {
			r.Before.LateLines++
		},
		"after answered every request and health check while all was well": func(r *report) {
			r.After.Phases[well].Sent--
		},
		"after answered every request and health check while the fault lasted": func(r *report) {
			r.After.Phases[struck].HealthOK--
		},
		"after answered every request and health check after it was lifted": func(r *report) {
			r.After.Phases[lifted].Answered--
			r.After.Log.Accepted--
			r.After.Log.Written--
		},
		"no goroutine of after was ever seen blocked in a channel send": func(r *report) {
			r.After.MostBlocked = 1
		},
		"the log lines of before add up: 264 accepted = 199 written + " +
			"0 dropped + 64 buffered": func(r *report) { r.Before.Log.Written-- },
		"the log lines of after add up: 600 accepted = 464 written + " +
			"137 dropped + 0 buffered": func(r *report) {
			r.After.Log.Dropped++
			r.After.LostLines++
		},
		"after accepted a line for every request it answered": func(r *report) {
			r.After.Log.Accepted++
			r.After.Log.Written++
		},
		"after's log says how many lines it lost, where it lost them": func(r *report) {
			r.After.LostLines--
		},
		"after's log noticed, told its fallback, and kept why": func(r *report) {
			r.After.Kept[0].cause = nil
		},
		"after's status handler told of it while the fault lasted": func(r *report) {
			r.After.Phases[struck].Status.Kept = 0
		},
		"after is well again, and its log goes on": func(r *report) {
			r.After.LateLines = 0
		},
	} {
		rep := goodReport()
		spoil(rep)
		rep.judge(full)
		assert.False(t, rep.Observed, want)
		var fallen []string
		for _, c := range rep.Claims {
			if !c.Observed {
				fallen = append(fallen, c.Text)
			}
		}
		assert.Equal(t, []string{want}, fallen)
	}
	rep := goodReport()
	rep.judge(full)
	assert.Len(t, rep.Claims, 16, "one spoiled for each claim")
}

// TestJudgeNotices has each fault noticed by its own figure, and by none of
// the others; and nobody has noticed who has not told.
func TestJudgeNotices(t *testing.T) {
	figures := map[fault]func(*serverReport) *uint64{
		full:      func(a *serverReport) *uint64 { return &a.SinkErrors },
		exit:      func(a *serverReport) *uint64 { return &a.Restarts },
		panicking: func(a *serverReport) *uint64 { return &a.Restarts },
		stall:     func(a *serverReport) *uint64 { return &a.Stalls },
	}
	for f, cause := range map[fault]error{
		full: fullErr(), exit: chanx.ErrGoexit,
		panicking: &chanx.PanicError{Value: "x"}, stall: stallErr(),
	} {
		rep := goodReport()
		rep.After.Kept[0].cause = cause
		rep.After.SinkErrors, rep.After.Restarts, rep.After.Stalls = 1, 1, 1
		*figures[f](&rep.After) = 0
		rep.judge(f)
		assert.False(t, rep.Observed, f)
		rep.After.SinkErrors, rep.After.Restarts, rep.After.Stalls = 0, 0, 0
		*figures[f](&rep.After) = 1
		rep.judge(f)
		assert.True(t, rep.Observed, f)
		rep.After.Told = nil
		rep.judge(f)
		assert.False(t, rep.Observed, f)
	}
}
