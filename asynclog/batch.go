package asynclog

// maxBatchRecords bounds the table of marks of the batch in the sink's hands,
// and with it the time for which taking a batch holds the lock.
const maxBatchRecords = 4096

// pieceBytes limits a call of the sink, except for a single longer record. The
// reason is how the runtime treats a long system call: it gives the processor
// to another goroutine, in a flood to another caller, and the worker then has
// to wait for a turn when the call returns. A file in memory takes this much
// in about thirty microseconds.
//
// Measured on a busy machine with two cores, so with much noise: lines written
// with pieces against one call for the whole batch 1.4x with two producers,
// 1.1x with 64. Batches of this size without pieces were 0.8 to 1.0 of that,
// as the worker then needs the lock after every call.
const pieceBytes = 16 << 10

// batch is the run of records in the sink's hands. It cannot be dropped: the
// sink may be reading it. It knows where each record ends, so that after a
// partial write it resumes at the byte and counts to the record.
type batch struct {
	ring *byteRing // where the bytes lie; nil: there is no batch
	rest []byte    // not taken by the sink
	size int       // of the whole batch
	ends []place   // where its pieces end

	marks []mark // of all its records
	done  place  // whole records that the sink has taken
	alone int    // records before this one go to the sink one at a time

	// Position of the first record of the batch in its generation.
	first   uint64
	rescued bool
}

// newBatch has room for so many records.
func newBatch(records int) batch {
	return batch{marks: make([]mark, records), ends: make([]place, 0, records)}
}

// start takes the oldest records of r and returns how many.
func (b *batch) start(r *byteRing, limit, records int) int {
	b.rest, b.ends = r.take(limit, b.marks[:records], b.ends[:0])
	b.ring, b.size, b.done, b.alone = r, len(b.rest), place{}, 0
	return b.total()
}

// total is how many records the batch has, or had.
func (b *batch) total() int { return b.ends[len(b.ends)-1].records }

// piece is how many bytes one call of the sink gets if it goes on at that
// offset of the batch.
func (b *batch) piece(at int) int {
	for _, end := range b.ends {
		if end.bytes > at {
			return end.bytes - at
		}
	}
	return 0 // after the end
}

// isolate has the records of the piece that failed handed over one at a time,
// to find the one at fault. It reports whether there are several, and so is
// false if they were handed over that way.
func (b *batch) isolate() bool {
	if b.done.records < b.alone {
		return false
	}
	taken := b.size - len(b.rest)
	for _, end := range b.ends {
		if end.bytes > taken {
			b.alone = end.records
			break
		}
	}
	return b.alone > b.done.records+1
}

// next returns the bytes that the sink gets next.
func (b *batch) next() []byte {
	if b.done.records < b.alone {
		return b.head()
	}
	return b.rest
}

// between reports whether the sink has taken no part of the next record.
func (b *batch) between() bool { return b.size-len(b.rest) == b.done.bytes }

// left counts the records that have not been written, the first one in full.
func (b *batch) left() place {
	if b.ring == nil {
		return place{}
	}
	return place{b.total() - b.done.records, b.size - b.done.bytes}
}

// head returns the first record, without the part that the sink has taken.
func (b *batch) head() []byte {
	taken := b.size - len(b.rest) - b.done.bytes
	return b.rest[:b.marks[b.done.records].len()-taken]
}

// wrote moves on by n bytes and returns the records completed. After the last
// one the memory is given back.
func (b *batch) wrote(n int) (done Count) {
	b.rest = b.rest[n:]
	before, taken := b.done, b.size-len(b.rest)
	for _, end := range b.ends { // whole pieces, in one step
		if end.bytes <= taken {
			b.done = end
		}
	}
	for b.done.records < b.total() {
		next := b.done.bytes + b.marks[b.done.records].len()
		if next > taken {
			break
		}
		b.done = place{b.done.records + 1, next}
	}
	if b.done.bytes == b.size {
		b.ring.release()
		b.ring = nil
	}
	return Count{
		Records: uint64(b.done.records - before.records),
		Bytes:   uint64(b.done.bytes - before.bytes),
	}
}

// before counts the unwritten records of the batch that lie before the
// position given for its generation.
func (b *batch) before(young, old uint64) (c Count) {
	if b.ring == nil {
		return c
	}
	end := young
	if b.rescued {
		end = old
	}
	for i := b.done.records; i < b.total() && b.first+uint64(i) < end; i++ {
		c.add(b.marks[i].len())
	}
	return c
}
