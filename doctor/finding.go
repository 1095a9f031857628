package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Severity is how bad a finding is. It prints, and is written to JSON, in
// lower case.
type Severity int

const (
	// Info is worth a look and may well be in order.
	Info Severity = iota
	// Warning is probably wrong, or certainly wrong and harmless so far.
	Warning
	// Critical holds up requests or the process.
	Critical
)

var severities = [...]string{"info", "warning", "critical"}

// String returns "info", "warning" or "critical".
func (s Severity) String() string {
	if s < Info || s > Critical {
		return fmt.Sprintf("Severity(%d)", int(s))
	}
	return severities[s]
}

// MarshalText implements [encoding.TextMarshaler].
func (s Severity) MarshalText() ([]byte, error) {
	return []byte(s.String()), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler], and with it
// [flag.TextVar].
func (s *Severity) UnmarshalText(text []byte) error {
	i := slices.Index(severities[:], string(text))
	if i < 0 {
		return fmt.Errorf("doctor: severity %q is not info, warning or critical",
			text)
	}
	*s = Severity(i)
	return nil
}

// Receiver says what a report knows of the goroutine at the other end: the
// receiver of blocked senders, the holder of a lock.
type Receiver string

const (
	// ReceiverMissing is a receiver that is in no stack of a complete dump.
	ReceiverMissing Receiver = "missing"
	// ReceiverPresent is a receiver that is alive and elsewhere.
	ReceiverPresent Receiver = "present"
	// ReceiverUnknown is one that the input does not tell.
	ReceiverUnknown Receiver = "unknown"
)

// Confidence says how far a report can be relied on.
type Confidence string

const (
	// ConfidenceHigh is for what the runtime or the addresses show.
	ConfidenceHigh Confidence = "high"
	// ConfidenceMedium is for what has another explanation that is rarer.
	ConfidenceMedium Confidence = "medium"
	// ConfidenceLow is for what may as well be in order.
	ConfidenceLow Confidence = "low"
)

// Verdict is the opinion on the goroutines in one place.
type Verdict string

const (
	// VerdictIdle is waiting by design.
	VerdictIdle Verdict = "idle"
	// VerdictWorking is not waiting for another goroutine.
	VerdictWorking Verdict = "working"
	// VerdictSlow is waiting for a goroutine that is alive and at work.
	VerdictSlow Verdict = "slow"
	// VerdictStuck is waiting for what will not happen.
	VerdictStuck Verdict = "stuck"
	// VerdictUnknown is what could not be judged.
	VerdictUnknown Verdict = "unknown"
)

// Finding is one group of goroutines that ought not to stand where they
// stand. Its JSON form is fixed.
type Finding struct {
	Severity Severity `json:"severity"`

	// Operation is what the goroutines are blocked in: "chan send", "chan
	// receive", "select", "mutex", "rwmutex", "cond", "waitgroup",
	// "semaphore", "IO", "sleep", "syscall" and so on, or "unknown".
	Operation Operation `json:"operation"`

	// Function, File and Line are the first call that is not the standard
	// library's.
	Function string `json:"function"`
	File     string `json:"file"`
	Line     int    `json:"line"`

	// Count is the number of goroutines, over all instances.
	Count int `json:"count"`

	// RequestPath says that at least half of them are inside the handling of a
	// request.
	RequestPath bool `json:"request_path"`

	// Receiver is the goroutine that should wake them; for a lock it is the
	// holder.
	Receiver Receiver `json:"receiver"`

	// Confidence says how sure it is that they are stalled,
	// ReceiverConfidence how sure it is what Receiver and the sentence say of
	// the other end.
	Confidence         Confidence `json:"confidence"`
	ReceiverConfidence Confidence `json:"receiver_confidence"`

	// Sentence says it all in English, without a final full stop.
	Sentence string `json:"sentence"`

	// Evidence has one sentence per reason for the verdict.
	Evidence []string `json:"evidence,omitempty"`

	// Stacks are where the goroutines stand, the most frequent first.
	Stacks []*Stack `json:"-"`

	// Instances has the count of each instance of a fleet, or is nil.
	Instances map[string]int `json:"instances,omitempty"`
}

// worse orders findings by what to look at first.
func worse(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(b.Severity, a.Severity),
		cmp.Compare(b.Count, a.Count),
		cmp.Compare(a.Function, b.Function),
		cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Operation, b.Operation),
	)
}

// merge adds the same finding on another instance of a fleet. The worse of
// the two tells the story; the count is of both.
func (f *Finding) merge(other Finding, instance string) {
	instances, count := f.Instances, f.Count+other.Count
	if worse(other, *f) < 0 {
		*f = other
	}
	before := fmt.Sprintf(", on %d instances", len(instances))
	instances[instance] += other.Count
	f.Instances, f.Count = instances, count
	_, story, _ := strings.Cut(strings.TrimSuffix(f.Sentence, before), " ")
	if rest, one := strings.CutPrefix(story, "goroutine is"); one {
		story = "goroutines are" + rest
	}
	f.Sentence = fmt.Sprintf("%s %s, on %d instances", number(count),
		story, len(instances))
}

// finding is s in the form of the report.
func (s *site) finding() Finding {
	v := s.verdict
	f := Finding{
		Severity: v.severity, Operation: s.op,
		Function: s.at.Func, File: s.at.File, Line: s.at.Line,
		Count: s.count, RequestPath: 2*s.requests >= s.count,
		Receiver: v.receiver, Confidence: v.confidence,
		ReceiverConfidence: v.confidence,
		Stacks:             s.stacks,
	}
	f.Evidence = slices.DeleteFunc(slices.Clone(v.evidence), func(e string) bool {
		return strings.Contains(v.clause, e)
	})
	if s.longest > 0 {
		f.Evidence = append(f.Evidence, "the longest has waited "+
			plural(s.longest, "minute"))
	}
	f.Sentence = s.sentence()
	return f
}

// sentence is "7,978 goroutines are blocked sending in
// log4go.(*FileLogTraceWriter).LogWrite (filelog.go:212), all on the path of
// HTTP requests; no goroutine is receiving there".
func (s *site) sentence() string {
	var b strings.Builder
	be := "goroutines are"
	if s.count == 1 {
		be = "goroutine is"
	}
	fmt.Fprintf(&b, "%s %s %s in %s", number(s.count), be, doing(s.op), name(s.at))
	switch entry := s.entry; {
	case s.requests == 0:
	case s.requests < s.count:
		fmt.Fprintf(&b, ", %s of them on the path of requests", number(s.requests))
	case s.count == 1:
		article := "an" // HTTP and RPC, as they are said
		if entry == "gRPC request" {
			article = "a"
		}
		fmt.Fprintf(&b, ", on the path of %s %s", article, entry)
	default:
		fmt.Fprintf(&b, ", all on the path of %ss", entry)
	}
	clause := s.verdict.clause
	if s.count == 1 {
		clause = strings.ReplaceAll(clause, "wake them", "wake it")
		clause = strings.ReplaceAll(clause, "their own callers", "its own callers")
	}
	if clause != "" {
		b.WriteString("; " + clause)
	}
	return b.String()
}

// name is "pkg.(*T).Method (file.go:12)".
func name(f Frame) string {
	function := short(f.Func)
	if function == "" {
		function = fmt.Sprintf("%#x", f.PC)
	}
	if f.File == "" {
		return function
	}
	return function + " (" + place(base(f.File), f.Line) + ")"
}

// number writes n with commas: 7,978.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
