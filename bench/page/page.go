// Package page writes the results of the contests: one page with the answers,
// its pictures, and all of the tables.
package page

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.com/chanx/bench/rows"
)

// Write writes BENCHMARKS.md, bench/RESULTS.md and docs/plots under dir.
func Write(dir string, all []rows.Result) error {
	plots := filepath.Join(dir, "docs", "plots")
	if err := os.MkdirAll(plots, 0o755); err != nil {
		return err
	}
	for _, p := range pictures(all) {
		for suffix, c := range map[string]colors{"": light, "-dark": dark} {
			file := filepath.Join(plots, p.file+suffix+".svg")
			if err := os.WriteFile(file, p.svg(c), 0o644); err != nil {
				return err
			}
		}
	}
	var first, rest bytes.Buffer
	Page(&first, all)
	fmt.Fprintf(&rest, resultsHead, strings.Join(machines(all), "; "))
	if err := Tables(&rest, all); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "BENCHMARKS.md"), first.Bytes(),
		0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "bench", "RESULTS.md"), rest.Bytes(), 0o644)
}

const resultsHead = `# All results

Written by ` + "`go -C bench run .`" + `; edits are lost. [The page](../BENCHMARKS.md) has the answers.
A figure is the median of the rounds and, behind it, the middle 80 %% of them, or all
if there are fewer than ten. Ratios are taken within each round. In each round
another contestant is the first. The group One operation runs benchmarks of
bench_test.go, each measurement in a separate process. Machine: %s.
`

const pageHead = `# Benchmarks

The cost of chanx against a plain channel and against the code that programs
have today. Written by ` + "`go -C bench run .`" + `; edits are lost.
All tables: [bench/RESULTS.md](bench/RESULTS.md).

%s. Values of 8 bytes, capacity 1,024, values used on both sides. A
figure is the median of 5 to 21 rounds in rotation, the interval the middle 80 %%
of the rounds (all of them if fewer than ten). Two copies of one loop, of the
same channel, differ by %s: any ratio within that is noise.

## The cost against a channel

`

// Page writes the page.
func Page(w io.Writer, all []rows.Result) {
	f := finder{all}
	same := ratio(f.rounds(cell{"", opRoom, "channel, once more", "time"}),
		f.rounds(cell{"", opRoom, "channel", "time"}))
	fmt.Fprintf(w, pageHead, strings.Join(machines(all), "; "), same)
	line(w, []string{"situation", "channel", "by hand", "chanx", "chanx : channel",
		"allocs", "value and caller"})
	line(w, []string{"---", "---:", "---:", "---:", "---:", "---:", "---"})
	for _, s := range situations {
		line(w, s.cells(f))
	}
	fmt.Fprintf(w, below, f.text(requestCPU))
	for _, p := range pictures(all) {
		fmt.Fprintf(w, "\n<picture><source media=\"(prefers-color-scheme: dark)\" "+
			"srcset=\"docs/plots/%[1]s-dark.svg\"><img alt=\"%[2]s\" "+
			"src=\"docs/plots/%[1]s.svg\"></picture>\n", p.file, p.title)
	}
	fmt.Fprintf(w, "\n## Where a peer or the plain channel is ahead\n\n")
	for _, s := range aheads(f) {
		fmt.Fprintf(w, "- %s\n", s)
	}
	longest := func(row string) string {
		return span(rows.Time, f.rounds(cell{"", idleReceiver, row, "longest call"}))
	}
	fmt.Fprintf(w, limits, longest("Ring.Send"), longest("evict and retry"))
}

// machines are those of the results, with the commits.
func machines(all []rows.Result) (names []string) {
	commits := map[string][]string{}
	for _, r := range all {
		if !slices.Contains(names, r.Machine) {
			names = append(names, r.Machine)
		}
		if !slices.Contains(commits[r.Machine], r.Commit) {
			commits[r.Machine] = append(commits[r.Machine], r.Commit)
		}
	}
	for i, name := range names {
		names[i] = name + ", commit " + strings.Join(commits[name], ", ")
	}
	return names
}

// A cell is one figure of one contestant.
type cell struct{ label, contest, row, figure string }

type finder struct{ all []rows.Result }

// rounds returns nil for a figure that was not measured.
func (f finder) rounds(c cell) []float64 {
	for _, r := range f.all {
		if r.Group+"/"+r.Name == c.contest {
			return r.Row(c.row, c.figure)
		}
	}
	return nil
}

func (f finder) unit(c cell) rows.Unit {
	for _, r := range f.all {
		for _, figure := range r.Figures {
			if r.Group+"/"+r.Name == c.contest && figure.Name == c.figure {
				return figure.Unit
			}
		}
	}
	return rows.Plain
}

// text returns the medians of cells, with their labels.
func (f finder) text(all []cell) string {
	var parts []string
	for _, c := range all {
		text := none
		if rounds := f.rounds(c); rounds != nil {
			text = f.unit(c).Format(rows.Over(rounds).Median)
		}
		parts = append(parts, strings.TrimSpace(c.label+" "+text))
	}
	if parts == nil {
		return none
	}
	return strings.Join(parts, "; ")
}

func (f finder) ratios(ours []cell, base cell) string {
	var parts []string
	for _, c := range ours {
		parts = append(parts, ratio(f.rounds(c), f.rounds(base)))
	}
	return strings.Join(parts, "; ")
}

// A situation is a row of the table.
type situation struct {
	name            string
	raw, hand, ours []cell
	allocs          string // where the contest does not count them
	result          string
	lost            []cell // shown behind result
}

func (s situation) cells(f finder) []string {
	base, raw := "", f.text(s.raw)
	var ratios string
	switch {
	case len(s.raw) > 0:
		ratios = f.ratios(s.ours, s.raw[0])
	case len(s.hand) > 0:
		base, raw = " of by hand", "waits"
		ratios = f.ratios(s.ours, s.hand[0])
	}
	result := s.result
	if s.lost != nil {
		result = strings.TrimSpace(result + " " + f.text(s.lost))
	}
	return []string{s.name, raw, f.text(s.hand), f.text(s.ours), ratios + base,
		s.allocations(f), result}
}

func (s situation) allocations(f finder) string {
	var counts []string
	for _, c := range s.ours {
		c.figure = "allocations"
		if rounds := f.rounds(c); rounds != nil {
			n := rows.Plain.Format(rows.Over(rounds).Median)
			if !slices.Contains(counts, n) {
				counts = append(counts, n)
			}
		}
	}
	if counts == nil {
		return s.allocs
	}
	return strings.Join(counts, "; ")
}
