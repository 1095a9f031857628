package doctor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// finding is s in the form of the report.
func (s *site) finding() Finding {
	v := s.verdict
	f := Finding{
		Severity: v.severity, Operation: s.op,
		Function: s.at.Func, File: s.at.File, Line: s.at.Line,
		Count: s.count, RequestPath: 2*s.requests >= s.count,
		Receiver: v.receiver, Confidence: v.confidence,
		Stacks: s.stacks,
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
