package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"

	"example.com/chanx/doctor"
)

// runDoctor is the command doctor.
func runDoctor(args []string, c *console) int {
	o, fs, err := parseFlags(args)
	if errors.Is(err, flag.ErrHelp) {
		io.WriteString(c.stdout, doctorUsage)
		fs.SetOutput(c.stdout)
		fs.PrintDefaults()
		return exitClean
	}
	if err != nil {
		c.say("doctor: %v", err)
		c.say("doctor: chanx doctor -h says how")
		return exitTrouble
	}
	report, ok := examine(o, c)
	if report == nil {
		return exitTrouble
	}
	if err := publish(report, o, c); err != nil {
		c.say("%v", err)
		return exitTrouble
	}
	return status(report, o, ok)
}

// status returns the exit status. Trouble comes first: with status 1 every
// target was read, and with 0 every goroutine was read and judged.
func status(r *doctor.Report, o *options, ok bool) int {
	switch {
	case !ok:
		return exitTrouble
	case !r.Complete(),
		len(r.Findings) > 0 && r.Findings[0].Severity >= o.minSeverity:
		return exitFindings // the first one is the worst
	}
	return exitClean
}

// examine reads the targets and judges them. It returns nil if there was nothing
// to judge, and reports whether all of them could be read.
func examine(o *options, c *console) (*doctor.Report, bool) {
	targets, names, src, err := prepare(o, c)
	if err != nil {
		c.say("%v", err)
		return nil, false
	}
	lookUntilInterrupt(o, targets, c)
	snaps := snapshots(targets)
	if len(snaps) == 0 && !slices.ContainsFunc(targets, (*target).seen) {
		for _, t := range targets {
			c.say("%v", t.err)
		}
		return nil, false
	}
	ok := names.resolve(targets, c)
	if instances(o.as, targets) && len(targets) > 1 && o.as == "auto" {
		c.say("the targets look like one process over time, the last being now; " +
			"-as fleet if they are different ones")
	}
	o.rules.Receivers = src.receivers(snaps)
	report := doctor.Diagnose(o.rules, snaps...)
	var services []*target
	for _, t := range targets {
		if t.report != nil {
			services = append(services, t)
			o.unheard(t, c)
		}
	}
	twice(services, c)
	for _, t := range services {
		report.Merge(t.report)
	}
	ok = absent(report, targets, c) && ok
	return report, src.said(c) && ok
}

// twice reports the services that are one process, as a saved report and the live
// service are. Both reports count: their findings may differ, as those of two
// observers do.
func twice(services []*target, c *console) {
	first := make(map[doctor.Process]*target)
	for _, t := range services {
		process, known := t.process()
		if first[process] == nil {
			first[process] = t
		} else if known {
			c.say("%s and %s are the same process, whose goroutines count twice",
				first[process].name, t.name)
		}
	}
}

// unheard reports the flags that do not reach a service that judges itself.
func (o *options) unheard(t *target, c *console) {
	for name, set := range map[string]bool{
		"-ignore": len(o.rules.Ignore) > 0, "-many": o.rules.Many != defaultMany,
		"-minutes": o.rules.Minutes != defaultMinutes, "-src": o.src != "",
	} {
		if set {
			c.say("%s: judges itself: %s does not count there", t.name, name)
		}
	}
}

// prepare resolves the names in the command line.
func prepare(o *options, c *console) (targets []*target, names *binary,
	src *source, err error) {
	o.progress = newProgress(c, 0)
	o.fetch, err = newFetcher(o, o.progress)
	if err == nil {
		targets, err = newTargets(o, o.fetch)
		o.progress.servers = servers(targets)
	}
	if err == nil && o.binary != "" {
		names, err = openBinary(o.binary)
	}
	if err == nil {
		src, err = newSource(o.src)
	}
	return targets, names, src, err
}

// lookUntilInterrupt takes snapshots of the targets. An interrupt stops that,
// and the snapshots taken so far are judged. A second interrupt, and any before
// or after, ends the process as it does every program.
func lookUntilInterrupt(o *options, targets []*target, c *console) {
	defer o.fetch.close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop)
	lookAll(ctx, targets, c, o.progress)
	watch(ctx, o, targets, c, o.progress)
	o.progress.done()
	if ctx.Err() != nil {
		c.say("interrupted: judging what has been read until now")
	}
}

// publish writes the report to its destinations; the page first, since the
// reader of standard output may go away, which ends the process.
func publish(r *doctor.Report, o *options, c *console) error {
	var err error
	if o.html != "" && o.html != "-" {
		err = writePage(r, o.html)
	}
	return errors.Join(err, show(r, o, c))
}

// show writes the report to standard output.
func show(r *doctor.Report, o *options, c *console) (err error) {
	switch {
	case o.json:
		write := r.WriteJSON
		if o.stacks {
			write = r.WriteJSONStacks
		}
		err = write(c.stdout)
	case o.html == "-":
		err = r.WriteHTML(c.stdout)
	default:
		err = r.WriteText(c.stdout, doctor.TextOptions{
			Width: c.width(), Color: c.color(o.color), Idle: o.all})
	}
	if err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

func writePage(r *doctor.Report, name string) error {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("-html %s: %w", name, errors.Unwrap(err))
	}
	return errors.Join(r.WriteHTML(f), f.Close())
}
