package doctor

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"example.com/chanx/internal/printable"
)

// TextOptions are how [Report.WriteText] writes.
type TextOptions struct {
	// Width is where lines are broken; zero means 80. Calls on a stack are
	// never broken.
	Width int

	// Color writes ANSI sequences, for a terminal.
	Color bool

	// Idle lists the groups that are in order as well.
	Idle bool
}

// WriteText writes the report for people. Text from the input is printed
// without control and invisible characters, so that a hostile dump cannot drive
// the terminal. The error is w's.
func (r *Report) WriteText(w io.Writer, opts TextOptions) error {
	if opts.Width <= 0 {
		opts.Width = 80
	}
	t := textWriter{opts: opts}
	t.summary(r)
	t.waits(r.Waits)
	for i := range r.Findings {
		t.finding(&r.Findings[i], r.Root, i < maxFull)
	}
	if n := len(r.Findings) - maxFull; n > 0 {
		fmt.Fprintf(&t.b, "\nThe last %s without evidence and stacks, which the page "+
			"and JSON have.\n", printable.Plural(n, "finding"))
	}
	t.changes(r.Changes)
	t.groups(r)
	t.troubles(r)
	_, err := w.Write(t.b.Bytes())
	return err
}

type textWriter struct {
	opts TextOptions
	b    bytes.Buffer
}

// colors of the severities: yellow would be lost on white paper.
var colors = [...]string{"36", "33", "1;31"}

func (t *textWriter) paint(s Severity, text string) string {
	if !t.opts.Color {
		return text
	}
	return "\x1b[" + colors[s] + "m" + text + "\x1b[0m"
}

// summary begins with the sentence to read if only one is read.
func (t *textWriter) summary(r *Report) {
	if r.Root != "" && r.Root != r.tally() {
		t.wrap("", r.Root+".")
	}
	t.wrap("", fmt.Sprintf("%s in %s: %s; %s", printable.Plural(r.Goroutines, "goroutine"),
		r.targets(), r.tally(), r.judged()))
	if r.Extract {
		t.wrap("", "The input is a part of a dump: the goroutine that others wait "+
			"for may be in the rest.")
	}
	if r.Banner != "" {
		t.wrap("", r.Banner)
	}
	for _, n := range r.Notes {
		t.wrap("", "Not looked at: "+n+".")
	}
	if r.Truncated {
		t.wrap("", "The input is cut short: all counts are lower bounds.")
	}
}

// targets names the inputs, or their number where a line cannot hold them.
func (r *Report) targets() string {
	const most = 5
	if len(r.Targets) > most {
		return printable.Plural(len(r.Targets), "target")
	}
	return strings.Join(r.Targets, ", ")
}

// judged is "12 of 40 goroutines judged".
func (r *Report) judged() string {
	return fmt.Sprintf("%s of %s judged", printable.Number(r.Judged),
		printable.Plural(r.Goroutines, "goroutine"))
}

// waits draws the wait-for graph, as far as it fits on a screen.
func (t *textWriter) waits(waits []*Wait) {
	if len(waits) == 0 {
		return
	}
	t.b.WriteString("\nWho waits for whom:\n")
	for _, b := range tree(waits) {
		t.branch("  ", b)
	}
}

func (t *textWriter) branch(indent string, b *branch) {
	t.wrap(indent, b.Text)
	for _, below := range b.Below {
		t.branch(indent+"  ", below)
	}
}

// branch is a place of the wait-for graph as it is drawn.
type branch struct {
	Text  string
	Below []*branch
}

const (
	maxWaits     = 20 // places of the graph that are drawn
	maxWaitDepth = 10
)

// tree is as much of the wait-for graph as a screen has room for, and how
// much more there is.
func tree(waits []*Wait) []*branch {
	drawn, hidden := 0, 0
	all := branches(waits, 0, &drawn, &hidden)
	if hidden > 0 {
		all = append(all, &branch{Text: "and " + printable.Plural(hidden, "more place")})
	}
	return all
}

func branches(waits []*Wait, depth int, drawn, hidden *int) []*branch {
	var all []*branch
	for _, w := range waits {
		if depth >= maxWaitDepth || *drawn >= maxWaits {
			*hidden++
			branches(w.Waiting, maxWaitDepth, drawn, hidden)
			continue
		}
		*drawn++
		all = append(all, &branch{w.line(),
			branches(w.Waiting, depth+1, drawn, hidden)})
	}
	return all
}

