// Package report writes what the parts of the comparison found: a Markdown
// file, and its plots beside it.
package report

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"example.com/chanx/bench/plan"
)

// Where the files go, under the directory given to Write.
const (
	Name  = "BENCHMARKS.md"
	Plots = "docs/plots"
)

// Write writes the report and its plots under dir.
func Write(dir string, about About, sections []plan.Section) error {
	if err := os.MkdirAll(filepath.Join(dir, Plots), 0o755); err != nil {
		return err
	}
	for _, s := range sections {
		for _, p := range s.Plots {
			if err := drawSVG(filepath.Join(dir, plotFile(p)), p); err != nil {
				return fmt.Errorf("plot %s: %w", p.File, err)
			}
		}
	}
	f, err := os.Create(filepath.Join(dir, Name))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := Markdown(f, about, sections); err != nil {
		return err
	}
	return f.Close()
}

func plotFile(p plan.Plot) string { return Plots + "/" + p.File + ".svg" }

// Markdown writes the report alone.
func Markdown(w io.Writer, about About, sections []plan.Section) error {
	b := bufio.NewWriter(w)
	about.write(b)
	wins(b, sections)
	for _, s := range sections {
		fmt.Fprintf(b, "\n## %s\n\n%s\n", s.Title, strings.TrimSpace(s.Text))
		for _, p := range s.Plots {
			fmt.Fprintf(b, "\n![%s](%s)\n", p.Title, plotFile(p))
		}
		for _, t := range s.Tables {
			table(b, t)
		}
	}
	return b.Flush()
}

func table(w io.Writer, t plan.Table) {
	fmt.Fprintf(w, "\n### %s\n\n", t.Title)
	line(w, t.Columns)
	rule := make([]string, len(t.Columns))
	for i := range rule {
		rule[i] = "---:"
		if words(t, i) {
			rule[i] = "---"
		}
	}
	line(w, rule)
	for _, row := range t.Rows {
		line(w, row)
	}
	for i, note := range t.Notes {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "- %s\n", note)
	}
}

// words reports whether a column holds words, which stand to the left.
func words(t plan.Table, column int) bool {
	for _, row := range t.Rows {
		if _, ok := number(row[column]); !ok && row[column] != "–" {
			return true
		}
	}
	return false
}

func line(w io.Writer, cells []string) {
	escaped := make([]string, len(cells))
	for i, c := range cells {
		escaped[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	fmt.Fprintf(w, "| %s |\n", strings.Join(escaped, " | "))
}
