package asynclog

// buffer holds the records between the callers and the sink, in the order in
// which they were accepted, and does the accounting. It has no lock and starts
// nothing: the Writer's lock guards it, and a test can drive it step by step.
//
// Under DropOldest it has two generations. Everything enters young; what
// young has no room for any more is dropped from its old end, except that
// urgent records move on to old, which is the reserve. All of old is older
// than all of young, so order needs no further thought. Under the policies
// that refuse there is only young, and ordinary records may fill it no further
// than limit.
type buffer struct {
	young byteRing

	accepted, written Count

	// Bytes of all records in the rings and in flight, and the most there
	// ever were. Kept beside the sum of the parts, which takes longer to make
	// than a short record to copy.
	used, high int

	// Bytes lost since the worker last had its turn; see Writer.yield.
	starved int

	// Positions in the stream of records that went into a generation and
	// have left it, to the sink or to nowhere.
	youngIn, youngOut uint64
	oldIn, oldOut     uint64

	old        *byteRing // nil if there is no reserve of its own
	evicts     bool
	limit      int // in bytes
	limitMarks int // the same share of the marks, for very short records

	// What the sink gets at most before the lock is taken again. Until then it
	// cannot be dropped, and makes no room.
	batch int

	losses losses
	flight flight
}

// minReserve is what the bookkeeping of a reserve of its own is worth.
const minReserve = 2 * markSize * minMarks

// batchBytes limits a batch. In a flood by 64 producers, whoever calls the sink
// gets few turns and must make the most of each: 64 KiB brought 0.4 M lines/s
// to the file, 256 KiB 1.9, 1 MiB 2.3.
const batchBytes = 1 << 20

func newBuffer(budget, reserve int, evicts bool) *buffer {
	b := &buffer{evicts: evicts}
	if evicts && reserve >= minReserve {
		budget -= reserve
		old := newByteRing(reserve, min(pieceBytes, budget/4))
		b.old = &old
	}
	b.young = newByteRing(budget, min(pieceBytes, budget/4))
	b.limit = max(len(b.young.data)-reserve, 0)
	b.limitMarks = len(b.young.marks) - reserve/(bytesPerMark+markSize)
	b.batch = min(batchBytes, len(b.young.data)/4)
	b.losses.evicts = evicts
	b.flight = newFlight(min(maxBatchRecords, len(b.young.marks)))
	return b
}

// largest is the longest record that can ever be stored.
func (b *buffer) largest(m mark) int {
	if b.evicts || m.isUrgent() {
		return len(b.young.data)
	}
	return b.limit
}

// add stores p and counts it as accepted, or reports that there is no room.
// To make room it drops older records if the policy is to.
func (b *buffer) add(p []byte, m mark) bool {
	if !b.evicts && !m.isUrgent() && (b.used+len(p) > b.limit ||
		b.young.queued >= b.limitMarks) {
		return false
	}
	for !b.young.put(p, m) {
		if !b.evicts || b.young.records == 0 {
			return false
		}
		b.evict()
		b.evictRun()
	}
	b.youngIn++
	b.accepted.add(len(p))
	b.losses.quiet = false
	if b.used += len(p); b.used > b.high {
		b.high = b.used
	}
	return true
}

// refuse counts p as accepted and lost at once.
func (b *buffer) refuse(p []byte, m mark) {
	b.accepted.add(len(p))
	b.lose(p, m)
}

// evict takes the oldest record out of young.
func (b *buffer) evict() {
	p, m := b.young.oldest()
	b.young.pop(len(p))
	b.youngOut++
	if !m.isUrgent() || b.old == nil || !b.rescue(p, m) {
		b.used -= len(p)
		b.lose(p, m)
	}
}

