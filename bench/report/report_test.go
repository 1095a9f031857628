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
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"

	"example.com/chanx/bench/plan"
)

// contest has a peer that is ahead in each round, one in the medians alone,
// one that is ahead by less than a tenth, and one of a kind of its own.
func contest() plan.Table {
	steady := func(v float64) []float64 { return []float64{v, v, v} }
	return plan.Table{
		Title:   "Rivals",
		Columns: []string{"load", "peer", "drops", "ns/op", "rate", "note"},
		Rows: [][]string{
			{"low", "ours", "new", "10.0", "1.00 k/s", "1"},
			{"low", "ours too", "new", "20.0", "900 /s", "1"},
			{"low", "theirs", "new", "9.5", "1.20 k/s", "0"},
			{"high", "ours", "new", "10.0", "1.00 k/s", "1"},
			{"high", "ours too", "old", "30.0", "1.00 k/s", "1"},
			{"high", "theirs", "new", "15.0", "–", "0"},
			{"high", "others", "new", "8.0", "1.05 k/s", "0"},
			{"high", "theirs, old", "old", "20.0", "1.05 k/s", "0"},
			{"high", "keeper", "none", "12.0", "1.50 k/s", "0"},
		},
		Notes: []string{"theirs: cannot do that."},
		Compare: &plan.Compare{Group: 0, Name: 1, Kind: 2,
			Ours:  []string{"ours", "ours too"},
			Fails: []string{"ours", "keeper"}, Less: []int{3}, More: []int{4},
			Rounds: [][][]float64{
				{nil, nil, nil, steady(10), steady(1000), nil},
				{nil, nil, nil, steady(20), steady(900), nil},
				{nil, nil, nil, steady(9.5), {1100, 1200, 1300}, nil},
				{nil, nil, nil, steady(10), steady(1000), nil},
				{nil, nil, nil, {25, 30, 35}, steady(1000), nil},
				{nil, nil, nil, steady(15), nil, nil},
				{nil, nil, nil, {7, 8, 10}, steady(1050), nil},
				{nil, nil, nil, {10, 20, 24}, steady(1050), nil},
				{nil, nil, nil, steady(12), {1400, 1500, 1600}, nil},
			}},
	}
}

// A peer is ahead by more than a tenth, of the best of ours, in the same group
// of rows, of the same kind, in a column that counts, and in every round.
func TestAhead(t *testing.T) {
	all, compared := ahead(contest())
	assert.Equal(t, []win{
		{"Rivals", "low", "rate", "theirs", "1.20 k/s", "1.00 k/s", "ours", true},
		{"Rivals", "high", "ns/op", "others", "8.0", "10.0", "ours", false},
		{"Rivals", "high", "ns/op", "theirs, old", "20.0", "30.0", "ours too", true},
		{"Rivals", "high", "rate", "keeper †", "1.50 k/s", "1.00 k/s", "ours", true},
	}, all)
	assert.Equal(t, 8, compared)
}

func TestAhead_oneGroupAndKind(t *testing.T) {
	table := contest()
	table.Compare.Group, table.Compare.Kind = -1, -1
	all, compared := ahead(table)
	assert.Equal(t, []win{
		{"Rivals", "", "ns/op", "others", "8.0", "10.0", "ours", false},
		{"Rivals", "", "rate", "keeper †", "1.50 k/s", "1.00 k/s", "ours", true},
	}, all)
	assert.Equal(t, 2, compared)
}

func TestSure(t *testing.T) {
	for _, c := range []struct {
		theirs, own []float64
		less, want  bool
	}{
		{[]float64{1, 2, 3}, []float64{4, 5, 6}, true, true},
		{[]float64{1, 2, 4}, []float64{4, 5, 6}, true, false},
		{[]float64{1, 2, 3}, []float64{4, 5, 6}, false, false},
		{[]float64{4, 5, 6}, []float64{1, 2, 3}, false, true},
		{[]float64{3, 5, 6}, []float64{1, 2, 3}, false, false},
		{[]float64{1, 2}, []float64{4, 5}, true, false}, // too few
		{[]float64{1, 2, 3}, nil, true, false},
	} {
		assert.Equal(t, c.want, sure(c.theirs, c.own, c.less), "%+v", c)
	}
	table := contest()
	table.Compare.Rounds = nil
	all, _ := ahead(table)
	for _, v := range all {
		assert.False(t, v.sure, "%+v: rounds are not known", v)
	}
}

func TestNumber(t *testing.T) {
	for cell, want := range map[string]float64{
		"12": 12, "1,234,567.5": 1_234_567.5, "3 %": 3, "**4**": 4,
		"1.5µs": 1.5e-6, "2 ms": 2e-3, "0": 0, "3 s": 3, "-7 ns": -7e-9,
		"4.85 M/s": 4_850_000, "5 /s": 5, "229 kB": 229_000, "7 B": 7, "1.5x": 1.5,
	} {
		got, ok := number(cell)
		assert.True(t, ok, cell)
		assert.InEpsilon(t, 1+want, 1+got, 1e-12, cell)
	}
	for _, cell := range []string{"", "–", "yes", "chanx.Ring", "1/12.0",
		"4 sB", "ms"} {
		_, ok := number(cell)
		assert.False(t, ok, cell)
	}
}

