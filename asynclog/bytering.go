package asynclog

// mark describes a record to the ring: its length in the low 28 bits, its class
// in the next three, and whether it is of the kind the reserve is kept for. A mark of classSkip stands for bytes that hold
// no record.
//
// Marks are kept apart from the bytes and not between them, so that a run of
// records goes to the sink as it lies, in one call and without a copy.
type mark uint32

const (
	lenBits = 28
	maxLen  = 1<<lenBits - 1
	urgent  = mark(1 << 31)
)

func newMark(n int, c class) mark { return mark(n) | mark(c)<<lenBits }

func (m mark) len() int       { return int(m & maxLen) }
func (m mark) class() class   { return class(m>>lenBits) & 7 }
func (m mark) isUrgent() bool { return m&urgent != 0 }

// byteRing is a queue of records of any size in a fixed block of memory. The
// bytes of one record are never split, nor are those of a batch that was
// taken: at the end of the block, and at a batch the sink still has in hand,
// the next record jumps ahead and leaves a skip behind.
//
// It has no lock: the Writer's guards it.
//
// Rejected: a fixed number of segments, of which the oldest is discarded as a
// whole. That throws away up to a segment more than needed, cannot hold a
// record longer than one, and with a small budget is nearly nothing but
// rounding. Headers between the records would save the second array, but
// then the worker has to copy every batch to get rid of them.
type byteRing struct {
	// What every put reads or writes comes first, close together: the callers'
	// processors take these cache lines from one another.

	// The records lie from head to tail, around the end of data, with the
	// skips between them. Both are less than len(data). If they are equal
	// the ring is empty or full; records tells which.
	head, tail int
	records    int
	bytes      int

	first, queued int // the mark at head, and how many there are

	// The batch in the hands of the sink: no longer in the queue, but its
	// memory must not be written to. It lies in no record's way but the next
	// one's: between tail and head, or in a skip.
	pinStart, pinEnd int

	data  []byte
	marks []mark // cyclic, like data
	runs  runs   // the records once more, many at a time
}

// bytesPerMark decides how much of the memory goes to marks: a ninth. Records
// shorter than this on average run out of marks before they run out of bytes.
const bytesPerMark = 32

const (
	markSize = 4
	minMarks = 16
)

// newByteRing splits size bytes between records and marks. A run of records
// is of at most runBytes, unless it is a single longer one.
func newByteRing(size, runBytes int) byteRing {
	n := marksIn(size)
	return byteRing{
		data:  make([]byte, max(recordBytes(size), 0)),
		marks: make([]mark, n),
		runs:  newRuns(size, n, runBytes),
	}
}

func marksIn(size int) int { return max(size/(bytesPerMark+markSize), minMarks) }

// recordBytes is how many of size bytes are for records.
func recordBytes(size int) int { return size - markSize*marksIn(size) }

// put stores p, which must not be empty, or reports that it has no place
// without having moved anything. The common cases are spelled out here rather
// than left to place: that halved the cost of a record in a full ring.
func (r *byteRing) put(p []byte, m mark) bool {
	if r.queued > len(r.marks)-2 { // a skip may need one, too
		return false
	}
	at, end := r.tail, r.obstacle(r.tail)
	if r.records > 0 && at <= r.head && r.head <= end {
		if at+len(p) > r.head {
			return false
		}
	} else if at+len(p) > end {
		if at = r.place(len(p)); at < 0 {
			return false
		}
		r.skip(at)
	}
	copy(r.data[at:at+len(p)], p)
	r.push(m)
	r.runs.add(len(p))
	if r.tail = at + len(p); r.tail == len(r.data) {
		r.tail = 0
		r.runs.tear()
	}
	r.records++
	r.bytes += len(p)
	return true
}

// canHold reports whether a record of n bytes has a place once all others are
// gone, except for the pinned batch.
func (r *byteRing) canHold(n int) bool {
	return n <= max(r.pinStart, len(r.data)-r.pinEnd)
}

// obstacle is how far one can go from at without leaving the block or
// touching the pinned batch.
func (r *byteRing) obstacle(at int) int {
	if at <= r.pinStart && r.pinStart < r.pinEnd {
		return r.pinStart
	}
	return len(r.data)
}

