package asynclog

import (
	"sync"
	"sync/atomic"

	"example.com/chanx"
)

// aside holds the records of Writes that found the lock held for longer than
// any section takes. Then the goroutine that holds it has lost its processor in
// the middle of one, which with many busy goroutines happens about once a
// second, and gets the next one only after all of them have had theirs. If they
// parked meanwhile, 1,024 of them would all be behind one lock; so they leave
// their record here instead and go on. Under the policy Wait they park: waiting
// is their policy.
//
// The next to take or release the lock puts the records into the buffer, in
// order, so each goroutine's stay in order as well. Once there are maxAside
// bytes, which only a flood reaches, a Write waits for the lock after all; the
// last half is for urgent records. Shutdown seals it: from then on a Write
// waits for the lock to get its error.
//
// Records that have reached the buffer are used again, so that a flood does not
// allocate. They are kept in a sync.Pool, a list in each place: to free and to
// get many one by one costs more, and a list with an atomic head needs a
// counter against a record that leaves it and comes back.
//
// Rejected: to drop, at once or above maxAside. A record would be lost while
// the buffer has room.
type aside struct {
	newest atomic.Pointer[asideRecord]
	bytes  atomic.Int64
	spare  sync.Pool // of *asideRecord, with others behind it
}

type asideRecord struct {
	p     []byte
	m     mark
	older *asideRecord
}

const (
	// maxAside is the part of Budget that may be aside, in addition to it.
	maxAside = 4

	// asideBytes is the memory of a record in addition to its bytes. Without it
	// a flood of lines of one byte would take 57 times the limit.
	asideBytes = 64

	// maxSpare is the longest record whose memory is used again.
	maxSpare = 4 << 10
)

// sealed stands for the records once there may be none.
var sealed = new(asideRecord)

// add reports whether it took the record: not if it is full, or sealed.
func (a *aside) add(p []byte, m mark, limit int) bool {
	if !m.isUrgent() {
		limit /= 2
	}
	r := a.get()
	r.p, r.m = append(r.p[:0], p...), m
	if size := r.size(); a.bytes.Add(size) > int64(limit) {
		a.bytes.Add(-size)
		a.free(r)
		return false
	}
	for {
		r.older = a.newest.Load()
		if r.older == sealed {
			return false
		}
		if a.newest.CompareAndSwap(r.older, r) {
			return true
		}
	}
}

func (r *asideRecord) size() int64 { return int64(cap(r.p) + asideBytes) }

// get returns a record to be filled.
func (a *aside) get() *asideRecord {
	r, _ := a.spare.Get().(*asideRecord)
	if r == nil {
		return new(asideRecord)
	}
	a.free(r.older)
	r.older = nil
	return r
}

// free keeps a list of records for get.
func (a *aside) free(r *asideRecord) {
	if r != nil {
		a.spare.Put(r)
	}
}

// take returns the records, oldest first and linked the other way around.
func (a *aside) take(next *asideRecord) (oldest *asideRecord) {
	for r := a.newest.Swap(next); r != nil; {
		older := r.older
		r.older, oldest = oldest, r
		a.bytes.Add(-r.size())
		r = older
	}
	return oldest
}

func (a *aside) isEmpty() bool {
	r := a.newest.Load()
	return r == nil || r == sealed
}

// enter takes mu for a Write, unless it stays held for all the pauses; the
// caller then puts its record aside. The pauses are not left out while others
// have done so: then a flood never uses the lock again.
func (w *Writer) enter() bool { return w.mu.TryLock() || w.mu.retry(0) }

// lock takes mu, with nothing aside.
func (w *Writer) lock() {
	w.mu.Lock()
	w.fold()
}

// unlock releases mu. A record put aside meanwhile was not seen elsewhere: it
// goes into the buffer here, and those put aside during that are the worker's,
// as a flood could keep a caller here forever.
func (w *Writer) unlock() {
	w.release()
	if !w.aside.isEmpty() {
		w.collect()
	}
}

func (w *Writer) collect() {
	if w.mu.TryLock() {
		w.fold()
		w.release()
	}
	if !w.aside.isEmpty() {
		chanx.TrySend(w.wake, struct{}{})
	}
}

// release releases mu, and then frees the records that were aside: the pool may
// allocate, and the goroutine may then have to work for the garbage collector.
func (w *Writer) release() {
	r := w.spent
	w.spent = nil
	w.mu.Unlock()
	w.aside.free(r)
}

// fold puts the records aside into the buffer. The caller holds mu.
func (w *Writer) fold() {
	if !w.aside.isEmpty() {
		w.store(w.aside.take(nil))
	}
}

// seal is fold for the last time. The caller holds mu.
func (w *Writer) seal() { w.store(w.aside.take(sealed)) }

func (w *Writer) store(r *asideRecord) {
	if r != nil && w.idle {
		w.idle = false
		chanx.TrySend(w.wake, struct{}{})
	}
	for r != nil {
		if !w.buf.add(r.p, r.m) {
			w.buf.drop(r.p, r.m)
		}
		if cap(r.p) > maxSpare {
			r.p = nil
		}
		next := r.older
		r.older, w.spent = w.spent, r
		r = next
	}
}

// putAside takes the record of a Write that could not have the lock, if it can.
func (w *Writer) putAside(p []byte, m mark) bool {
	if !w.aside.add(p, m, w.opts.Budget/maxAside) {
		return false
	}
	w.collect() // or else the holder of mu will
	return true
}
