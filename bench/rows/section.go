package rows

import (
	"fmt"

	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
)

const text = `What the library set itself to reach, against what it is compared
with in the same run. A ratio is ours by theirs. Operations that wait, and those of
several goroutines on one queue, are in the section Contention. In a quick run,
or on a busy machine, the figures mean little.`

// Run measures every row. A row that is missed is said to be, and is no error.
func Run(o plan.Options) (plan.Section, error) {
	s := plan.Section{Title: "Ratios asked for", Text: text}
	if o.Steps != nil {
		o.Steps(len(sources))
	}
	found, err := measureAll(o)
	if err != nil {
		return s, err
	}
	t := plan.Table{
		Title:   "Ratios",
		Columns: []string{"what", "against", "asked for", "is", ""},
	}
	for _, r := range rows {
		cells, err := r.cells(found)
		if err != nil {
			return s, err
		}
		t.Rows = append(t.Rows, cells)
	}
	s.Tables = []plan.Table{t}
	return s, nil
}

// measureAll measures each source once. The sources' own steps are not told:
// they do not announce how many there will be.
func measureAll(o plan.Options) (map[string]map[string]float64, error) {
	found := make(map[string]map[string]float64)
	for _, s := range sources {
		if o.Step != nil {
			o.Step("ratios: " + s.name)
		}
		quiet := o
		quiet.Step, quiet.Steps = nil, nil
		values, err := s.measure(quiet)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		found[s.name] = values
	}
	return found, nil
}

// cells is an error for a row that nothing measures.
func (r row) cells(found map[string]map[string]float64) ([]string, error) {
	v, ok := found[r.from.name][r.key]
	if !ok {
		return nil, fmt.Errorf("no measurement of %q in %s", r.key, r.from.name)
	}
	asked, verdict := "at most ", "reached"
	if r.atLeast {
		asked = "at least "
	}
	if !r.reached(v) {
		verdict = "**missed**"
	}
	wanted := asked + r.figure(r.want)
	against := r.against
	if against == "" {
		against = figure.None
	}
	return []string{r.what, against, wanted, r.figure(v), verdict}, nil
}

func (r row) reached(v float64) bool {
	if r.atLeast {
		return v >= r.want
	}
	return v <= r.want
}

// figure writes a ratio, or a number if there is nothing to compare with. What
// is far below one is easier to read as a part of it.
func (r row) figure(v float64) string {
	switch {
	case r.against == "":
		return figure.Number(v)
	case v > 0 && v < 0.2:
		return fmt.Sprintf("1/%.1f", 1/v)
	}
	return fmt.Sprintf("%.2fx", v)
}
