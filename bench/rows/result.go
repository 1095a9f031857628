package rows

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
)

// A Result is what a contest has shown: one line of the file of results.
type Result struct {
	Group   string   `json:"group"`
	Name    string   `json:"name"`
	Machine string   `json:"machine"`
	Commit  string   `json:"commit"`
	Figures []Figure `json:"figures"`
	Rows    []Row    `json:"rows"`
	Notes   []string `json:"notes,omitempty"`
}

// A Row is one contestant.
type Row struct {
	Name   string      `json:"name"`
	Rounds [][]float64 `json:"rounds"` // of each figure; nil: it has none
}

// Load reads results, one on a line. A file that does not exist has none.
func Load(file string) (all []Result, err error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for d := json.NewDecoder(bytes.NewReader(text)); err == nil && d.More(); {
		var r Result
		err = d.Decode(&r)
		all = append(all, r)
	}
	return all, err
}

// Save writes results, one on a line.
func Save(file string, all []Result) error {
	var b bytes.Buffer
	for _, r := range all {
		if err := json.NewEncoder(&b).Encode(r); err != nil {
			return err
		}
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// Replace returns all with those of the same contest replaced by measured, in
// the order of contests and with their notes.
func Replace(all, measured []Result, contests []Contest) (merged []Result) {
	for _, c := range contests {
		same := func(r Result) bool { return r.Group == c.Group && r.Name == c.Name }
		for _, of := range [][]Result{measured, all} {
			if i := slices.IndexFunc(of, same); i >= 0 {
				r := of[i]
				r.Notes = c.Notes
				merged = append(merged, r)
				break
			}
		}
	}
	return merged
}

// Row returns the rounds of a contestant's figure, nil if there are none.
func (r Result) Row(name, figure string) []float64 {
	f := slices.IndexFunc(r.Figures, func(f Figure) bool { return f.Name == figure })
	i := slices.IndexFunc(r.Rows, func(row Row) bool { return row.Name == name })
	if f < 0 || i < 0 {
		return nil
	}
	return r.Rows[i].Rounds[f]
}

// An Interval is the median of the rounds and the middle 80 % of them, all of
// them if there are fewer than ten.
type Interval struct{ Median, Low, High float64 }

// Over returns the interval of rounds, of which there is at least one.
func Over(rounds []float64) Interval {
	v := slices.Sorted(slices.Values(rounds))
	n := len(v)
	return Interval{(v[n/2] + v[(n-1)/2]) / 2, v[n/10], v[n-1-n/10]}
}

// Ratio returns the interval of a by b, round by round.
func Ratio(a, b []float64) Interval {
	ratios := make([]float64, min(len(a), len(b)))
	for i := range ratios {
		ratios[i] = a[i] / b[i]
	}
	return Over(ratios)
}
