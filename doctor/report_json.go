package doctor

import (
	"bytes"
	"encoding/json"
	"io"
	"time"
	"unicode/utf8"

	"example.com/chanx/internal/printable"
)

// WriteJSON writes the report as one JSON object: targets, time, instances,
// goroutines, judged, unreadable with the first troubles, extract, root, the
// findings, worst first, with their evidence, and the wait-for graph: waits as
// trees of [Wait], edges as a flat list. Lists that the object always has are
// empty rather than null.
// Control and invisible characters in a string are replaced by U+FFFD, since
// jq -r writes it to a terminal. The error is w's.
func (r *Report) WriteJSON(w io.Writer) error {
	return writeJSON(w, r.encoded(nil))
}

// WriteJSONStacks writes what WriteJSON writes, and groups: all goroutines by
// place with their stacks. It is what another program needs to judge for
// itself, and many times as long.
func (r *Report) WriteJSONStacks(w io.Writer) error {
	return writeJSON(w, r.encoded(r.Groups))
}

// encodedReport is a Report in JSON.
type encodedReport struct {
	Targets    []string   `json:"targets"`
	Time       time.Time  `json:"time,omitzero"`
	Instances  []Instance `json:"instances,omitempty"`
	Goroutines int        `json:"goroutines"`
	Judged     int        `json:"judged"`
	Unreadable int        `json:"unreadable"`
	Troubles   []Trouble  `json:"troubles,omitempty"`
	Truncated  bool       `json:"truncated,omitempty"`
	Extract    bool       `json:"extract"`
	Banner     string     `json:"banner,omitempty"`
	Root       string     `json:"root"`
	Findings   []Finding  `json:"findings"`
	Waits      []*Wait    `json:"waits"`
	Edges      []edge     `json:"edges"`
	Changes    []Change   `json:"changes,omitempty"`
	Notes      []string   `json:"notes,omitempty"`
	Groups     []Group    `json:"groups,omitempty"`
}

func (r *Report) encoded(groups []Group) encodedReport {
	e := encodedReport{
		Targets: r.Targets, Time: r.taken(), Instances: r.Instances,
		Goroutines: r.Goroutines, Judged: r.Judged, Unreadable: r.Unreadable,
		Troubles: r.Troubles, Truncated: r.Truncated, Extract: r.Extract,
		Banner: r.Banner, Root: r.Root, Findings: r.Findings, Waits: r.Waits,
		Edges: edges(nil, r.Waits), Notes: r.Notes, Changes: r.Changes,
		Groups: groups,
	}
	if e.Targets == nil {
		e.Targets = []string{}
	}
	if e.Findings == nil {
		e.Findings = []Finding{}
	}
	if e.Waits == nil {
		e.Waits = []*Wait{}
	}
	return e
}

// edge is one edge of the wait-for graph, from the waiting goroutines to the
// one that they wait for, for programs that follow no trees.
type edge struct {
	From end    `json:"from"`
	To   end    `json:"to"`
	For  string `json:"for"`
}

type end struct {
	Goroutine uint64    `json:"goroutine,omitempty"`
	Count     int       `json:"count"`
	Operation Operation `json:"operation"`
	Function  string    `json:"function"`
	File      string    `json:"file"`
	Line      int       `json:"line"`
}

func (w *Wait) end() end {
	return end{w.Goroutine, w.Count, w.Operation, w.Function, w.File, w.Line}
}

// edges appends those of the trees to all, which is never nil afterwards.
func edges(all []edge, waits []*Wait) []edge {
	if all == nil {
		all = []edge{}
	}
	for _, to := range waits {
		for _, from := range to.Waiting {
			all = append(all, edge{from.end(), to.end(), from.For})
		}
		all = edges(all, to.Waiting)
	}
	return all
}

// taken is the time of the last snapshot, if known.
func (r *Report) taken() time.Time {
	var last time.Time
	for _, i := range r.Instances {
		if i.Taken.After(last) {
			last = i.Taken
		}
	}
	return last
}

// writeJSON encodes v for people as well as programs, and every string in it
// without the characters that [printable.Rune] replaces.
func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(printableJSON(b.Bytes()))
	return err
}

// printableJSON replaces the unprintable characters in the strings of encoded
// JSON, whichever field they are in. An escape other than of a quote or a
// backslash is of such a character: the encoder writes all others as they are.
func printableJSON(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		c, n := utf8.DecodeRune(text[i:])
		switch {
		case c == '\n':
			out = append(out, '\n') // between values; within one it is escaped
		case c == '\\' && (text[i+1] == '"' || text[i+1] == '\\'):
			n = 2
			out = append(out, text[i:i+2]...)
		case c == '\\' && text[i+1] == 't':
			n = 2
			out = append(out, ' ')
		case c == '\\':
			n = 2
			if text[i+1] == 'u' {
				n = 6
			}
			out = utf8.AppendRune(out, utf8.RuneError)
		default:
			out = utf8.AppendRune(out, printable.Rune(c))
		}
		i += n
	}
	return out
}
