package page

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"example.com/chanx/bench/rows"
)

const none = "–"

// Tables writes every result as a table, with intervals.
func Tables(to io.Writer, all []rows.Result) error {
	w := bufio.NewWriter(to)
	group := ""
	for _, r := range all {
		if r.Group != group {
			group = r.Group
			fmt.Fprintf(w, "\n## %s\n", capital(group))
		}
		fmt.Fprintf(w, "\n### %s\n\n", capital(r.Name))
		table(w, r)
		for _, note := range r.Notes {
			fmt.Fprintf(w, "\n%s\n", note)
		}
	}
	return w.Flush()
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// table has a column of ratios behind the first figure, if it is a time.
func table(w io.Writer, r rows.Result) {
	compared := len(r.Rows) > 1 && r.Figures[0].Unit == rows.Time &&
		r.Rows[0].Rounds[0] != nil
	head, rule := []string{""}, []string{"---"}
	for i, f := range r.Figures {
		if !filled(r, i) {
			continue
		}
		head, rule = append(head, f.Name), append(rule, "---:")
		if i == 0 && compared {
			head, rule = append(head, "against the first"), append(rule, "---:")
		}
	}
	line(w, head)
	line(w, rule)
	for _, row := range r.Rows {
		cells := []string{row.Name}
		for i, f := range r.Figures {
			if !filled(r, i) {
				continue
			}
			cells = append(cells, span(f.Unit, row.Rounds[i]))
			if i == 0 && compared {
				cells = append(cells, ratio(row.Rounds[0], r.Rows[0].Rounds[0]))
			}
		}
		line(w, cells)
	}
}

// filled reports whether a contestant has the figure.
func filled(r rows.Result, figure int) bool {
	return slices.ContainsFunc(r.Rows, func(row rows.Row) bool {
		return row.Rounds[figure] != nil
	})
}

func line(w io.Writer, cells []string) {
	fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
}

func span(unit rows.Unit, rounds []float64) string {
	if len(rounds) == 0 {
		return none
	}
	return unit.Span(rows.Over(rounds))
}

func ratio(a, b []float64) string {
	if len(a) == 0 || len(b) == 0 {
		return none
	}
	return rows.Ratios.Span(rows.Ratio(a, b))
}
