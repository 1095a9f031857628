package asynclog

// maxBatchRecords bounds the table of marks of the batch in flight, and with
// it the time for which taking a batch holds the lock.
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
const pieceBytes = 64 << 10

// flight is the batch in the hands of the sink. It cannot be dropped: the sink
// may be reading it. It knows where each record ends, so that after a partial
// write it resumes at the byte and counts to the record.
type flight struct {
	ring *byteRing // where the bytes lie; nil: nothing is in flight
	rest []byte    // what the sink has not taken
	size int       // of the whole batch
	ends []place   // where its pieces end

	marks []mark // of all its records
	done  place  // whole records that the sink has taken

	// Position of the first record of the batch in its generation.
	first   uint64
	rescued bool
}

// newFlight has room for a batch of so many records.
func newFlight(records int) flight {
	return flight{marks: make([]mark, records), ends: make([]place, 0, records)}
}

// start puts the oldest records of r in flight and returns how many.
func (f *flight) start(r *byteRing, limit, records int) int {
	f.rest, f.ends = r.take(limit, f.marks[:records], f.ends[:0])
	f.ring, f.size, f.done = r, len(f.rest), place{}
	return f.total()
}

// total is how many records the batch has, or had.
func (f *flight) total() int { return f.ends[len(f.ends)-1].records }

// piece is how many bytes one call of the sink gets if it goes on at that
// offset of the batch.
func (f *flight) piece(at int) int {
	for _, end := range f.ends {
		if end.bytes > at {
			return end.bytes - at
		}
	}
	return 0 // after the end
}

// left is what has not been written, the first record in full.
func (f *flight) left() place {
	if f.ring == nil {
		return place{}
	}
	return place{f.total() - f.done.records, f.size - f.done.bytes}
}

// head is what is left of the first record.
func (f *flight) head() []byte {
	taken := f.size - len(f.rest) - f.done.bytes
	return f.rest[:f.marks[f.done.records].len()-taken]
}

// wrote moves on by n bytes and returns the records completed. After the last
// one the memory is given back.
func (f *flight) wrote(n int) (done Count) {
	f.rest = f.rest[n:]
	before, taken := f.done, f.size-len(f.rest)
	for _, end := range f.ends { // whole pieces, in one step
		if end.bytes <= taken {
			f.done = end
		}
	}
	for f.done.records < f.total() {
		next := f.done.bytes + f.marks[f.done.records].len()
		if next > taken {
			break
		}
		f.done = place{f.done.records + 1, next}
	}
	if f.done.bytes == f.size {
		f.ring.release()
		f.ring = nil
	}
	return Count{
		Records: uint64(f.done.records - before.records),
		Bytes:   uint64(f.done.bytes - before.bytes),
	}
}

// before counts the unwritten records of the batch that lie before the
// position given for its generation.
func (f *flight) before(young, old uint64) (c Count) {
	if f.ring == nil {
		return c
	}
	end := young
	if f.rescued {
		end = old
	}
	for i := f.done.records; i < f.total() && f.first+uint64(i) < end; i++ {
		c.add(f.marks[i].len())
	}
	return c
}
