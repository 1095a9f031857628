// Package plan holds what the parts of the comparison have in common: how
// long to measure, and what a part hands to the report.
package plan

import "time"

// Options say how much to measure. Every part keeps to them.
type Options struct {
	Rounds int           // interleaved rounds, of which the median counts
	For    time.Duration // of one measurement
	Quick  bool          // a few points of each axis, for CI

	// Step is told of every measurement before it starts. Steps is called
	// once by a part, before its first Step, with how many it will take.
	Steps func(n int)
	Step  func(what string)
}

// Section is one part of the report.
type Section struct {
	Title  string
	Text   string // Markdown, above the tables
	Tables []Table
	Plots  []Plot
}

// Table is written as Markdown. A cell that a peer cannot fill is "–", and
// Notes says why.
type Table struct {
	Title   string
	Columns []string
	Rows    [][]string
	Notes   []string

	Compare *Compare // nil: the table has no winners
}

// Plot is drawn as one SVG file.
type Plot struct {
	File, Title, X, Y string // X and Y with their units
	Under             string // the title: what stays the same, in small print
	LogX, LogY        bool
	Times             bool // Y is in nanoseconds: the axis says 1 µs
	Lines             []Line
}

// Line is one curve of a Plot. Ours is drawn so that it stands out.
type Line struct {
	Name string
	Ours bool
	X, Y []float64
}
