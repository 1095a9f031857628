package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// claim is one sentence about what happened, and whether it was observed.
type claim struct {
	Text     string `json:"claim"`
	Observed bool   `json:"observed"`
}

// blockedIn is the function that the requests of the outage were blocked in.
// What comes before it is the package: main, or its path in a test.
const blockedIn = ".(*traceWriter).LogWrite"

// judge adds the claims. They are about what was counted, and never about how
// fast something was: on a slow machine they hold as well.
func (rep *report) judge(f fault) {
	rep.Claims = slices.Concat(
		rep.hung(), rep.answered(), rep.counted(), rep.known(f))
	rep.Observed = !slices.ContainsFunc(rep.Claims, func(c claim) bool {
		return !c.Observed
	})
}

func (rep *report) hung() []claim {
	b := rep.Before
	ill, late := b.Phases[struck], b.Phases[lifted]
	return []claim{
		{"before answered every request while all was well",
			b.Phases[well].all(rep.Requests)},
		{"before hung when the fault struck, with its health check",
			ill.TimedOut > 0 && ill.HealthOK < ill.Health},
		{"before answered nobody after the fault was lifted",
			late.TimedOut > 0 && late.Answered == 0},
		{fmt.Sprintf("%d goroutines of before are blocked in a channel "+
			"send, for %d requests that timed out",
			b.Goroutines.Blocked, ill.TimedOut+late.TimedOut),
			b.Goroutines.Blocked > 0 &&
				strings.HasSuffix(b.Goroutines.In, blockedIn)},
		{"before logs nothing any more", b.LateLines == 0},
	}
}

func (rep *report) answered() []claim {
	a := rep.After
	var claims []claim
	for i, when := range [...]string{
		"while all was well", "while the fault lasted", "after it was lifted",
	} {
		claims = append(claims, claim{"after answered every request and " +
			"health check " + when, a.Phases[i].all(rep.Requests)})
	}
	return append(claims, claim{
		"no goroutine of after was ever seen blocked in a channel send",
		a.MostBlocked == 0,
	})
}

// all reports whether all n requests were sent and answered.
func (p phaseReport) all(n int) bool {
	return p.Sent == n && p.Answered == n && p.HealthOK == p.Health
}

func (rep *report) counted() []claim {
	const sum = "the log lines of %s add up: %d accepted = " +
		"%d written + %d dropped + %d buffered"
	b, a := rep.Before.Log, rep.After.Log
	var requests int
	for _, p := range rep.After.Phases {
		requests += p.Answered
	}
	return []claim{
		{fmt.Sprintf(sum, "before", b.Accepted, b.Written, b.Dropped,
			b.Buffered), b.balanced()},
		{fmt.Sprintf(sum, "after", a.Accepted, a.Written, a.Dropped,
			a.Buffered), a.balanced()},
		{"after accepted a line for every request it answered",
			a.Accepted == int64(requests)},
		{"after's log says how many lines it lost, where it lost them",
			int64(rep.After.LostLines) == a.Dropped},
	}
}

func (rep *report) known(f fault) []claim {
	a := rep.After
	kept := slices.ContainsFunc(a.Kept, func(e keptReport) bool {
		return f.caused(e.cause)
	})
	end := a.Phases[lifted].Status
	return []claim{
		{"after's log noticed, told its fallback, and kept why",
			a.noticed(f) && len(a.Told) > 0 && kept},
		{"after's status handler told of it while the fault lasted",
			a.Phases[struck].Status.Kept > 0},
		{"after is well again, and its log goes on",
			end.Code == http.StatusOK && a.LateLines > 0 && a.Log.Buffered == 0},
	}
}

// noticed reports whether the worker has met f, and is there all the same.
func (s serverReport) noticed(f fault) bool {
	switch f {
	case full:
		return s.SinkErrors > 0
	case stall:
		return s.Stalls > 0
	}
	return s.Restarts > 0
}
