package main

import (
	"errors"
	"fmt"
	"io/fs"

	"example.com/chanx"
)

// fault is what goes wrong at the rotation of the log. All four end the
// consumer of the log, or hold it for ever, if it is written like that of the
// outage; nobody knows which one it was there, since the witness was the log.
type fault int

const (
	// full: the new file cannot be written. Of a consumer that returns on an
	// error nothing is left.
	full fault = iota
	// exit: the rotation ends the goroutine that asks for it, as
	// runtime.Goexit does in a library that means well. There is no error,
	// and nothing to recover.
	exit
	// panicking: the rotation hands out a nil file. The panic is recovered
	// and forgotten, as many wrappers of goroutines do.
	panicking
	// stall: the write to the new file never returns, as on a network share
	// that has gone. The consumer is there, and of no use.
	stall
)

var faultNames = [...]string{
	full: "full", exit: "exit", panicking: "panic", stall: "stall",
}

func (f fault) String() string { return faultNames[f] }

// Set makes a *fault a flag.Value.
func (f *fault) Set(name string) error {
	for i, known := range faultNames {
		if name == known {
			*f = fault(i)
			return nil
		}
	}
	return fmt.Errorf("want exit, panic, stall or full")
}

// caused reports whether err, kept of an exit, tells of this fault.
func (f fault) caused(err error) bool {
	switch f {
	case exit:
		return errors.Is(err, chanx.ErrGoexit)
	case panicking:
		_, panicked := err.(*chanx.PanicError)
		return panicked
	case stall:
		return errors.Is(err, chanx.ErrStalled)
	}
	var path *fs.PathError
	return errors.As(err, &path) && path.Op == "write"
}
