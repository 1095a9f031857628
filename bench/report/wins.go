package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"example.com/chanx/bench/plan"
)

// margin is by how much a peer must be ahead to be worth a word.
const margin = 1.10

// win is a figure in which a peer is ahead of everything of ours.
type win struct {
	table, group, column, peer, theirs, own, ours string

	sure bool // each round of theirs was better than each of ours
}

const winsText = `Compared are the best peer and the best of ours, row by row and figure by
figure, within their kind where there are kinds: who drops the oldest value with
who drops the oldest. A peer of a kind that has none of ours is compared with
the best of ours. A peer is ahead if its median is, by more than a tenth, and if
each of its rounds was better than each of ours. Where rounds overlap it may be
chance; those figures are listed apart. A † marks a peer that fails a check of
its section: it loses, mixes up or miscounts some of what it is given.
`

// wins lists the rows where a peer wins, as they are in the tables.
func wins(w io.Writer, sections []plan.Section) {
	fmt.Fprint(w, "\n## Where a peer wins\n\n", winsText)
	var all []win
	compared := 0
	for _, s := range sections {
		for _, t := range s.Tables {
			if t.Compare != nil {
				found, of := ahead(t)
				all, compared = append(all, found...), compared+of
			}
		}
	}
	sure, chance := apart(all)
	fmt.Fprintf(w, "\nOf %d figures a peer is ahead in %d; in %d more it may "+
		"be by chance.\n", compared, len(sure), len(chance))
	winTable(w, sure)
	if len(chance) > 0 {
		fmt.Fprint(w, "\n<details><summary>May be by chance</summary>\n")
		winTable(w, chance)
		fmt.Fprint(w, "\n</details>\n")
	}
}

func apart(all []win) (sure, chance []win) {
	for _, v := range all {
		if v.sure {
			sure = append(sure, v)
		} else {
			chance = append(chance, v)
		}
	}
	return sure, chance
}

// winTable has one line for all rows of a table in which the same two meet.
func winTable(w io.Writer, all []win) {
	var order [][]string
	where := map[string][]string{}
	for _, v := range all {
		cells := []string{v.table, v.column, v.peer, v.ours}
		key := strings.Join(cells, "\n")
		if where[key] == nil {
			order = append(order, cells)
		}
		values := v.theirs + " against " + v.own
		if v.group != "" {
			values = v.group + ": " + values
		}
		where[key] = append(where[key], values)
	}
	if len(order) == 0 {
		return
	}
	fmt.Fprintln(w)
	line(w, []string{"table", "figure", "peer", "of ours", "row: theirs against ours"})
	line(w, slices.Repeat([]string{"---"}, 5))
	for _, cells := range order {
		rows := strings.Join(where[strings.Join(cells, "\n")], "; ")
		line(w, append(cells, rows))
	}
}

// ahead compares within each group and kind of rows and each column that
// counts, and says how many it has compared.
func ahead(t plan.Table) (all []win, compared int) {
	for _, rivals := range rivals(t) {
		for i := range t.Columns {
			less := slices.Contains(t.Compare.Less, i)
			if !less && !slices.Contains(t.Compare.More, i) {
				continue
			}
			theirs, own := best(t, rivals, i, less)
			if theirs < 0 || own < 0 {
				continue
			}
			compared++
			if beats(t.Rows[theirs][i], t.Rows[own][i], less) {
				all = append(all, winOf(t, theirs, own, i, less))
			}
		}
	}
	return all, compared
}

func winOf(t plan.Table, theirs, own, column int, less bool) win {
	v := win{table: t.Title, column: t.Columns[column],
		peer: t.Rows[theirs][t.Compare.Name], theirs: t.Rows[theirs][column],
		ours: t.Rows[own][t.Compare.Name], own: t.Rows[own][column]}
	if slices.Contains(t.Compare.Fails, v.peer) {
		v.peer += " †"
	}
	if t.Compare.Group >= 0 {
		v.group = t.Rows[own][t.Compare.Group]
	}
	if rounds := t.Compare.Rounds; rounds != nil {
		v.sure = sure(rounds[theirs][column], rounds[own][column], less)
	}
	return v
}

// sure reports whether every round of theirs is better than every one of
// ours. By chance that befalls one pair of five rounds each in 252; two rounds
// each say nothing, so three are asked for.
func sure(theirs, own []float64, less bool) bool {
	if min(len(theirs), len(own)) < 3 {
		return false
	}
	if less {
		return slices.Max(theirs) < slices.Min(own)
	}
	return slices.Min(theirs) > slices.Max(own)
}

// rivals are the rows, by their index, that are compared with each other.
func rivals(t plan.Table) [][]int {
	var order []string
	of, own := map[string][]int{}, map[string][]int{}
	for i, row := range t.Rows {
		group := cell(row, t.Compare.Group)
		kind := group + "\n" + cell(row, t.Compare.Kind)
		if !slices.Contains(order, kind) {
			order = append(order, kind)
		}
		of[kind] = append(of[kind], i)
		if ours(t, i) {
			own[group], own[kind] = append(own[group], i), append(own[kind], i)
		}
	}
	var all [][]int
	for _, kind := range order {
		if len(own[kind]) == 0 {
			group, _, _ := strings.Cut(kind, "\n")
			of[kind] = append(of[kind], own[group]...)
		}
		all = append(all, of[kind])
	}
	return all
}

func cell(row []string, column int) string {
	if column < 0 {
		return ""
	}
	return row[column]
}

func ours(t plan.Table, row int) bool {
	return slices.Contains(t.Compare.Ours, t.Rows[row][t.Compare.Name])
}

// best returns the best row of the peers and the best of ours; -1: none.
func best(t plan.Table, rivals []int, column int, less bool) (theirs, own int) {
	theirs, own = -1, -1
	for _, i := range rivals {
		side := &theirs
		if ours(t, i) {
			side = &own
		}
		if better(t, i, *side, column, less) {
			*side = i
		}
	}
	return theirs, own
}

func better(t plan.Table, row, than, column int, less bool) bool {
	a, ok := number(t.Rows[row][column])
	if !ok || than < 0 {
		return ok
	}
	b, _ := number(t.Rows[than][column])
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

// units are those that package figure writes.
var units = map[string]float64{
	"": 1, "%": 1, "x": 1,
	"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1,
	"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9,
	"/s": 1, "k/s": 1e3, "M/s": 1e6, "G/s": 1e9,
}

// number reads a cell. Times come back in seconds.
func number(cell string) (float64, bool) {
	cell = strings.NewReplacer("*", "", ",", "", " ", "").Replace(cell)
	digits := strings.TrimRight(cell, "%xnµmskBMG/")
	f, err := strconv.ParseFloat(digits, 64)
	unit, known := units[cell[len(digits):]]
	return f * unit, err == nil && known
}
