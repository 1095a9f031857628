package page

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/bench/rows"
	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

// result has one figure of contestants, each with its rounds.
func result(contest, figure string, unit rows.Unit, all map[string][]float64) rows.Result {
	group, name, _ := strings.Cut(contest, "/")
	r := rows.Result{Group: group, Name: name, Machine: "m", Commit: "c",
		Figures: []rows.Figure{{Name: figure, Unit: unit}}, Notes: []string{"Noted."}}
	for row, rounds := range all {
		r.Rows = append(r.Rows, rows.Row{Name: row, Rounds: [][]float64{rounds}})
	}
	return r
}

func TestPageWithoutResults(t *testing.T) {
	var b strings.Builder
	Page(&b, nil)
	assert.Contains(t, b.String(),
		"| room: send and receive | – | select default – | TrySend, TryRecv – | – | 0 | delivered |\n")
	assert.Equal(t, len(situations), strings.Count(b.String(), "| 0 |")+
		strings.Count(b.String(), "| 3; 0 |"))
}

func TestPage(t *testing.T) {
	all := []rows.Result{
		result(opRoom, "time", rows.Time, map[string][]float64{
			"channel": {10, 20, 30}, "channel, once more": {10, 20, 33},
			"select with default": {11, 22, 33}, "TrySend, TryRecv": {20, 20, 30}}),
		result(opOldest, "time", rows.Time, map[string][]float64{
			"evict and retry": {10}, "Ring.Send": {5}, "SendDropOldest": {11}}),
	}
	var b strings.Builder
	Page(&b, all)
	for _, want := range []string{
		"differ by 1.00 (1.00–1.10):", "\nm, commit c. ",
		"| room: send and receive | 20 ns | select default 22 ns | TrySend, TryRecv 20 ns | 1.00 (1.00–2.00) |",
		"| full, oldest lost | waits | evict loop 10 ns | Ring.Send 5 ns; SendDropOldest 11 ns | 0.50; 1.10 of by hand |",
	} {
		assert.Contains(t, b.String(), want)
	}
}

// A peer is ahead if the intervals do not meet.
func TestAheads(t *testing.T) {
	both := func(theirs, ours []float64) []string {
		return aheads(finder{[]rows.Result{result(opWide, "time", rows.Time,
			map[string][]float64{"channel": theirs, "Ring.Send, TryRecv": ours})}})
	}
	assert.Equal(t, []string{
		"Values of 256 B take 20 ns through a channel, 40 ns through a Ring (2.00x)."},
		both([]float64{10, 20, 29}, []float64{30, 40, 50}))
	assert.Empty(t, both([]float64{10, 20, 30}, []float64{30, 40, 50}))
	assert.Empty(t, both([]float64{30, 40, 50}, []float64{10, 20, 29}))
	more := aheads(finder{[]rows.Result{result(flood2, "delivered", rows.Rate,
		map[string][]float64{"xsync MPMC, evict with back-off": {3e6}, "Ring, Recv": {1e6}})}})
	require.Len(t, more, 1)
	assert.Contains(t, more[0], "delivers 3 M/s where a Ring delivers 1 M/s (3.00x)")
}

// Each cell of the page and each series of a picture is one that a contest
// measures.
func TestContentIsMeasured(t *testing.T) {
	measured := map[string]bool{}
	for _, c := range rows.Contests(rows.Effort{}) {
		for _, row := range c.Names {
			for _, f := range c.Figures {
				measured[c.Group+"/"+c.Name+"/"+row+"/"+f.Name] = true
			}
		}
	}
	var cells []cell
	for _, s := range situations {
		for _, some := range [][]cell{s.raw, s.hand, s.ours, s.lost} {
			cells = append(cells, some...)
		}
	}
	cells = append(cells, requestCPU...)
	for _, c := range candidates {
		cells = append(cells, c.theirs, c.ours)
	}
	for _, c := range cells {
		key := c.contest + "/" + c.row + "/" + c.figure
		assert.True(t, measured[key], key)
	}
}

func TestTables(t *testing.T) {
	r := rows.Result{Group: "group", Name: "name", Notes: []string{"Noted."},
		Figures: []rows.Figure{{Name: "time", Unit: rows.Time}, {Name: "none"},
			{Name: "lost", Unit: rows.Percent}},
		Rows: []rows.Row{{Name: "a", Rounds: [][]float64{{1, 2, 3}, nil, nil}},
			{Name: "b", Rounds: [][]float64{{2, 4, 6}, nil, {0}}}}}
	var b strings.Builder
	require.NoError(t, Tables(&b, []rows.Result{r}))
	assert.Equal(t, `
## Group

### Name

|  | time | against the first | lost |
| --- | ---: | ---: | ---: |
| a | 2 ns (1–3) | 1.00 | – |
| b | 4 ns (2–6) | 2.00 | 0 % |

Noted.
`, b.String())
}

func TestWriteDrawsBothSchemes(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "bench"), 0o755))
	all := []rows.Result{
		result("broadcast/a send; subscribers that are behind: 1", "time", rows.Time,
			map[string][]float64{"Broadcast": {7}, "teivah Broadcast": {0.5}}),
		result("broadcast/a send; subscribers that are behind: 64", "time", rows.Time,
			map[string][]float64{"Broadcast": {7}, "teivah Broadcast": {700}}),
	}
	require.NoError(t, Write(dir, all))
	files, err := os.ReadDir(filepath.Join(dir, "docs", "plots"))
	require.NoError(t, err)
	require.Len(t, files, 2, "of the pictures without points none")
	for _, file := range files {
		f, err := os.Open(filepath.Join(dir, "docs", "plots", file.Name()))
		require.NoError(t, err)
		defer f.Close()
		d := xml.NewDecoder(f)
		for err == nil {
			_, err = d.Token()
		}
		assert.Equal(t, io.EOF, err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "BENCHMARKS.md"))
	require.NoError(t, err)
	assert.Contains(t, string(page), `srcset="docs/plots/broadcast-dark.svg"`)
}

func TestScale(t *testing.T) {
	s := scale{1, 100, 0, 200}
	assert.InDelta(t, 100, s.at(10), 1e-9)
	assert.Equal(t, []float64{1, 2, 4, 8, 16, 32, 64}, s.ticks())
	assert.Equal(t, []float64{1, 10, 100}, scale{1, 100, 200, 0}.ticks())
	assert.Len(t, light.lines, len(dashes))
}
