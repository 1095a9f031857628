package main

import (
	"errors"
	"fmt"
	"strings"

	"example.com/chanx/doctor"
)

// absent adds a finding for each server that did not answer, and a note for
// each that the user did not wait for, and prints the errors of the files. It
// reports whether all others could be read.
func absent(r *doctor.Report, targets []*target, c *console) bool {
	ok := true
	var silent []*target
	for _, t := range targets {
		switch {
		case t.err == nil:
		case errors.Is(t.err, errInterrupted) && t.server != nil:
			ok = false
			r.Notes = append(r.Notes, t.err.Error())
			if !t.seen() {
				r.Targets = append(r.Targets, t.name)
			}
		case t.server == nil:
			ok = false
			c.say("%v", t.err)
		case t.seen():
			r.Add(unreachable(t))
		default:
			r.Targets = append(r.Targets, t.name)
			silent = append(silent, t)
		}
	}
	for _, alike := range byReason(silent) {
		if len(alike) > fewUnreachable {
			r.Add(unreachables(alike))
			continue
		}
		for _, t := range alike {
			r.Add(unreachable(t))
		}
	}
	return ok
}

// fewUnreachable servers with the same error are a finding each; more are one
// finding, so that half a fleet that is down does not hide the other findings.
const fewUnreachable = 3

// byReason groups targets by their error, in the order of the first of each.
func byReason(targets []*target) [][]*target {
	var groups [][]*target
	at := make(map[string]int)
	for _, t := range targets {
		i, known := at[t.reason()]
		if !known {
			i = len(groups)
			at[t.reason()] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], t)
	}
	return groups
}

// reason returns the error without the name of the target.
func (t *target) reason() string {
	return strings.TrimPrefix(t.err.Error(), t.name+": ")
}

// unreachable returns the finding about a server that did not answer. A server
// that is down, or accepts connections and is silent, is an outage; one that
// refuses just cannot be judged.
func unreachable(t *target) doctor.Finding {
	f := doctor.Finding{
		Severity: doctor.Warning, Operation: "unreachable", Receiver: "unknown",
		Confidence: "high", Sentence: t.err.Error(),
	}
	if silent := (unanswered{}); errors.As(t.err, &silent) {
		f.Severity = doctor.Critical
	}
	if n := len(t.snaps); n > 0 {
		f.Evidence = []string{fmt.Sprintf("it did answer before, %d times: the "+
			"other findings are of the last answer", n)}
	}
	return f
}

// unreachables returns the finding about several servers with the same error.
// None of their goroutines is counted.
func unreachables(targets []*target) doctor.Finding {
	f := unreachable(targets[0])
	f.Sentence = fmt.Sprintf("%d servers: %s", len(targets), targets[0].reason())
	f.Instances = make(map[string]int)
	for _, t := range targets {
		f.Instances[t.name] = 0
	}
	return f
}