// line is "goroutine 117 blocked receiving in app.f (a.go:7) for (*T) 0xc000,
// 12 minutes; 2,636 behind it".
func (w *Wait) line() string {
	var b strings.Builder
	switch {
	case w.Goroutine != 0:
		fmt.Fprintf(&b, "goroutine %d", w.Goroutine)
	default:
		b.WriteString(printable.Plural(w.Count, "goroutine"))
	}
	fmt.Fprintf(&b, " %s in %s", doing(w.Operation),
		name(Frame{Func: w.Function, File: w.File, Line: w.Line}))
	switch {
	case strings.HasPrefix(w.For, "to "):
		b.WriteString(", waiting for that one " + w.For)
	case w.For != "":
		b.WriteString(" for " + w.For)
	}
	if w.Minutes > 0 {
		b.WriteString(", " + printable.Plural(w.Minutes, "minute"))
	}
	if w.Cycle {
		b.WriteString(", and so for itself")
	}
	if w.Behind > 0 {
		fmt.Fprintf(&b, "; %s behind it", printable.Number(w.Behind))
	}
	return b.String()
}

// tally is "1 critical, 2 warnings", "nothing stuck", or what there is no
// opinion on.
func (r *Report) tally() string {
	var n [len(severities)]int
	for _, f := range r.Findings {
		n[f.Severity]++
	}
	var parts []string
	if n[Critical] > 0 {
		parts = append(parts, printable.Number(n[Critical])+" critical")
	}
	if n[Warning] > 0 {
		parts = append(parts, printable.Plural(n[Warning], "warning"))
	}
	if n[Info] > 0 {
		parts = append(parts, printable.Number(n[Info])+" worth a look")
	}
	switch {
	case n[Critical]+n[Warning] > 0:
	case !r.Complete():
		parts = append(parts, r.doubt())
	case n[Info] > 0 && r.doubtful(): // what decides is not in the input
	default:
		parts = append([]string{"nothing stuck"}, parts...)
	}
	return strings.Join(parts, ", ")
}

// doubtful reports whether a finding says that the input does not tell.
func (r *Report) doubtful() bool {
	return slices.ContainsFunc(r.Groups, func(g Group) bool {
		return g.Reported && g.Verdict == VerdictUnknown
	})
}

// maxFull findings are shown in full, and the rest, which are the least of
// them, in brief: hundreds of places are too much to read to the end.
const maxFull = 20

// finding writes f, whose sentence may have been said as the root.
func (t *textWriter) finding(f *Finding, root string, full bool) {
	const indent = "          "
	label := fmt.Sprintf("%-10s", strings.ToUpper(f.Severity.String()))
	t.b.WriteByte('\n')
	start := t.b.Len()
	t.wrap(indent, f.line(root)+".")
	line := bytes.Clone(t.b.Bytes()[start+len(indent):])
	t.b.Truncate(start)
	t.b.WriteString(t.paint(f.Severity, label))
	t.b.Write(line)
	if !full {
		return
	}
	t.wrap(indent, f.assurance())
	for _, e := range f.Evidence {
		t.wrap(indent+"- ", e)
	}
	for i, instance := range slices.Sorted(maps.Keys(f.Instances)) {
		if i == maxInstances {
			t.wrap(indent+"- ", "and on "+printable.Number(len(f.Instances)-i)+" more")
			break
		}
		t.wrap(indent+"- ", f.on(instance))
	}
	if len(f.Stacks) > 0 {
		if s := f.Stacks[0]; len(f.Instances) <= 1 && len(s.ids()) > 0 {
			t.wrap(indent+"  ", s.who())
		}
		t.stack(indent, f.Stacks[0])
	}
	if more := len(f.Stacks) - 1; more > 0 {
		t.wrap(indent, "and "+printable.Plural(more, "other stack"))
	}
}

// line returns the sentence of f, or less if that was said as the root.
func (f *Finding) line(root string) string {
	if f.isRoot(root) && f.Function != "" {
		return f.heading()
	}
	return f.Sentence
}

// heading is "12 blocked sending in app.f (app.go:7)".
func (f *Finding) heading() string {
	return fmt.Sprintf("%s %s in %s", printable.Number(f.Count), doing(f.Operation),
		name(Frame{Func: f.Function, File: f.File, Line: f.Line}))
}

