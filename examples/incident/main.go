// Incident replays an outage, and the same hour without it.
//
//	go run ./examples/incident
//
// Two net/http servers run on loopback, with the same handlers behind the same
// logging middleware. The one called before logs as the service of the outage
// did: a channel, a goroutine that receives from it, a goroutine that writes a
// file. The one called after logs to an [asynclog.Writer]. Both get the same
// load while all is well, while the disk below the log is at fault, and after
// that fault has been lifted.
//
// The table at the end shows what was measured, and the claims below it are
// checked against that. The exit status is 0 if all of them were observed, 1
// if not, 2 for a wrong command line, and 130 after an interrupt.
//
// With -hold both servers stay after the table has been printed, the first of
// them hanging, to be looked at:
//
//	go run ./examples/incident -hold 10m
//	go run ./cmd/chanx doctor http://127.0.0.1:PORT
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main without the process, so that tests can call it. The result goes
// to stdout, progress and errors to stderr. There is nothing to read: no
// standard input.
func run(args []string, stdout, stderr io.Writer) int {
	set, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	observed := false
	err = replay(ctx, set, stderr, func(rep *report, film []sample) error {
		observed = rep.Observed
		return publish(set, rep, film, stdout)
	})
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "incident: interrupted")
		return 130
	case err != nil:
		fmt.Fprintln(stderr, "incident:", err)
		return 1
	case !observed:
		return 1
	}
	return 0
}

// publish writes the report as set asks for, the picture first: if it cannot
// be written, the error should not stand below a page of table.
func publish(set settings, rep *report, film []sample, stdout io.Writer) error {
	if set.svg != "" {
		svg := picture(rep, film)
		if err := os.WriteFile(set.svg, svg, 0o666); err != nil {
			return err
		}
	}
	if set.json {
		return rep.writeJSON(stdout)
	}
	return rep.writeTable(stdout)
}
