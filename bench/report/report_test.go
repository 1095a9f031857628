package report

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/bench/plan"
)

func rivals() plan.Table {
	return plan.Table{
		Title:   "Rivals",
		Columns: []string{"load", "peer", "ns/op", "rate", "note"},
		Rows: [][]string{
			{"low", "ours", "10.0", "1,000", "1"},
			{"low", "ours too", "20.0", "900", "1"},
			{"low", "theirs", "9.5", "1,200", "0"},
			{"high", "ours", "10.0", "1,000", "1"},
			{"high", "theirs", "15.0", "–", "0"},
			{"high", "others", "8.0", "1,050", "0"},
		},
		Notes: []string{"theirs: cannot do that."},
		Compare: &plan.Compare{Group: 0, Name: 1,
			Ours: []string{"ours", "ours too"}, Less: []int{2}, More: []int{3}},
	}
}

// A peer is ahead by more than a tenth, of the best of ours, in the same
// group of rows, in a column that counts.
func TestAhead(t *testing.T) {
	assert.Equal(t, []win{
		{"Rivals", "low", "rate", "theirs", "1,200", "1,000", "ours"},
		{"Rivals", "high", "ns/op", "others", "8.0", "10.0", "ours"},
	}, ahead(rivals()))
}

func TestAhead_oneGroup(t *testing.T) {
	table := rivals()
	table.Compare.Group = -1
	assert.Equal(t, []win{
		{"Rivals", "", "ns/op", "others", "8.0", "10.0", "ours"},
		{"Rivals", "", "rate", "theirs", "1,200", "1,000", "ours"},
	}, ahead(table))
}

func TestNumber(t *testing.T) {
	for cell, want := range map[string]float64{
		"12": 12, "1,234,567.5": 1_234_567.5, "3 %": 3, "**4**": 4,
		"1.5µs": 1.5e-6, "2 ms": 2e-3, "0": 0,
	} {
		got, ok := number(cell)
		assert.True(t, ok, cell)
		assert.InEpsilon(t, 1+want, 1+got, 1e-12, cell)
	}
	for _, cell := range []string{"", "–", "yes", "chanx.Ring"} {
		_, ok := number(cell)
		assert.False(t, ok, cell)
	}
}

func TestMarkdown(t *testing.T) {
	var b strings.Builder
	about := About{Command: "bench -x", Commit: "abc", CPU: "fast",
		Date: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC), Took: 61 * time.Second}
	s := plan.Section{Title: "Part", Text: "Words.", Tables: []plan.Table{rivals()},
		Plots: []plan.Plot{{File: "p", Title: "A plot"}}}
	require.NoError(t, Markdown(&b, about, []plan.Section{s}))
	for _, want := range []string{
		"| commit | abc |", "| command | `bench -x` |",
		"| date | 2 January 2026 03:04 UTC |", "| took | 1m1s |",
		"\n## Part\n\nWords.\n", "\n![A plot](docs/plots/p.svg)\n",
		"\n| load | peer | ns/op | rate | note |\n| --- | --- | ---: | ---: | ---: |\n",
		"| high | theirs | 15.0 | – | 0 |\n",
		"| high | others | 8.0 | 1,050 | 0 |\n\n- theirs: cannot do that.\n",
		"| Rivals | low | rate | theirs | 1,200 | 1,000 | ours |\n",
	} {
		assert.Contains(t, b.String(), want)
	}
}

func TestMarkdown_nobodyAhead(t *testing.T) {
	var b strings.Builder
	require.NoError(t, Markdown(&b, About{}, nil))
	assert.Contains(t, b.String(), "Nowhere by more than a tenth.")
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	p := plan.Plot{File: "cost", Title: "Cost", X: "load (1/s)", Y: "time (ns)",
		LogX: true, LogY: true, Lines: []plan.Line{
			{Name: "ours", Ours: true, X: []float64{1, 1000}, Y: []float64{5, 50}},
			{Name: "theirs", X: []float64{0, 1, 1000}, Y: []float64{1, 0, 500}},
			{Name: "absent"},
		}}
	s := []plan.Section{{Title: "Part", Plots: []plan.Plot{p}}}
	require.NoError(t, Write(dir, Here(dir, "bench"), s))
	assert.FileExists(t, filepath.Join(dir, "BENCHMARKS.md"))
	svg, err := os.ReadFile(filepath.Join(dir, "docs/plots/cost.svg"))
	require.NoError(t, err)
	words := svgText(t, svg)
	for _, want := range []string{"Cost", "load (1/s)", "time (ns)", "ours",
		"theirs", "1k"} {
		assert.Contains(t, words, want)
	}
	assert.NotContains(t, words, "absent")
	assert.Regexp(t, `viewBox="0 0 680.31 368.5"(?s:.*?)<path `+
		`d="M0,0L680.31,0L680.31,368.5L0,368.5Z" style="fill:#FAFAF7"`, string(svg), "the paper")
	assert.Contains(t, string(svg), "font-family:Liberation Sans,Arial")
}

// svgText checks that the file is well formed and returns its texts.
func svgText(t *testing.T, svg []byte) (words []string) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return words
		}
		require.NoError(t, err)
		if c, ok := token.(xml.CharData); ok {
			words = append(words, strings.TrimSpace(string(c)))
		}
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{1, 65_536, "1 10 100 1k 10k"},
		{100_000, 2e6, "100k 200k 500k 1M 2M"},
		{0.5, 20, "0.5 1 2 5 10 20"},
	} {
		var labels []string
		for _, tick := range (ticks{log: true}).Ticks(c.low, c.high) {
			if tick.Label != "" {
				labels = append(labels, tick.Label)
			}
		}
		assert.Equal(t, c.want, strings.Join(labels, " "))
	}
	assert.NotEmpty(t, ticks{}.Ticks(0, 1))
}
