package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"

	"example.com/chanx/doctor"
)

// maxProtobuf bounds a profile, which has to be in memory as a whole. It has
// one sample per distinct stack, not per goroutine, so that a process with a
// million goroutines makes a few hundred kilobytes; a gzip bomb makes more.
const maxProtobuf = 256 << 20

// decodeProtobuf reads a goroutine profile as written with debug=0.
func decodeProtobuf(r io.Reader, target string) ([]*doctor.Snapshot, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxProtobuf+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: a profile cut short after %d bytes (%w): "+
			"fetch it again", target, len(data), err)
	case len(data) > maxProtobuf:
		return nil, fmt.Errorf("%s: a profile above %d MB: a goroutine profile "+
			"never is", target, maxProtobuf>>20)
	}
	p, err := profile.ParseUncompressed(data)
	if err == nil {
		err = p.CheckValid()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: not a whole profile (%w): fetch it again, "+
			"in binary mode", target, err)
	}
	snap, err := fromProfile(p, target)
	if err != nil {
		return nil, err
	}
	return []*doctor.Snapshot{snap}, nil
}

// fromProfile makes a snapshot of a goroutine profile.
func fromProfile(p *profile.Profile, target string) (*doctor.Snapshot, error) {
	value := slices.IndexFunc(p.SampleType, func(t *profile.ValueType) bool {
		return t.Type == "goroutine" || t.Type == "goroutineleak"
	})
	if value < 0 {
		return nil, fmt.Errorf("%s: a profile of %s, not of goroutines: take "+
			"/debug/pprof/goroutine instead", target, kinds(p))
	}
	snap := &doctor.Snapshot{Target: target, Instance: target}
	if p.TimeNanos > 0 {
		snap.Taken = time.Unix(0, p.TimeNanos)
	}
	leaked := p.SampleType[value].Type == "goroutineleak"
	stacks := make(map[string]*doctor.Stack)
	for _, s := range p.Sample {
		n := s.Value[value]
		if n == 0 {
			continue
		}
		if n < 0 || n > 1<<40 {
			// The difference of two profiles has such.
			snap.Unreadable++
			snap.Troubles = append(snap.Troubles, doctor.Trouble{
				Why: fmt.Sprintf("a sample of %d goroutines", n)})
			continue
		}
		addSample(snap, stacks, s, int(n), leaked)
	}
	if len(snap.Stacks) == 0 {
		return nil, fmt.Errorf("%s: a profile without goroutines", target)
	}
	return snap, nil
}

func kinds(p *profile.Profile) string {
	var names []string
	for _, t := range p.SampleType {
		names = append(names, fmt.Sprintf("%q", t.Type))
	}
	return strings.Join(names, ", ")
}

// addSample adds n goroutines. Samples differ by their labels as well; those
// that stand in the same place become one stack.
func addSample(snap *doctor.Snapshot, stacks map[string]*doctor.Stack,
	s *profile.Sample, n int, leaked bool) {
	var key strings.Builder
	for _, l := range s.Location {
		fmt.Fprintf(&key, "%x ", l.ID)
	}
	stack := stacks[key.String()]
	if stack == nil {
		stack = &doctor.Stack{Count: n, Leaked: leaked}
		for _, l := range s.Location {
			stack.Frames = append(stack.Frames, frames(l)...)
		}
		stacks[key.String()] = stack
		snap.Add(stack)
	} else {
		stack.Count += n
		snap.Goroutines += n
	}
	for k, values := range s.Label {
		for _, v := range values {
			addLabel(stack, k+"="+v, n)
		}
	}
}

func addLabel(s *doctor.Stack, label string, n int) {
	const most = 16 // as package doctor keeps
	if s.Labels == nil {
		s.Labels = make(map[string]int)
	}
	if _, known := s.Labels[label]; known || len(s.Labels) < most {
		s.Labels[label] += n
	}
}

// frames returns the calls at a location, innermost first, inlined ones
// included. One without names is the address of a call; a Frame has the
// return address, one above.
func frames(l *profile.Location) []doctor.Frame {
	if len(l.Line) == 0 {
		return []doctor.Frame{{PC: l.Address + 1}}
	}
	var calls []doctor.Frame
	for _, line := range l.Line {
		f := doctor.Frame{Line: int(line.Line)}
		if line.Function != nil {
			f.Func, f.File = line.Function.Name, line.Function.Filename
		}
		calls = append(calls, f)
	}
	return calls
}