// on is "12 on http://10.0.0.1:6060", or the name of an instance of which no
// goroutine is counted.
func (f *Finding) on(instance string) string {
	if n := f.Instances[instance]; n > 0 {
		return printable.Number(n) + " on " + instance
	}
	return instance
}

// assurance is how sure both halves of the sentence are, in one line.
func (f *Finding) assurance() string {
	s := fmt.Sprintf("confidence %s, receiver %s", f.Confidence, f.Receiver)
	if f.ReceiverConfidence != "" && f.ReceiverConfidence != f.Confidence {
		s += fmt.Sprintf(" (confidence %s)", f.ReceiverConfidence)
	}
	return s
}

// maxInstances of a fleet are listed with a finding; JSON has all.
const maxInstances = 10

func (t *textWriter) stack(indent string, s *Stack) {
	for _, f := range s.Frames {
		t.line(indent + "  " + call(f))
	}
	if s.CreatedBy.Func != "" {
		t.line(indent + "  created by " + call(s.CreatedBy))
	}
}

// call is a frame with its whole symbol and path, to be pasted elsewhere.
func call(f Frame) string {
	if f.Func == "" {
		return fmt.Sprintf("%#x", f.PC)
	}
	return strings.TrimSuffix(f.Func+" "+place(f.File, f.Line), " ")
}

// place is "file:12", or the file alone where the line is not known.
func place(file string, line int) string {
	if file == "" || line <= 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}

func (t *textWriter) changes(changes []Change) {
	const most = 10
	for i, c := range changes {
		switch i {
		case 0:
			t.b.WriteString("\nSince the first snapshot:\n")
		case most:
			fmt.Fprintf(&t.b, "  and %d more\n", len(changes)-most)
			return
		}
		t.line(fmt.Sprintf("  %s: %s then, %s now", short(c.Function),
			printable.Number(c.Then), printable.Number(c.Now)))
	}
}

// groups lists the other goroutines, in one line or in full.
func (t *textWriter) groups(r *Report) {
	idle, goroutines := 0, 0
	for _, g := range r.Groups {
		if g.inOrder() {
			idle++
			goroutines += g.Count
		}
	}
	if idle == 0 {
		return
	}
	fmt.Fprintf(&t.b, "\nIn order: %s in %s, idle by design or at work.\n",
		printable.Plural(goroutines, "goroutine"), printable.Plural(idle, "place"))
	if !t.opts.Idle {
		return
	}
	for _, g := range r.Groups {
		if g.inOrder() || g.Verdict == VerdictUnknown && !g.Reported {
			at := name(Frame{Func: g.Function, File: g.File, Line: g.Line})
			t.wrap("  ", fmt.Sprintf("%s %s in %s: %s, %s", printable.Number(g.Count),
				doing(g.Operation), at, g.Verdict, g.Why))
		}
	}
}

func (t *textWriter) troubles(r *Report) {
	if r.Unreadable == 0 {
		return
	}
	fmt.Fprintf(&t.b, "\nLines or goroutines not understood: %s.\n",
		printable.Number(r.Unreadable))
	for _, tr := range r.Troubles {
		at := ""
		if tr.Line > 0 {
			at = fmt.Sprintf("line %d: ", tr.Line)
		}
		text := ""
		if tr.Text != "" {
			text = fmt.Sprintf(": %q", tr.Text)
		}
		t.wrap("  ", at+tr.Why+text)
	}
}

// line writes s, which may hold text from the input, as one line. All such
// text goes through here or through wrap.
func (t *textWriter) line(s string) { t.b.WriteString(clean(s) + "\n") }

// wrap writes text in lines that begin with indent; a dash in indent is
// written once.
func (t *textWriter) wrap(indent, text string) {
	text = clean(text)
	line := indent
	empty := true
	for word := range strings.FieldsSeq(text) {
		if !empty && utf8.RuneCountInString(line+" "+word) > t.opts.Width {
			t.b.WriteString(line + "\n")
			line, empty = strings.ReplaceAll(indent, "-", " "), true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	t.b.WriteString(line + "\n")
}

// clean replaces the characters that a terminal obeys and that a reader does
// not see.
func clean(s string) string { return printable.Text(s) }
