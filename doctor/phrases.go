package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// where describes the operation of s and its line, if the input has that.
func where(s *site) string {
	if s.at.File == "" {
		return s.doing()
	}
	return fmt.Sprintf("%s (%s:%d)", s.doing(), base(s.at.File), s.at.Line)
}

// doing describes the operation of s, or what a library waits for in it.
func (s *site) doing() string {
	if s.resource != "" {
		return "waiting for " + s.resource
	}
	return doing(s.op)
}

func dedupe(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

var phrases = map[Operation]string{
	"chan send":               "blocked sending",
	"chan receive":            "blocked receiving",
	"chan send (nil chan)":    "blocked forever sending to a nil channel",
	"chan receive (nil chan)": "blocked forever receiving from a nil channel",
	"select":                  "blocked in a select",
	"channel operation":       "blocked in a channel operation",
	"select (no cases)":       "blocked forever in an empty select",
	"mutex":                   "waiting for a mutex",
	"rwmutex":                 "waiting for an RWMutex",
	"cond":                    "waiting on a sync.Cond",
	"waitgroup":               "waiting for a sync.WaitGroup",
	"semaphore":               "waiting for a semaphore",
	"IO":                      "waiting for IO",
	"sleep":                   "sleeping",
	"syscall":                 "in a system call",
	"running":                 "running",
	"unknown":                 "blocked (the profile does not say in what)",
}

func doing(op Operation) string {
	if p, ok := phrases[op]; ok {
		return p
	}
	return "in the state " + strings.ToLower(string(op))
}
