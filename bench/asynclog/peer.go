// Package asynclog compares the writers that stand between a logger and its
// file: what a line costs its caller, and what becomes of the line.
package asynclog

import "io"

// peer is one of the writers.
type peer struct {
	name string
	full string // what becomes of a line when there is no room for it

	// open puts the writer in front of a sink. finish closes it and returns
	// how many lines it says it has lost, or untold.
	open func(sink) (w io.Writer, finish func() (told float64))

	// opensFile says that it takes a path rather than a sink, and so cannot
	// be given one that hangs.
	opensFile bool
}

const (
	dropsOldest = "drops the oldest"
	dropsNewest = "drops the newest"
	waits       = "waits"
)

// untold is what a writer says of its losses that has no word for them.
const untold = -1

func nothing() float64 { return untold }

// sink is where lines go. A writer that opens its file itself gets the path.
type sink struct {
	io.Writer
	path string
}

// slots is how many lines the writers hold that count lines.
const slots = 10_000

// bufferSize is zap's default; a larger one does not help those that have one.
const bufferSize = 256 << 10

var peers = []peer{
	ours, diodes,
	oursNewest, phusluDrop,
	oursWait, phusluWait, zap, guarded, lumber, plain,
}

func own() []string { return names([]peer{ours, oursNewest, oursWait}) }

func names(of []peer) (all []string) {
	for _, p := range of {
		all = append(all, p.name)
	}
	return all
}
