package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/chanx/bench/plan"
)

// margin is by how much a peer must be ahead for it to be more than noise.
const margin = 1.10

// win is a figure in which a peer is ahead of everything of ours.
type win struct {
	table, group, column, peer, theirs, own, ours string
}

// wins lists the rows where a peer wins, as they are in the tables.
func wins(w io.Writer, sections []plan.Section) {
	fmt.Fprint(w, "\n## Where a peer wins\n\n")
	var all []win
	for _, s := range sections {
		for _, t := range s.Tables {
			if t.Compare != nil {
				all = append(all, ahead(t)...)
			}
		}
	}
	if len(all) == 0 {
		fmt.Fprintln(w, "Nowhere by more than a tenth.")
		return
	}
	fmt.Fprintf(w, "The best peer of each figure, where it is ahead of the "+
		"best of ours by more than a tenth: %d figures.\n\n", len(all))
	line(w, []string{"table", "row", "figure", "peer", "theirs", "ours", ""})
	line(w, slices.Repeat([]string{"---"}, 7))
	for _, v := range all {
		line(w, []string{v.table, v.group, v.column, v.peer, v.theirs, v.own, v.ours})
	}
}

// ahead compares within each group of rows and each column that counts.
func ahead(t plan.Table) []win {
	var all []win
	for _, group := range groups(t) {
		for i, column := range t.Columns {
			less := slices.Contains(t.Compare.Less, i)
			if !less && !slices.Contains(t.Compare.More, i) {
				continue
			}
			theirs, own := best(t, group, i, less)
			if theirs == nil || own == nil || !beats(theirs[i], own[i], less) {
				continue
			}
			all = append(all, win{t.Title, group, column,
				theirs[t.Compare.Name], theirs[i], own[i], own[t.Compare.Name]})
		}
	}
	return all
}

func groups(t plan.Table) []string {
	if t.Compare.Group < 0 {
		return []string{""}
	}
	var all []string
	for _, row := range t.Rows {
		if g := row[t.Compare.Group]; !slices.Contains(all, g) {
			all = append(all, g)
		}
	}
	return all
}

// best returns the best row of the peers and the best of ours.
func best(t plan.Table, group string, i int, less bool) (theirs, own []string) {
	for _, row := range t.Rows {
		if t.Compare.Group >= 0 && row[t.Compare.Group] != group {
			continue
		}
		side := &theirs
		if slices.Contains(t.Compare.Ours, row[t.Compare.Name]) {
			side = &own
		}
		if better(row, *side, i, less) {
			*side = row
		}
	}
	return theirs, own
}

func better(row, than []string, i int, less bool) bool {
	a, ok := number(row[i])
	if !ok || than == nil {
		return ok
	}
	b, _ := number(than[i])
	return less && a < b || !less && a > b
}

// beats asks for the margin. Against nought any figure is ahead that is not
// nought itself.
func beats(theirs, own string, less bool) bool {
	a, _ := number(theirs)
	b, _ := number(own)
	if less {
		return a*margin < b
	}
	return a > b*margin
}

// number reads a cell: a number, or a duration, which comes back in seconds.
func number(cell string) (float64, bool) {
	cell = strings.NewReplacer("*", "", ",", "", " ", "", "%", "").Replace(cell)
	if f, err := strconv.ParseFloat(cell, 64); err == nil {
		return f, true
	}
	d, err := time.ParseDuration(cell)
	return d.Seconds(), err == nil
}
