// Package queue measures the ways of handing values to a consumer without
// waiting for it: raw channel idioms, chanx, and what others wrote.
package queue

// queue is what every peer is reduced to, so that all do the same work.
type queue[T any] interface {
	// send offers v, and returns how many values this call is known to have
	// dropped, v or others.
	send(v T) int

	// recv waits for a value; it reports false once the queue is closed and
	// drained, or can tell no more.
	recv() (T, bool)

	close()

	// told returns how many values the queue itself says it dropped, and
	// whether it says so at all. What send returned is not among them.
	told() (uint64, bool)
}

// peer is one rival. Its adapter is the file named after it.
type peer[T any] struct {
	name string
	ours bool
	open func(capacity int) queue[T]

	oneReader bool // more than one consumer is not allowed
	unbounded bool // it keeps everything, so a flood must be limited
}

func peers[T any]() []peer[T] {
	return []peer[T]{
		{name: "chanx.Ring", ours: true, open: openRing[T]},
		{name: "chanx.TrySend", ours: true, open: openTrySend[T]},
		{name: "chanx.SendDropOldest", ours: true, open: openDropOldest[T]},
		{name: "channel, select default", open: openRaw[T]},
		{name: "channel, evict and retry", open: openEvict[T]},
		{name: "eapache Ring", open: openEapacheRing[T]},
		{name: "eapache Overflowing", open: openEapacheOverflowing[T]},
		{name: "gammazero Ring", open: openGammazero[T]},
		{name: "go-diodes", open: openDiode[T], oneReader: true},
		{name: "xsync MPMC, evict loop", open: openXsync[T]},
		{name: "smallnest/chanx", open: openSmallnest[T], unbounded: true},
	}
}

// absent names the peers that cannot be had, and why.
var absent = []string{
	"floatdrop/ringchan and hedzr/go-ringbuf: – in every row, because the " +
		"module proxy in use did not serve them.",
}
