package doctor

import (
	"encoding/json"
	"io"
)

// WriteJSON writes the report as one JSON object: targets, goroutines,
// unreadable and findings, worst first. Lists are empty rather than null. The
// error is w's.
func (r *Report) WriteJSON(w io.Writer) error {
	out := struct {
		Targets    []string  `json:"targets"`
		Goroutines int       `json:"goroutines"`
		Unreadable int       `json:"unreadable"`
		Findings   []Finding `json:"findings"`
	}{r.Targets, r.Goroutines, r.Unreadable, r.Findings}
	if out.Targets == nil {
		out.Targets = []string{}
	}
	if out.Findings == nil {
		out.Findings = []Finding{}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
