package vet

import (
	"bytes"
	"cmp"
	"fmt"
	"go/format"
	"os"
	"slices"
)

// edit replaces bytes of a file.
type edit struct {
	file       string
	start, end int
	text       []byte
}

// Apply writes the fixes of the findings to their files, formatted as by gofmt,
// and returns how many findings it fixed. Of two fixes that overlap the first
// counts; equal ones are applied once.
func (r *Report) Apply() (fixed int, err error) {
	files := make(map[string][]edit)
	for _, f := range r.Findings {
		if f.Fixable && accept(files, f.edits) {
			fixed++
		}
	}
	for file, edits := range files {
		if err := rewrite(file, edits); err != nil {
			return 0, err
		}
	}
	return fixed, nil
}

// accept adds the edits, unless one of them overlaps with another.
func accept(files map[string][]edit, edits []edit) bool {
	for _, e := range edits {
		for _, other := range files[e.file] {
			if e.start < other.end && other.start < e.end || e.start == other.start {
				return e.start == other.start && e.end == other.end &&
					bytes.Equal(e.text, other.text)
			}
		}
	}
	for _, e := range edits {
		files[e.file] = append(files[e.file], e)
	}
	return true
}

func rewrite(file string, edits []edit) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(b.start, a.start) })
	for _, e := range edits {
		text = slices.Concat(text[:e.start], e.text, text[e.end:])
	}
	if text, err = format.Source(text); err != nil {
		return fmt.Errorf("%s: a fix does not parse: %w", file, err)
	}
	return os.WriteFile(file, text, 0o644)
}
