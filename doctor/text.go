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

// WriteText writes the report for people. What came from the input is
// printed without control and invisible characters, so that a hostile dump
// cannot drive the terminal. The error is w's.
func (r *Report) WriteText(w io.Writer, opts TextOptions) error {
	if opts.Width <= 0 {
		opts.Width = 80
	}
	t := textWriter{opts: opts}
	t.summary(r)
	for i := range r.Findings {
		t.finding(&r.Findings[i])
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

func (t *textWriter) summary(r *Report) {
	about := fmt.Sprintf("%s in %s: %s", plural(r.Goroutines, "goroutine"),
		strings.Join(r.Targets, ", "), r.tally())
	t.wrap("", about)
	if r.Banner != "" {
		t.wrap("", r.Banner)
	}
	if r.Truncated {
		t.wrap("", "The input is cut short: all counts are lower bounds.")
	}
}

// tally is "1 critical, 2 warnings" or "nothing stuck".
func (r *Report) tally() string {
	var n [len(severities)]int
	for _, f := range r.Findings {
		n[f.Severity]++
	}
	var parts []string
	if n[Critical] > 0 {
		parts = append(parts, number(n[Critical])+" critical")
	}
	if n[Warning] > 0 {
		parts = append(parts, plural(n[Warning], "warning"))
	}
	if n[Info] > 0 {
		parts = append(parts, number(n[Info])+" worth a look")
	}
	if n[Critical]+n[Warning] == 0 {
		parts = append([]string{"nothing stuck"}, parts...)
	}
	return strings.Join(parts, ", ")
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return number(n) + " " + noun
}

func (t *textWriter) finding(f *Finding) {
	const indent = "          "
	label := fmt.Sprintf("%-10s", strings.ToUpper(f.Severity.String()))
	t.b.WriteByte('\n')
	start := t.b.Len()
	t.wrap(indent, f.Sentence+".")
	line := bytes.Clone(t.b.Bytes()[start+len(indent):])
	t.b.Truncate(start)
	t.b.WriteString(t.paint(f.Severity, label))
	t.b.Write(line)
	t.wrap(indent, fmt.Sprintf("confidence %s, receiver %s", f.Confidence,
		f.Receiver))
	for _, e := range f.Evidence {
		t.wrap(indent+"- ", e)
	}
	for _, instance := range slices.Sorted(maps.Keys(f.Instances)) {
		t.wrap(indent+"- ", number(f.Instances[instance])+" on "+instance)
	}
	if len(f.Stacks) > 0 {
		t.stack(indent, f.Stacks[0])
	}
	if more := len(f.Stacks) - 1; more > 0 {
		t.wrap(indent, "and "+plural(more, "other stack"))
	}
}

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
			number(c.Then), number(c.Now)))
	}
}

// groups says what the rest of the goroutines do, in one line or in full.
func (t *textWriter) groups(r *Report) {
	idle, goroutines := 0, 0
	for _, g := range r.Groups {
		if g.Verdict == "idle" || g.Verdict == "working" {
			idle++
			goroutines += g.Count
		}
	}
	if idle == 0 {
		return
	}
	fmt.Fprintf(&t.b, "\nIn order: %s in %s, idle by design or at work.\n",
		plural(goroutines, "goroutine"), plural(idle, "place"))
	if !t.opts.Idle {
		return
	}
	for _, g := range r.Groups {
		if g.Verdict == "idle" || g.Verdict == "working" || g.Verdict == "unknown" {
			at := name(Frame{Func: g.Function, File: g.File, Line: g.Line})
			t.wrap("  ", fmt.Sprintf("%s %s in %s: %s, %s", number(g.Count),
				doing(g.Operation), at, g.Verdict, g.Why))
		}
	}
}

func (t *textWriter) troubles(r *Report) {
	if r.Unreadable == 0 {
		return
	}
	fmt.Fprintf(&t.b, "\nLines or goroutines not understood: %s.\n",
		number(r.Unreadable))
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