// evictRun goes on evicting, up to a 512th of the memory, as long as records
// are ordinary and lie in a row. In a flood, to free room for thirty records at
// a time costs a third less for each than thirty times for one. A small buffer
// has no such slack and drops no more than it must.
func (b *buffer) evictRun() {
	r, bytes, n := &b.young, 0, 0
	if b.losses.n == 0 {
		return
	}
	for slack := len(r.data) / 512; n < r.runs.oldest().records; n++ {
		m := r.marks[r.index(n)]
		if m.class() == classSkip || m.isUrgent() || bytes+m.len() > slack {
			break
		}
		bytes += m.len()
		b.losses.levels[m.class()]++
	}
	if n == 0 {
		return
	}
	r.drop(n, bytes)
	b.youngOut += uint64(n)
	b.used -= bytes
	b.starved += bytes
	b.losses.total = b.losses.total.plus(Count{uint64(n), uint64(bytes)})
}

// rescue moves a record from young to old, dropping older ones for it.
func (b *buffer) rescue(p []byte, m mark) bool {
	if len(p) > len(b.old.data) {
		return false
	}
	for !b.old.put(p, m) {
		if b.old.records == 0 { // the batch in flight is in the way
			return false
		}
		q, n := b.old.oldest()
		b.old.pop(len(q))
		b.oldOut++
		b.used -= len(q)
		b.lose(q, n)
	}
	b.oldIn++
	return true
}

func (b *buffer) lose(p []byte, m mark) {
	b.starved += len(p)
	b.losses.add(p, m, b.youngIn)
}

// occupied is the bytes of all records in the buffer and in flight.
func (b *buffer) occupied() int {
	n := b.young.bytes + b.flight.left().bytes
	if b.old != nil {
		n += b.old.bytes
	}
	return n
}

// queued is the number of records waiting, without those in flight.
func (b *buffer) queued() int {
	n := b.young.records
	if b.old != nil {
		n += b.old.records
	}
	return n
}

// buffered counts what is in the rings and in flight. It is counted from
// there, not as a remainder of the other counts, so that the law
// Accepted == Written + Dropped + Buffered says something.
func (b *buffer) buffered() Count {
	return Count{
		Records: uint64(b.queued() + b.flight.left().records),
		Bytes:   uint64(b.occupied()),
	}
}

// loss returns a loss that is to be reported before the next batch.
func (b *buffer) loss() (Loss, bool) { return b.losses.take(b.youngOut) }

// take puts the next batch in flight, of at most that many records and
// b.batch bytes, unless the first alone is longer. It reports whether there was
// one.
func (b *buffer) take(records int) bool {
	records = min(records, len(b.flight.marks))
	switch {
	case b.old != nil && b.old.records > 0:
		n := b.flight.start(b.old, b.batch, records)
		b.flight.first, b.flight.rescued = b.oldOut, true
		b.oldOut += uint64(n)
	case b.young.records > 0:
		records = b.losses.before(b.youngOut, records)
		n := b.flight.start(&b.young, b.batch, records)
		b.flight.first, b.flight.rescued = b.youngOut, false
		b.youngOut += uint64(n)
	default:
		return false
	}
	b.starved = 0
	return true
}

// wrote counts n more bytes of the batch in flight as written.
func (b *buffer) wrote(n int) {
	done := b.flight.wrote(n)
	b.written = b.written.plus(done)
	b.used -= int(done.Bytes)
}

// discard drops the record at the head of the batch in flight. It reports
// whether the sink has taken a part of it.
func (b *buffer) discard() (torn bool) {
	m := b.flight.marks[b.flight.done.records]
	p, end := b.flight.head(), b.youngIn
	if b.losses.n == 0 {
		end = 0 // reported right where it was
	}
	b.losses.add(p, m, end)
	b.used -= m.len()
	b.flight.wrote(len(p))
	return len(p) < m.len()
}

// left counts the records before a position that have not been written or
// dropped.
func (b *buffer) left(young, old uint64) Count {
	c := b.flight.before(young, old)
	c = c.plus(b.young.until(int(young - b.youngOut)))
	if b.old != nil {
		c = c.plus(b.old.until(int(old - b.oldOut)))
	}
	return c
}
