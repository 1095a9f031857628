package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"example.com/chanx/internal/printable"
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

// Receiver is the state of the goroutine at the other end: the receiver of
// blocked senders, the holder of a lock.
type Receiver string

const (
	// ReceiverMissing is a receiver that is in no stack of a complete dump.
	ReceiverMissing Receiver = "missing"
	// ReceiverPresent is a receiver that is alive and elsewhere.
	ReceiverPresent Receiver = "present"
	// ReceiverUnknown is one that the input does not tell.
	ReceiverUnknown Receiver = "unknown"
)

// Confidence rates how far a statement can be relied on.
type Confidence string

const (
	// ConfidenceHigh is for facts shown by the runtime or the addresses.
	ConfidenceHigh Confidence = "high"
	// ConfidenceMedium is for facts with another, rarer explanation.
	ConfidenceMedium Confidence = "medium"
	// ConfidenceLow is for facts that are as common in a healthy process.
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

// Finding is one group of goroutines that should not be in the place where they
// are. Its JSON form is fixed.
type Finding struct {
	Severity Severity `json:"severity"`

	// Operation is the operation they are blocked in: "chan send", "chan
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

	// Confidence rates the stall, ReceiverConfidence the statement about the
	// other end in Receiver and Sentence.
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

	// Requests is how many of them are inside a request, and Entry how the most
	// of them came in, as in "HTTP request".
	Requests int    `json:"requests"`
	Entry    string `json:"entry,omitempty"`

	// Resource is what a library waits for on their behalf, such as "a database
	// connection", or "".
	Resource string `json:"resource,omitempty"`

	// Reason is the part of Sentence that says why they are stuck.
	Reason string `json:"reason,omitempty"`

	reason clause // Reason for any number
	pc     uint64 // of a function without a name
}

// worse orders findings by what to look at first.
func worse(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(b.Severity, a.Severity),
		cmp.Compare(b.Count, a.Count),
		cmp.Compare(a.Operation.rank(), b.Operation.rank()),
		cmp.Compare(a.Function, b.Function),
		cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Operation, b.Operation),
	)
}

// rank orders operations by how much they tell: a sender and a goroutine that
// waits for a lock have something to do, a receiver most often waits for work,
// and one that waits for the end of others waits because of them.
func (op Operation) rank() int {
	switch {
	case op == WaitGroup:
		return 2
	case parked(op) && op != SelectNoCases:
		return 1
	}
	return 0
}

// merge adds the same finding on another instance of a fleet. The worse of
// the two tells the story; the count is of both.
func (f *Finding) merge(other Finding, instance string) {
	instances, count := f.Instances, f.Count+other.Count
	requests := f.Requests + other.Requests
	if worse(other, *f) < 0 {
		*f = other
	}
	instances[instance] += other.Count
	f.Instances, f.Count, f.Requests = instances, count, requests
	f.Sentence = fmt.Sprintf("%s, on %d instances", f.sentence(), len(instances))
}

// clause is a part of a sentence about one goroutine, or about several.
type clause struct{ one, many string }

// same is a clause that does not depend on the number.
func same(text string) clause { return clause{text, text} }

func (c clause) of(n int) string {
	if n == 1 {
		return c.one
	}
	return c.many
}

func (c clause) join(d clause) clause {
	return clause{c.one + d.one, c.many + d.many}
}

// and lists two clauses.
func (c clause) and(d clause) clause {
	if c == (clause{}) {
		return d
	}
	return c.join(same("; ")).join(d)
}

// finding is s in the form of the report.
func (s *site) finding() Finding {
	v := s.verdict
	f := Finding{
		Severity: v.severity, Operation: s.op,
		Function: s.at.Func, File: s.at.File, Line: s.at.Line,
		Count: s.count, RequestPath: 2*s.requests >= s.count,
		Receiver: v.receiver, Confidence: v.confidence,
		ReceiverConfidence: v.other,
		Stacks:             s.stacks,
		Requests:           s.requests, Entry: s.entry, Resource: s.resource,
		Reason: v.clause.of(s.count), reason: v.clause, pc: s.at.PC,
	}
	if len(v.stacks) > 0 {
		f.Stacks = v.stacks
	}
	text := v.clause.of(s.count)
	f.Evidence = slices.DeleteFunc(slices.Clone(v.evidence), func(e string) bool {
		return strings.Contains(text, e)
	})
	if s.guessed && (s.op == ChanSend || s.op == ChanReceive) {
		f.Evidence = append(f.Evidence, "a channel operation whose calls have no "+
			"names: which one is told by their addresses")
	}
	if s.longest > 0 {
		f.Evidence = append(f.Evidence, "the longest has waited "+
			printable.Plural(s.longest, "minute"))
	}
	f.Sentence = f.sentence()
	return f
}

// root is the sentence of f with the id of a single goroutine, by which a reader
// of the dump finds it.
func (f *Finding) root() string {
	rest, single := strings.CutPrefix(f.Sentence, oneGoroutine)
	if !single || len(f.Stacks) == 0 || len(f.Stacks[0].ids()) == 0 {
		return f.Sentence
	}
	return f.Stacks[0].who() + " " + rest
}

// isRoot reports whether a report has the sentence of f for its root. The
// report may have been through JSON, which leaves the ids to the root.
func (f *Finding) isRoot(root string) bool {
	rest, single := strings.CutPrefix(f.Sentence, oneGoroutine)
	return root == f.Sentence || single && strings.HasSuffix(root, " "+rest)
}

const oneGoroutine = "1 goroutine "

// sentence is "7,978 goroutines are blocked sending in
// log4go.(*FileLogTraceWriter).LogWrite (filelog.go:212), all on the path of
// HTTP requests; no goroutine is receiving there".
func (f *Finding) sentence() string {
	be := clause{"goroutine is", "goroutines are"}.of(f.Count)
	what := doing(f.Operation)
	if f.Resource != "" {
		what = "waiting for " + f.Resource
	}
	text := fmt.Sprintf("%s %s %s in %s", printable.Number(f.Count), be, what,
		name(Frame{Func: f.Function, File: f.File, Line: f.Line, PC: f.pc}))
	switch {
	case f.Requests == 0:
	case f.Requests < f.Count:
		text += fmt.Sprintf(", %s of them on the path of requests",
			printable.Number(f.Requests))
	case f.Count == 1:
		article := "an" // HTTP and RPC, as they are said
		if f.Entry == "gRPC request" {
			article = "a"
		}
		text += fmt.Sprintf(", on the path of %s %s", article, f.Entry)
	default:
		text += fmt.Sprintf(", all on the path of %ss", f.Entry)
	}
	reason := f.reason
	if reason == (clause{}) {
		reason = same(f.Reason) // it has been through JSON
	}
	if reason.of(f.Count) != "" {
		text += "; " + reason.of(f.Count)
	}
	return text
}

// name is "pkg.(*T).Method (file.go:12)".
func name(f Frame) string {
	function := short(f.Func)
	switch {
	case function == "" && f.PC == 0:
		function = "a function that the input does not name"
	case function == "":
		function = fmt.Sprintf("%#x", f.PC)
	}
	if f.File == "" {
		return function
	}
	return function + " (" + place(base(f.File), f.Line) + ")"
}