func TestMarkdown(t *testing.T) {
	var b strings.Builder
	about := About{Command: "bench -x", Commit: "abc", CPU: "fast",
		Date: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC), Took: 61 * time.Second}
	s := plan.Section{Title: "Part", Text: "Words.", Tables: []plan.Table{contest()},
		Plots: []plan.Plot{{File: "p", Title: "A plot"}}}
	require.NoError(t, Markdown(&b, about, []plan.Section{s}))
	for _, want := range []string{
		"| commit | abc |", "| command | `bench -x` |",
		"| date | 2 January 2026 03:04 UTC |", "| took | 1m1s |",
		"\n## Part\n\nWords.\n", "\n![A plot](docs/plots/p.svg)\n",
		"\n| load | peer | drops | ns/op | rate | note |\n" +
			"| --- | --- | --- | ---: | ---: | ---: |\n",
		"| high | theirs | new | 15.0 | – | 0 |\n",
		"| high | keeper | none | 12.0 | 1.50 k/s | 0 |\n\n- theirs: cannot do that.\n",
		"Of 8 figures a peer is ahead in 3; in 1 more it may be by chance.\n",
		"| Rivals | rate | theirs | ours | low: 1.20 k/s against 1.00 k/s |\n",
		"<summary>May be by chance</summary>\n\n| table |",
		"| Rivals | ns/op | others | ours | high: 8.0 against 10.0 |\n\n</details>\n",
	} {
		assert.Contains(t, b.String(), want)
	}
}

func TestMarkdown_nobodyAhead(t *testing.T) {
	var b strings.Builder
	require.NoError(t, Markdown(&b, About{}, nil))
	assert.Contains(t, b.String(), "Of 0 figures a peer is ahead in 0; in 0 more")
	assert.NotContains(t, b.String(), "details")
}

// Rows in which the same two meet share a line.
func TestWinTable(t *testing.T) {
	var b strings.Builder
	winTable(&b, []win{
		{"T", "1", "ns", "p", "3", "4", "o", true},
		{"T", "1", "B", "p", "5", "6", "o", true},
		{"T", "2", "ns", "p", "7", "8", "o", true},
		{"T", "", "ns", "q", "1", "2", "o", true},
	})
	_, rows, _ := strings.Cut(b.String(), "---")
	_, rows, _ = strings.Cut(rows, "\n")
	assert.Equal(t, `| T | ns | p | o | 1: 3 against 4; 2: 7 against 8 |
| T | B | p | o | 1: 5 against 6 |
| T | ns | q | o | 1 against 2 |
`, rows)
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	p := plan.Plot{File: "cost", Title: "Cost", X: "load (1/s)", Y: "time",
		Under: "small print", LogX: true, LogY: true, Times: true, Lines: []plan.Line{
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
	for _, want := range []string{"Cost", "small print", "load (1/s)", "time",
		"ours", "theirs", "1,000", "100 ns"} {
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
		{24, 85, "30 40 50 60 70 80"},
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
	assert.Equal(t, []plot.Tick{{Value: 1, Label: "1"},
		{Value: 1024, Label: "1,024"}, {Value: 65_536, Label: "65,536"}},
		ticks{log: true, at: []float64{1, 1024, 65_536}}.Ticks(1, 65_536))
}

func TestTicks_times(t *testing.T) {
	for v, want := range map[float64]string{
		1: "1 ns", 500: "500 ns", 1000: "1 µs", 2e5: "200 µs", 1e7: "10 ms",
		1e9: "1 s", 1e11: "100 s",
	} {
		assert.Equal(t, want, ticks{times: true}.label(v))
	}
}

func TestFew(t *testing.T) {
	lines := []plan.Line{{X: []float64{1, 8}}, {X: []float64{8, 2}}}
	assert.Equal(t, []float64{1, 2, 8}, few(lines))
	assert.Nil(t, few([]plan.Line{{X: []float64{1, 2, 3, 4, 5, 6, 7, 8, 9}}}))
	assert.Nil(t, few([]plan.Line{{X: []float64{1}}}), "no axis has one tick")
}

// A legend that is wider than what is left for it is cut off.
func TestLegendIsAsWideAsItsNames(t *testing.T) {
	style := draw.TextStyle{Font: sans(11), Handler: plot.DefaultTextHandler}
	narrow := plan.Plot{Lines: []plan.Line{{Name: "a"}}}
	wide := plan.Plot{Lines: []plan.Line{{Name: "a"}, {
		Name: "phuslu async, DiscardOnFull"}}}
	more := legendWidth(wide, style) - legendWidth(narrow, style)
	assert.Greater(t, more, style.Width("phuslu async, DiscardOnFul"))
}
