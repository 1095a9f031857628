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
	name  string
	drops string // which values, when it is full
	ours  bool
	open  func(capacity int) queue[T]

	oneReader bool // more than one consumer is not allowed
	unbounded bool // it keeps everything, so a flood must be limited
}

func peers[T any]() []peer[T] {
	return []peer[T]{
		{name: "chanx.Ring", drops: oldest, ours: true, open: openRing[T]},
		{name: "chanx.SendDropOldest", drops: oldest, ours: true,
			open: openDropOldest[T]},
		{name: "channel, evict and retry", drops: oldest, open: openEvict[T]},
		{name: "eapache Ring", drops: oldest, open: openEapacheRing[T]},
		{name: "gammazero Ring", drops: oldest, open: openGammazero[T]},
		{name: "go-diodes", drops: oldest, open: openDiode[T], oneReader: true},
		{name: "xsync MPMC, evict loop", drops: oldest, open: openXsync[T]},
		{name: "go-ringbuf, overlapped", drops: oldest, open: openOverlapped[T]},
		{name: "chanx.TrySend", drops: newest, ours: true, open: openTrySend[T]},
		{name: "channel, select default", drops: newest, open: openRaw[T]},
		{name: "eapache Overflowing", drops: newest,
			open: openEapacheOverflowing[T]},
		{name: "smallnest/chanx", drops: none, open: openSmallnest[T],
			unbounded: true},
	}
}

const (
	oldest = "oldest"
	newest = "newest"
	none   = "none"
)
