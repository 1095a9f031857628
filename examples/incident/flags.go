package main

import (
	"flag"
	"fmt"
	"io"
	"time"
)

// queue is how many records either server can hold between its handlers and
// its consumer: the same for both, so that the difference is not one of size.
const queue = 64

// The bounds of -requests. Fewer would not fill the queue while the fault
// lasts; every one that hangs holds a connection until the end, and more
// would test the limit of open files.
const (
	minRequests = 2 * queue
	maxRequests = 2000
)

// settings is what the command line decides.
type settings struct {
	fault    fault
	requests int           // to each server, in each phase
	timeout  time.Duration // of the client
	hold     time.Duration // the servers, after the replay
	json     bool
	svg      string
}

// parseFlags reports a wrong command line on stderr, and returns the error.
func parseFlags(args []string, stderr io.Writer) (settings, error) {
	var set settings
	fs := flag.NewFlagSet("incident", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Var(&set.fault, "fault", "what strikes the log's consumer: "+
		"`exit, panic, stall or full`")
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
	err := set.check(fs.Args())
	if err != nil {
		fmt.Fprintln(stderr, "incident:", err)
	}
	return set, err
}

func (set settings) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case set.requests < minRequests || set.requests > maxRequests:
		return fmt.Errorf("-requests must be between %d and %d",
			minRequests, maxRequests)
	case set.timeout < 300*time.Millisecond || set.timeout > time.Minute:
		return fmt.Errorf("-timeout must be between 300ms and 1m")
	case set.hold < 0:
		return fmt.Errorf("-hold must not be negative")
	}
	return nil
}
