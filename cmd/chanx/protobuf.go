package main

import (
	wire "encoding/binary" // binary is a concept here
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"

	"example.com/chanx/doctor"
	"example.com/chanx/internal/printable"
)

// A profile must be in memory as a whole. It has one sample per distinct stack
// and set of labels, not per goroutine: a process with a million goroutines
// makes a few hundred kilobytes. A hostile profile of a few kilobytes would take
// a gigabyte: empty samples, or one call with ten thousand inlined ones on each
// level of a stack.
const (
	maxProtobuf = 64 << 20 // bytes, uncompressed
	maxGrowth   = 16       // bytes of memory for each of the profile's
	spareMemory = 32 << 20 // on top
	spareFrames = 100_000  // on top of one for each byte of the profile
)

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
	if growth(data) > spareMemory+maxGrowth*len(data) {
		return nil, fmt.Errorf("%s: a profile made of empty parts, which no Go "+
			"program writes", target)
	}
	p, err := profile.ParseUncompressed(data)
	if err == nil {
		err = p.CheckValid()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: not a whole profile (%w): fetch it again, "+
			"in binary mode", target, err)
	}
	snap, err := fromProfile(p, target, spareFrames+len(data))
	if err != nil {
		return nil, err
	}
	return []*doctor.Snapshot{snap}, nil
}

// fromProfile makes a snapshot of a goroutine profile. Of its calls, inlined
// ones included, it keeps as many as frames says.
func fromProfile(p *profile.Profile, target string,
	frames int) (*doctor.Snapshot, error) {
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
			// The difference of two profiles has negative counts.
			snap.Unreadable++
			snap.Troubles = append(snap.Troubles, doctor.Trouble{
				Why: fmt.Sprintf("a sample of %d goroutines", n)})
			continue
		}
		addSample(snap, stacks, s, int(n), leaked, &frames)
	}
	if frames < 0 {
		snap.Unreadable -= frames
		snap.Troubles = append(snap.Troubles, doctor.Trouble{
			Why: fmt.Sprintf("%d calls are left out: more than a profile of this "+
				"size has", -frames)})
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
	s *profile.Sample, n int, leaked bool, left *int) {
	var key strings.Builder
	for _, l := range s.Location {
		fmt.Fprintf(&key, "%x ", l.ID)
	}
	stack := stacks[key.String()]
	if stack == nil {
		stack = &doctor.Stack{Count: n, Leaked: leaked}
		for _, l := range s.Location {
			calls := max(len(l.Line), 1)
			if *left -= calls; *left >= 0 {
				stack.Frames = append(stack.Frames, frames(l)...)
			}
		}
		if len(s.Location) == 0 {
			// The runtime leaves this one out of a profile: the goroutine has no
			// other call, as it has not begun or has just ended.
			stack.Frames = []doctor.Frame{{Func: "runtime.goexit"}}
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
	const most, longest = 16, 256 // as package doctor keeps
	if s.Labels == nil {
		s.Labels = make(map[string]int)
	}
	label = printable.Text(label[:min(len(label), longest)])
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

// growth returns about how much memory the parts of a profile take once they
// are decoded. It stops at malformed data, which the decoder reports.
func growth(data []byte) (bytes int) {
	const part, inner, number = 120, 40, 16
	eachField(data, func(field int, value []byte) {
		bytes += part + len(value)
		if field != sampleField && field != locationField {
			return
		}
		eachField(value, func(inField int, value []byte) {
			bytes += inner
			if field == locationField || inField > 2 {
				return
			}
			for _, b := range value { // of locations, or values
				if b < 0x80 {
					bytes += number
				}
			}
		})
	})
	return bytes
}

// Numbers of fields of a profile that are repeated and have repeated fields.
const (
	sampleField   = 2
	locationField = 4
)

// eachField calls f for the fields of a message in the wire format of
// protocol buffers, with the bytes of those that have a length.
func eachField(data []byte, f func(field int, value []byte)) {
	for len(data) > 0 {
		tag, n := wire.Uvarint(data)
		if n <= 0 {
			return
		}
		data = data[n:]
		size := uint64(0)
		switch tag & 7 {
		case 0:
			if _, n = wire.Uvarint(data); n <= 0 {
				return
			}
			data = data[n:]
		case 1:
			size = 8
		case 2:
			if size, n = wire.Uvarint(data); n <= 0 {
				return
			}
			data = data[n:]
		case 5:
			size = 4
		default:
			return
		}
		if size > uint64(len(data)) {
			return
		}
		f(int(tag>>3), data[:size])
		data = data[size:]
	}
}
