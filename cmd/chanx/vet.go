package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"

	"example.com/chanx/cmd/chanx/vet"
)

const vetUsage = `usage: chanx vet [flags] [package...]

Finds, in the source, channel operations that can block forever: a receiver
that can return while senders cannot notice, a result that is not received, a
send that holds the mutex of its receiver. Without packages: ./...

  chanx vet ./...
  chanx vet -fix ./internal/...
  go vet -vettool=$(which chanx-vet) ./...

A comment "//chanx:ignore reason" on the line, or the line before, silences a
finding. Exit status: 0 no findings, 1 findings, 2 a package could not be read.

`

// vetOptions are the flags of the command vet.
type vetOptions struct {
	dir             string
	json, fix, more bool
	patterns        []string
}

func parseVetFlags(args []string) (*vetOptions, *flag.FlagSet, error) {
	o := new(vetOptions)
	fs := flag.NewFlagSet("vet", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.dir, "C", ".", "look in this `directory`")
	fs.BoolVar(&o.json, "json", false, "print one JSON object")
	fs.BoolVar(&o.fix, "fix", false, "apply the fixes, and report the other findings")
	fs.BoolVar(&o.more, "more", false, "report weaker findings too")
	err := fs.Parse(args)
	if o.patterns = fs.Args(); len(o.patterns) == 0 {
		o.patterns = []string{"./..."}
	}
	return o, fs, err
}

// runVet is the command vet.
func runVet(args []string, c *console) int {
	o, fs, err := parseVetFlags(args)
	if errors.Is(err, flag.ErrHelp) {
		io.WriteString(c.stdout, vetUsage)
		fs.SetOutput(c.stdout)
		fs.PrintDefaults()
		return exitClean
	}
	var report *vet.Report
	if err == nil {
		report, err = vet.Check(o.dir, o.patterns, vet.Options{More: o.more})
	}
	if err == nil && o.fix {
		err = fix(report, c)
	}
	if err == nil {
		err = printVet(report, o, c)
	}
	if err != nil {
		c.say("vet: %v", err)
		return exitTrouble
	}
	return vetStatus(report, c)
}

// fix applies the fixes, and leaves the findings without one in the report.
func fix(r *vet.Report, c *console) error {
	n, err := r.Apply()
	if err != nil {
		return err
	}
	rest := []vet.Finding{}
	for _, f := range r.Findings {
		if !f.Fixable {
			rest = append(rest, f)
		}
	}
	r.Findings = rest
	c.say("vet: fixed %d", n)
	return nil
}

func printVet(r *vet.Report, o *vetOptions, c *console) error {
	if o.json {
		enc := json.NewEncoder(c.stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	for _, f := range r.Findings {
		if _, err := fmt.Fprintf(c.stdout, "%s:%d:%d: %s [%s]\n", f.File, f.Line,
			f.Column, f.Message, f.Check); err != nil {
			return err
		}
	}
	return nil
}

// vetStatus names the packages that were not read. They count for more than
// findings, as in doctor.
func vetStatus(r *vet.Report, c *console) int {
	for _, u := range r.Unread {
		c.say("vet: not read: %s", u)
	}
	switch {
	case len(r.Unread) > 0:
		return exitTrouble
	case len(r.Findings) > 0:
		return exitFindings
	}
	return exitClean
}
