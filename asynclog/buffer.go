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

	// Bytes of all records in the rings and in the sink's hands, and the most
	// there ever were. Kept in addition to the sum of the parts, which takes
	// longer to make than a short record to copy.
	used, high int

	// Bytes lost since the worker last had its turn; see Writer.yields.
	starved int

	// Positions in the stream of records that went into a generation and
	// have left it, to the sink or to nowhere.
	youngIn, youngOut uint64
	oldIn, oldOut     uint64

	old        *byteRing // nil if there is no separate reserve
	evicts     bool
	limit      int // in bytes
	limitMarks int // the same share of the marks, for very short records

	// The most that the sink gets before the lock is taken again. Until then it
	// cannot be dropped, and makes no room.
	maxBatch int

	// Callers of Flush, and the first position that one of them waits for to
	// leave young. Kept here because a record rescued later than that is not
	// one that the caller waits for.
	pending []*flush
	watch   uint64

	losses losses
	inHand batch
}

// minReserve is the least that is worth the bookkeeping of a separate reserve.
const minReserve = 2 * markSize * minMarks

// batchBytes limits a batch. In a flood by 64 producers, the caller of the sink
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
	b.maxBatch = min(batchBytes, len(b.young.data)/4)
	b.watch = noWatch
	b.inHand = newBatch(min(maxBatchRecords, len(b.young.marks)))
	return b
}

// largest returns the length of the longest record that can ever be stored.
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
	if !b.young.put(p, m) && !b.makeRoom(p, m) {
		return false
	}
	b.youngIn++
	b.accepted.add(len(p))
	b.losses.quiet = false
	if b.used += len(p); b.used > b.high {
		b.high = b.used
	}
	return true
}

// makeRoom evicts until p is stored. If the batch in the sink's hands leaves p
// no place even in an otherwise empty ring, it evicts nothing and reports
// false.
func (b *buffer) makeRoom(p []byte, m mark) bool {
	if !b.evicts || !b.young.canHold(len(p)) {
		return false
	}
	for {
		b.evict()
		b.evictRun()
		if b.young.put(p, m) {
			return true
		}
	}
}

// drop counts p as accepted and lost at once.
func (b *buffer) drop(p []byte, m mark) {
	b.accepted.add(m.len())
	b.starved += m.len()
	b.losses.dropNewest(p, m, b.youngIn)
}

// evict takes the oldest record out of young.
func (b *buffer) evict() {
	p, m := b.young.oldest()
	b.young.pop(len(p))
	if !m.isUrgent() || b.old == nil || !b.rescue(p, m) {
		b.lose(p, m)
	}
	b.advance(1)
}

// advance moves on the position of young, and notices if the last record that
// a caller of Flush waits for has left it.
func (b *buffer) advance(records int) {
	if b.youngOut += uint64(records); b.youngOut >= b.watch {
		b.cross()
	}
}

// evictRun goes on evicting, up to a 512th of the memory, as long as records
// are ordinary and lie in a row. In a flood, to free room for thirty records at
// a time costs a third less for each than thirty times for one. A small buffer
// has no such slack and drops no more than it must.
func (b *buffer) evictRun() {
	r, bytes, n := &b.young, 0, 0
	if !b.losses.evicted.open {
		return
	}
	for slack := len(r.data) / 512; n < r.runs.oldest().records; n++ {
		m := r.marks[r.index(n)]
		if m.class() == classSkip || m.isUrgent() || bytes+m.len() > slack {
			break
		}
		bytes += m.len()
		b.losses.evicted.levels[m.class()]++
	}
	if n == 0 {
		return
	}
	r.drop(n, bytes)
	b.used -= bytes
	b.starved += bytes
	e := &b.losses.evicted
	e.Count = e.plus(Count{uint64(n), uint64(bytes)})
	b.advance(n)
}

// rescue moves a record from young to old, dropping older ones for it.
func (b *buffer) rescue(p []byte, m mark) bool {
	if !b.old.canHold(len(p)) {
		return false
	}
	for !b.old.put(p, m) {
		q, n := b.old.oldest()
		b.old.pop(len(q))
		b.oldOut++
		b.lose(q, n)
	}
	b.oldIn++
	return true
}

// lose counts an evicted record.
func (b *buffer) lose(p []byte, m mark) {
	b.used -= len(p)
	b.starved += len(p)
	b.losses.evict(p, m)
}

// occupied returns the bytes of all records in the buffer and in the sink's hands.
func (b *buffer) occupied() int {
	n := b.young.bytes + b.inHand.left().bytes
	if b.old != nil {
		n += b.old.bytes
	}
	return n
}

// queued returns the number of records waiting, without those in the sink's hands.
func (b *buffer) queued() int {
	n := b.young.records
	if b.old != nil {
		n += b.old.records
	}
	return n
}

// buffered counts the records in the rings and in the sink's hands, from
// there, not as a remainder of the other counts, so that the law
// Accepted == Written + Dropped + Buffered says something.
func (b *buffer) buffered() Count {
	return Count{
		Records: uint64(b.queued() + b.inHand.left().records),
		Bytes:   uint64(b.occupied()),
	}
}

// take puts the next batch into the sink's hands, of at most that many records
// and b.maxBatch bytes, unless the first alone is longer. It reports whether
// there was one.
func (b *buffer) take(records int) bool {
	records = min(records, len(b.inHand.marks))
	switch {
	case b.old != nil && b.old.records > 0:
		n := b.inHand.start(b.old, b.maxBatch, records)
		b.inHand.first, b.inHand.rescued = b.oldOut, true
		b.oldOut += uint64(n)
	case b.young.records > 0:
		records = b.losses.before(b.youngOut, records)
		n := b.inHand.start(&b.young, b.maxBatch, records)
		b.inHand.first, b.inHand.rescued = b.youngOut, false
		b.advance(n)
	default:
		return false
	}
	b.starved = 0
	return true
}

// wrote counts n more bytes of the batch in the sink's hands as written.
func (b *buffer) wrote(n int) {
	done := b.inHand.wrote(n)
	b.written = b.written.plus(done)
	b.used -= int(done.Bytes)
}

// reject drops the record at the head of the batch in the sink's hands. It
// reports whether the sink has taken a part of it.
func (b *buffer) reject() (torn bool) {
	m := b.inHand.marks[b.inHand.done.records]
	p := b.inHand.head()
	b.losses.reject(p, m)
	b.used -= m.len()
	b.inHand.wrote(len(p))
	return len(p) < m.len()
}

// unwritten counts the records before a position that have not been written or
// dropped.
func (b *buffer) unwritten(young, old uint64) Count {
	c := b.inHand.before(young, old)
	c = c.plus(b.young.until(int(young - b.youngOut)))
	if b.old != nil {
		c = c.plus(b.old.until(int(old - b.oldOut)))
	}
	return c
}
