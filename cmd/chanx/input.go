package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"example.com/chanx/doctor"
)

// input is the result of one look: snapshots to judge, or the report of a
// service that serves [doctor.Handler], or of an earlier run with -json.
type input struct {
	snaps  []*doctor.Snapshot
	report *doctor.Report
}

// process returns the process that the report of t is of, unless that is not
// known or the report is of a fleet.
func (t *target) process() (p doctor.Process, ok bool) {
	if len(t.report.Instances) != 1 || t.report.Instances[0].Process == nil {
		return p, false
	}
	p = *t.report.Instances[0].Process
	p.Started = p.Started.UTC() // comparable, whatever its zone
	return p, true
}

// maxReport bounds a report, which has to be in memory as a whole.
const maxReport = 64 << 20

// readInput reads either.
func readInput(r io.Reader, name string, known *anchors) (input, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	head, _ := in.Peek(256)
	if bytes.Contains(head, []byte("<title>/debug/pprof/</title>")) {
		return input{}, fmt.Errorf("%s: the index page of net/http/pprof: take "+
			"/debug/pprof/goroutine; pprof.Index serves it only below that path, "+
			"elsewhere mount pprof.Handler(%q): %w", name, "goroutine",
			doctor.ErrNoDump)
	}
	if !isReport(head) {
		snaps, err := decode(in, name, known)
		return input{snaps: snaps}, err
	}
	text, err := io.ReadAll(io.LimitReader(in, maxReport+1))
	if err == nil && len(text) > maxReport {
		err = fmt.Errorf("above %d MB", maxReport>>20)
	}
	report := new(doctor.Report)
	if err == nil {
		err = json.Unmarshal(text, report)
	}
	if err != nil {
		return input{}, fmt.Errorf("%s: a report that cannot be read: %w", name, err)
	}
	report.Targets = []string{name}
	if len(report.Instances) == 1 {
		report.Instances[0].Name = name
	}
	return input{report: report}, nil
}

// isReport recognizes the first key of a report, as it is written, or sorted by
// another program.
func isReport(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	rest, ok := bytes.CutPrefix(head, []byte("{"))
	rest, ok2 := bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte{'"'})
	key, _, ok3 := bytes.Cut(rest, []byte{'"'})
	return ok && ok2 && ok3 && slices.Contains([]string{"targets", "banner",
		"changes", "edges"}, string(key))
}
