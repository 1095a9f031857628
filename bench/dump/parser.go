package dump

import (
	"fmt"
	"io"

	"github.com/DataDog/gostackparse"
	"github.com/maruel/panicparse/v2/stack"

	"example.com/chanx/doctor"
)

// parser is one of those that read dumps. read returns how many goroutines it
// has found and what it has made of them, which has to stay alive.
type parser struct {
	name string
	read func(io.Reader) (goroutines int, result any, _ error)
}

// Reading and grouping are listed apart because doctor always groups, and
// gostackparse never does.
var parsers = []parser{ours, oursJudged, panicparse, panicparseGrouped, datadog}

var ours = parser{"doctor, grouped", readOurs}

var oursJudged = parser{"doctor, grouped and judged",
	func(r io.Reader) (int, any, error) {
		n, result, err := readOurs(r)
		if err != nil {
			return 0, nil, err
		}
		snapshots := result.([]*doctor.Snapshot)
		return n, doctor.Diagnose(doctor.Rules{}, snapshots...), nil
	}}

func readOurs(r io.Reader) (n int, _ any, _ error) {
	snapshots, err := doctor.Parse(r, "dump")
	for _, s := range snapshots {
		n += s.Goroutines
		if s.Unreadable > 0 {
			return 0, nil, fmt.Errorf("%d unreadable", s.Unreadable)
		}
	}
	return n, snapshots, err
}

var panicparse = parser{"panicparse, not grouped", readPanicparse}

var panicparseGrouped = parser{"panicparse, grouped",
	func(r io.Reader) (int, any, error) {
		n, result, err := readPanicparse(r)
		if err != nil {
			return 0, nil, err
		}
		return n, result.(*stack.Snapshot).Aggregate(stack.AnyPointer), nil
	}}

// readPanicparse leaves out what panicparse can do besides, such as looking for
// sources on the disk and naming arguments, which is quadratic.
func readPanicparse(r io.Reader) (int, any, error) {
	s, _, err := stack.ScanSnapshot(r, io.Discard, &stack.Opts{})
	if err == io.EOF {
		err = nil
	}
	if s == nil {
		return 0, nil, fmt.Errorf("panicparse: nothing found: %w", err)
	}
	return len(s.Goroutines), s, err
}

var datadog = parser{"gostackparse, not grouped",
	func(r io.Reader) (int, any, error) {
		all, errs := gostackparse.Parse(r)
		if len(errs) > 0 {
			return 0, nil, errs[0]
		}
		return len(all), all, nil
	}}
