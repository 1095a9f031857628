// Incident replays an outage, and the same hour without it.
//
//	go run ./examples/incident
//
// Two net/http servers run on loopback, with the same handlers behind the same
// logging middleware. The server called before logs as the service of the
// outage did: a channel, a goroutine that receives from it, a goroutine that
// writes a file (before.go). The server called after logs to an
// [asynclog.Writer] (after.go). Both get the same load while all is well, while
// the disk below the log is at fault, and after the fault has been lifted.
//
// The table at the end shows the measurements, and the claims below it are
// checked against them. The exit status is 0 if all claims were observed, 1 if
// not, 2 for an invalid command line, and 130 after an interrupt.
//
// With -hold both servers stay after the table has been printed, the first
// still hanging, to be looked at:
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
	"slices"
	"time"
)

// queue is how many records the log of either server can hold before its
// consumer: the same number for both.
const queue = 64

// The bounds of -requests. Fewer would not fill the queue during the fault.
// Each request that hangs holds a connection until the end, and more would
// reach the limit of open files.
const minRequests, maxRequests = 2 * queue, 2000

// settings are the options of the command line.
type settings struct {
	fault    fault
	requests int           // to each server, in each phase
	timeout  time.Duration // of the client
	hold     time.Duration // the servers, after the replay
	json     bool
	svg      string
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main without the process. The result goes to stdout, progress and
// errors to stderr.
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
	err = replay(ctx, set, stderr, func(rep *report, samples []sample) error {
		observed = rep.Observed
		return rep.write(set, samples, stdout)
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

// parseFlags reports an invalid command line on stderr and returns the error.
func parseFlags(args []string, stderr io.Writer) (set settings, err error) {
	fs := flag.NewFlagSet("incident", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar((*string)(&set.fault), "fault", "full",
		"break the log's consumer by `exit, panic, stall or full`")
	fs.IntVar(&set.requests, "requests", 250,
		"send `N` requests to each server in each phase")
	fs.DurationVar(&set.timeout, "timeout", 3*time.Second,
		"how long the client waits for an answer")
	fs.DurationVar(&set.hold, "hold", 0, "keep both servers for so long "+
		"after the end, to look at with chanx doctor")
	fs.BoolVar(&set.json, "json", false, "print the result as JSON")
	fs.StringVar(&set.svg, "svg", "", "write a picture of it to `file`")
	if err := fs.Parse(args); err != nil {
		return set, err
	}
	switch {
	case fs.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case !slices.Contains(faults, set.fault):
		err = fmt.Errorf("-fault must be one of %v", faults)
	case set.requests < minRequests || set.requests > maxRequests:
		err = fmt.Errorf("-requests must be between %d and %d",
			minRequests, maxRequests)
	case set.timeout < 300*time.Millisecond || set.timeout > time.Minute:
		err = fmt.Errorf("-timeout must be between 300ms and 1m")
	case set.hold < 0:
		err = fmt.Errorf("-hold must not be negative")
	}
	if err != nil {
		fmt.Fprintln(stderr, "incident:", err)
	}
	return set, err
}
