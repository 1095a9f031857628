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

// maxPieces is the most a batch can have: any two neighbours are together
// longer than one may be.
const maxPieces = 2*batchBytes/pieceBytes + 1

// flight is the batch in the hands of the sink. It cannot be dropped: the sink
// may be reading it. It knows where each record ends, so that after a partial
// write it resumes at the byte and counts to the record.
type flight struct {
	ring  *byteRing // where the bytes lie; nil: nothing is in flight
	rest  []byte    // what the sink has not taken
	size  int       // of the whole batch
	ends  []int     // where its pieces end
	bytes int       // of the records not yet written, the first one in full

	marks []mark
	n     int // marks in use
	at    int // mark of the record that rest begins in
	off   int // bytes of it the sink has taken

	// Position of the first record of the batch in its generation.
	first   uint64
	rescued bool
}

func (f *flight) start(r *byteRing, limit int, marks []mark) int {
	f.rest, f.n = r.take(limit, marks)
	f.ring, f.bytes, f.at, f.off = r, len(f.rest), 0, 0
	f.size = len(f.rest)
	f.cut()
	return f.n
}

// cut finds where the pieces of the batch end, each at the end of a record.
func (f *flight) cut() {
	f.ends = f.ends[:0]
	start, end := 0, 0
	for _, m := range f.marks[:f.n] {
		if end > start && end-start+m.len() > pieceBytes {
			f.ends = append(f.ends, end)
			start = end
		}
		end += m.len()
	}
	f.ends = append(f.ends, end)
}

// piece is how many bytes one call of the sink gets if it goes on at that
// offset of the batch.
func (f *flight) piece(at int) int {
	for _, end := range f.ends {
		if end > at {
			return end - at
		}
	}
	return 0 // after the end
}

func (f *flight) records() int {
	if f.ring == nil {
		return 0
	}
	return f.n - f.at
}

// head is what is left of the first record.
func (f *flight) head() []byte { return f.rest[:f.marks[f.at].len()-f.off] }

// wrote moves on by n bytes and returns the records completed. After the last
// one the memory is given back.
func (f *flight) wrote(n int) (done Count) {
	f.rest = f.rest[n:]
	for n += f.off; f.at < f.n && n >= f.marks[f.at].len(); f.at++ {
		n -= f.marks[f.at].len()
		done.add(f.marks[f.at].len())
	}
	f.off = n
	f.bytes -= int(done.Bytes)
	if f.at == f.n && f.ring != nil {
		f.ring.release()
		f.ring = nil
	}
	return done
}

// before counts the unwritten records of the batch that lie before the
// position given for its generation.
func (f *flight) before(young, old uint64) (c Count) {
	end := young
	if f.rescued {
		end = old
	}
	for i := f.at; f.ring != nil && i < f.n && f.first+uint64(i) < end; i++ {
		c.add(f.marks[i].len())
	}
	return c
}
