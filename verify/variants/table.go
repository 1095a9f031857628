package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"example.com/chanx/verify/internal/trial"
)

const readme = "verify/README.md"

const begin, end = "<!-- variants: generated -->\n", "<!-- /variants -->\n"

// table is the test that notices each variant, by name, as verify/README.md has it.
type table map[string]string

var row = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .* \\| (.*) \\|$")

// section splits verify/README.md at the table.
func section(root string) (before, rows, after string, err error) {
	text, err := os.ReadFile(filepath.Join(root, readme))
	if err != nil {
		return "", "", "", err
	}
	before, rest, ok := strings.Cut(string(text), begin)
	rows, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return "", "", "", errors.New(readme + " has no place for the table")
	}
	return before, rows, after, nil
}

func readTable(root string) (table, error) {
	_, rows, _, err := section(root)
	t := make(table)
	for _, m := range row.FindAllStringSubmatch(rows, -1) {
		t[m[1]] = m[2]
	}
	return t, err
}

// write puts the table of all current variants into verify/README.md.
func (t table) write(root string) error {
	before, _, after, err := section(root)
	if err != nil {
		return err
	}
	var rows strings.Builder
	rows.WriteString("| variant | the mistake | noticed first by |\n|---|---|---|\n")
	for _, v := range all() {
		by := t[v.name]
		if by == "" {
			by = "not run"
		}
		fmt.Fprintf(&rows, "| `%s` | %s | %s |\n", v.name, v.mistake, by)
	}
	name := filepath.Join(root, readme)
	text := before + begin + rows.String() + end + after
	if err := os.WriteFile(name+".new", []byte(text), 0o666); err != nil {
		return err
	}
	return os.Rename(name+".new", name) // another run may be reading it
}

// cell is the entry of the table for an outcome.
func cell(outcome, by string) string {
	by = strings.ReplaceAll(by, "|", "/")
	switch {
	case outcome == trial.Survived:
		return "**survived**"
	case outcome == trial.TimedOut && by == "":
		return "a test that hangs"
	case outcome == trial.TimedOut:
		return by + ", which hangs"
	}
	return by
}