// place looks for n free bytes in a row from the tail on. It returns -1 if
// there are none before the head.
func (r *byteRing) place(n int) int {
	at := r.tail
	// An empty ring has the pinned batch before it and, once around, behind.
	for range 4 {
		end := r.obstacle(at)
		if r.records > 0 && at <= r.head && r.head <= end {
			if at+n <= r.head {
				return at
			}
			return -1
		}
		if at+n <= end {
			return at
		}
		if at = 0; end < len(r.data) {
			at = r.wrap(r.pinEnd)
		}
	}
	return -1
}

// skip leaves out what lies between the tail and at, where the next record
// goes.
func (r *byteRing) skip(at int) {
	if r.records == 0 {
		r.head = at
		return
	}
	n := at - r.tail
	if n < 0 {
		n += len(r.data)
	}
	r.push(newMark(n, classSkip))
	r.runs.tear()
}

func (r *byteRing) push(m mark) {
	r.marks[r.index(r.queued)] = m
	r.queued++
}

// index is where the i-th mark from the head is.
func (r *byteRing) index(i int) int {
	if i += r.first; i >= len(r.marks) {
		i -= len(r.marks)
	}
	return i
}

// shift forgets the first n marks.
func (r *byteRing) shift(n int) {
	r.first = r.index(n)
	r.queued -= n
}

// wrap turns the offset behind the last byte into the first.
func (r *byteRing) wrap(at int) int {
	if at >= len(r.data) {
		return at - len(r.data)
	}
	return at
}

// oldest returns the oldest record, and moves the head over a skip before it.
// The bytes stay valid until the next put. The ring must not be empty.
func (r *byteRing) oldest() ([]byte, mark) {
	m := r.marks[r.first]
	if m.class() == classSkip {
		r.head = r.wrap(r.head + m.len())
		r.shift(1)
		m = r.marks[r.first]
	}
	return r.data[r.head : r.head+m.len()], m
}

// pop removes the record that oldest has just returned, of n bytes.
func (r *byteRing) pop(n int) { r.drop(1, n) }

// drop removes the k oldest records, of n bytes together, which must be of one
// run.
func (r *byteRing) drop(k, n int) {
	r.runs.drop(k, n)
	r.shift(k)
	r.records -= k
	r.bytes -= n
	r.head = r.wrap(r.head + n)
}

// take removes the oldest records that lie in a row, a whole run at a time: at
// most len(marks), and at most limit bytes unless the first run alone is
// longer. Of a first run that is torn, or has more records than that, it takes
// a part. It pins their memory until release, leaves their marks in marks and
// appends to ends where the pieces end. The ring must not be empty.
//
// It does not look at the records one by one, as it once did: callers that
// found the lock taken for so long were parked and woken again, which cost
// more than all the rest of a Write.
func (r *byteRing) take(limit int, marks []mark, ends []place) ([]byte, []place) {
	r.oldest()
	start, n := r.head, place{}
	for r.records > 0 && r.head == start+n.bytes &&
		r.marks[r.first].class() != classSkip {
		next := r.runs.oldest().place
		room := len(marks) - n.records
		if r.runs.oldest().torn || next.records > room {
			next = r.row(min(next.records, room))
		}
		if next.records == 0 || n.records > 0 && n.bytes+next.bytes > limit {
			break
		}
		r.copyMarks(marks[n.records:], next.records)
		r.drop(next.records, next.bytes)
		n = n.plus(next)
		ends = append(ends, n)
	}
	r.pinStart, r.pinEnd = start, start+n.bytes
	return r.data[r.pinStart:r.pinEnd:r.pinEnd], ends
}

// row is as many of the k oldest records as lie in a row.
func (r *byteRing) row(k int) (n place) {
	for ; n.records < k; n.records++ {
		m := r.marks[r.index(n.records)]
		if m.class() == classSkip || r.head+n.bytes+m.len() > len(r.data) {
			break
		}
		n.bytes += m.len()
	}
	return n
}

// copyMarks copies the k oldest marks.
func (r *byteRing) copyMarks(to []mark, k int) {
	n := copy(to[:k], r.marks[r.first:])
	copy(to[n:k], r.marks)
}

// release lets the memory of the batch taken last be used again.
func (r *byteRing) release() {
	r.pinStart, r.pinEnd = 0, 0
	if r.records == 0 {
		// Little traffic stays within the same few cache lines.
		r.head, r.tail = 0, 0
	}
}

// until counts the n oldest records without moving them; none if n < 0.
func (r *byteRing) until(n int) (c Count) {
	for i := 0; i < r.queued && int(c.Records) < n; i++ {
		if m := r.marks[r.index(i)]; m.class() != classSkip {
			c.add(m.len())
		}
	}
	return c
}
