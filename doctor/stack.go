package doctor

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"

	"example.com/chanx/internal/printable"
)

// Frame is one call on a stack.
type Frame struct {
	// Func is the full symbol, as in example.com/log4go.(*Writer).Write, or
	// empty if only PC is known.
	Func string `json:"func,omitempty"`

	// File and Line are where the call stands; File is empty if unknown.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`

	// PC is the return address; only profiles with debug=1 have it.
	PC uint64 `json:"pc,omitempty"`
}

// State is the runtime's word for why a goroutine waits, without annotations:
// "chan send", "IO wait". A profile has none: "". The set is the runtime's, and
// grows with it; [Operation] is the closed set that verdicts use.
type State string

// stateRunning is the state of the goroutine that writes a dump.
const stateRunning State = "running"

// Stack is every goroutine of a snapshot that stands in one place: same
// state, same calls, same creator. A million goroutines are a few hundred
// stacks, which is why nothing here is kept per goroutine but a [Member].
type Stack struct {
	// State is why they wait.
	State State `json:"state,omitempty"`

	// Frames are the calls, innermost first.
	Frames []Frame `json:"frames"`

	// CreatedBy is where the go statement stands; zero in profiles and for
	// the main goroutine.
	CreatedBy Frame `json:"created_by,omitzero"`

	// Count is the number of goroutines.
	Count int `json:"count"`

	members members
	key     string // of the parser's index

	// Labels counts the profiler labels seen, as key=value; at most 16
	// different ones are kept.
	Labels map[string]int `json:"labels,omitempty"`

	// Leaked says that the garbage collector found the goroutines
	// unreachable: nothing can ever wake them.
	Leaked bool `json:"leaked,omitempty"`

	// Bubble says that they belong to a testing/synctest bubble.
	Bubble bool `json:"bubble,omitempty"`
}

// Members returns the goroutines of s. There are none in a profile, which knows
// no goroutine by itself.
func (s *Stack) Members() iter.Seq[Member] {
	return func(yield func(Member) bool) {
		for _, m := range s.members.all() {
			if !yield(m) {
				return
			}
		}
	}
}

// maxIDs bounds the ids that stand for the goroutines of a stack.
const maxIDs = 16

// ids returns the first ids of the goroutines of s, lowest first, if it has any.
func (s *Stack) ids() []uint64 {
	var ids []uint64
	for m := range s.Members() {
		if m.ID != 0 {
			ids = append(ids, m.ID)
		}
		if len(ids) == maxIDs {
			break
		}
	}
	slices.Sort(ids)
	return ids
}

// who returns "goroutine 37" or "goroutines 12, 15, 18 and 1,231 more", by which a
// reader finds them in the dump, or "12 goroutines" where they have no ids.
func (s *Stack) who() string {
	ids := s.ids()
	if len(ids) == 0 {
		return printable.Plural(s.Count, "goroutine")
	}
	who := clause{"goroutine ", "goroutines "}.of(s.Count) + strings.Trim(
		strings.ReplaceAll(fmt.Sprint(ids), " ", ", "), "[]")
	if more := s.Count - len(ids); more > 0 {
		who += fmt.Sprintf(" and %s more", printable.Number(more))
	}
	return who
}

// encodedStack is a Stack in JSON.
type encodedStack struct {
	*plainStack
	Members []Member `json:"members,omitempty"`
}

type plainStack Stack

// MarshalJSON implements json.Marshaler, for the sake of the members.
func (s *Stack) MarshalJSON() ([]byte, error) {
	return json.Marshal(encodedStack{(*plainStack)(s), s.members.list()})
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Stack) UnmarshalJSON(text []byte) error {
	e := encodedStack{plainStack: (*plainStack)(s)}
	if err := json.Unmarshal(text, &e); err != nil {
		return err
	}
	s.members = members{}
	for _, m := range e.Members {
		s.members.add(m)
	}
	return nil
}

// Member is one goroutine of a stack.
type Member struct {
	ID uint64 `json:"id"`

	// Parent is the goroutine that created this one; 0 before Go 1.21.
	Parent uint64 `json:"parent,omitempty"`

	// Minutes is how long it has waited. Only a garbage collection starts
	// that clock, so 0 does not mean recent.
	Minutes uint32 `json:"minutes,omitempty"`
}

// Labels of one stack are bounded: request ids are labels too.
const (
	maxLabels = 16
	maxLabel  = 256
)

func (s *Stack) label(kv string, n int) {
	if s.Labels == nil {
		s.Labels = make(map[string]int)
	}
	if len(kv) > maxLabel {
		kv = kv[:maxLabel] + "…"
	}
	kv = printable.Text(kv)
	if _, seen := s.Labels[kv]; seen || len(s.Labels) < maxLabels {
		s.Labels[kv] += n
	}
}

// longest returns the longest wait of the members, in minutes.
func (s *Stack) longest() int {
	var longest uint32
	for _, m := range s.members.all() {
		longest = max(longest, m.Minutes)
	}
	return int(longest)
}

// has reports whether a call's symbol has the prefix.
func (s *Stack) has(prefix string) bool {
	for i := range s.Frames {
		if strings.HasPrefix(s.Frames[i].Func, prefix) {
			return true
		}
	}
	return false
}

// root returns the outermost call, the function of the go statement.
func (s *Stack) root() Frame {
	for i := len(s.Frames) - 1; i >= 0; i-- {
		switch s.Frames[i].Func {
		case "", "runtime.goexit", "runtime.main":
		default:
			return s.Frames[i]
		}
	}
	return Frame{}
}
