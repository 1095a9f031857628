package doctor

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"example.com/chanx/internal/printable"
)

// table is what go tool pprof -top, -peek or -tree prints of a profile of
// goroutines: how many are in each function, without their stacks.
//
//	 flat  flat%   sum%        cum   cum%
//	44362   100%   100%      44362   100%  runtime.gopark
//	    0     0%   100%      37158 83.76%  app.(*Queue).Put
//	                                        44260 99.77% |   runtime.chansend
type table struct {
	parked bool // it is of goroutines
	rows   []tableRow
}

type tableRow struct {
	count int
	name  string
}

// columnsRemedy is the remedy for a table of functions.
const columnsRemedy = "the output of go tool pprof -top, -peek or -tree, which has " +
	"no stacks: give the profile itself, or the output of go tool pprof -traces"

// isColumns reports whether line is the heading of a table of functions. A page
// makes one blank of several.
func isColumns(line []byte) bool {
	return bytes.Contains(line, []byte("flat%")) && bytes.Contains(
		bytes.Join(bytes.Fields(line), []byte{' '}), []byte("flat flat% sum% cum cum%"))
}

// maxRows bounds the rows of a table that are kept.
const maxRows = 1 << 10

// row takes a row of a table, and reports whether line is one.
func (t *table) row(line []byte) bool {
	if bytes.Count(line, []byte{'%'}) < 3 {
		return false
	}
	fields := bytes.Fields(bytes.TrimLeft(line, "> |\t"))
	if len(fields) < 6 || !isNumber(fields[0]) || !isNumber(fields[3]) ||
		!isShare(fields[1]) || !isShare(fields[2]) || !isShare(fields[4]) {
		return false
	}
	name := fields[5]
	if len(fields) > 6 && string(name) == "|" {
		name = fields[6]
	}
	if !isSymbol(name) {
		return false
	}
	n, _ := strconv.Atoi(string(fields[3]))
	t.parked = t.parked || string(name) == "runtime.gopark"
	if len(t.rows) < maxRows {
		t.rows = append(t.rows, tableRow{n, printable.Text(string(name))})
	}
	return true
}

func isShare(s []byte) bool {
	s, ok := bytes.CutSuffix(s, []byte{'%'})
	return ok && isNumber(bytes.Replace(s, []byte{'.'}, nil, 1))
}

// maxNamed is the number of functions of a table that are named.
const maxNamed = 3

// says names how the goroutines of the table wait, and the functions outside the
// standard library that most of them are in.
func (t *table) says() string {
	if !t.parked {
		return ""
	}
	slices.SortStableFunc(t.rows, func(a, b tableRow) int {
		return cmp.Compare(b.count, a.count)
	})
	var waits, users []string
	for _, r := range t.rows {
		text := short(r.name) + " (" + printable.Number(r.count) + ")"
		switch r.name {
		case "runtime.chansend", "runtime.chanrecv", "runtime.selectgo",
			"runtime.semacquire1", "internal/poll.runtime_pollWait":
			waits = append(waits, text)
		default:
			if !isStd(r.name) && len(users) < maxNamed {
				users = append(users, text)
			}
		}
	}
	if len(waits)+len(users) == 0 {
		return ""
	}
	return "; most goroutines in it are in " + strings.Join(append(waits[:min(
		len(waits), maxNamed)], users...), ", ")
}
