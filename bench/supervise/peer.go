// Package supervise compares what keeps a worker running: what a restart
// costs, what a supervised worker costs, and which ways of ending it survives.
package supervise

import (
	"context"
	"errors"
)

// work is a worker. It is run again until it returns errDone.
type work = func(context.Context) error

var (
	errDone = errors.New("done")
	errBoom = errors.New("boom")
)

// cause is what a hook is told of an exit: the error, if it gets one, a text,
// and whether there was a stack.
type cause struct {
	err   error
	text  string
	stack bool
}

// peer is one of the ways. What it cannot do is nil.
type peer struct {
	name string
	set  bool // it keeps a set of workers, rather than one

	// keep runs w again and again without waiting in between, until it
	// returns errDone or ctx is done. hook may be nil.
	keep func(ctx context.Context, w work, hook func(cause)) error

	// herd starts n workers, and returns how to end them all and wait.
	herd func(n int, w work) (stop func())

	// history has w fail, and asks for the reason afterwards.
	history func(w work) error

	hooks, panics bool // it has a hook; it survives a panic

	// unguarded says that it runs the worker on a goroutine of its own and
	// catches no panic there. Trying it would end the benchmark as well.
	unguarded bool
}

var peers = []peer{
	supervisor, sutures, function, retry, loop, goroutine,
}

func (p peer) keeps() string {
	if p.set {
		return "a set"
	}
	return "one"
}

func names(of []peer) (all []string) {
	for _, p := range of {
		all = append(all, p.name)
	}
	return all
}

// having returns those of the peers that have what is asked for.
func having(what func(peer) bool) (all []peer) {
	for _, p := range peers {
		if what(p) {
			all = append(all, p)
		}
	}
	return all
}
