package asynclog

import (
	"bytes"
	"sync/atomic"

	"example.com/chanx"
)

// aside holds the records of Writes that found the lock held for longer than
// any section takes. Then the goroutine that holds it has lost its processor in
// the middle of one, which with many busy goroutines happens about once a
// second, and gets the next one only after all of them have had theirs. If they
// parked meanwhile, 1,024 of them would all be behind one lock; so they leave
// their record here instead and go on. It is the one case in which a Write
// allocates. Under the policy Wait they park: waiting is their policy.
//
// The next to take or release the lock puts the records into the buffer, in order,
// so each goroutine's stay in order as well. Once there are maxAside bytes, which
// only a flood reaches, a Write waits for the lock after all; the last half is
// for urgent records. Shutdown seals it: from then on a Write waits for the lock
// to get its error.
//
// Rejected: to drop, at once or above maxAside. A record would be lost while
// the buffer has room.
type aside struct {
	newest atomic.Pointer[asideRecord]
	bytes  atomic.Int64
}

type asideRecord struct {
	p     []byte
	m     mark
	older *asideRecord
}

// maxAside is the part of Budget that may be aside, in addition to it.
const maxAside = 4

// sealed stands for the records once there may be none.
var sealed = new(asideRecord)

// add reports whether it took the record: not if it is full, or sealed.
func (a *aside) add(p []byte, m mark, limit int) bool {
	if !m.isUrgent() {
		limit /= 2
	}
	if a.bytes.Add(int64(len(p))) > int64(limit) {
		a.bytes.Add(-int64(len(p)))
		return false
	}
	r := &asideRecord{p: bytes.Clone(p), m: m}
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

// take returns the records, oldest first and linked the other way around.
func (a *aside) take(next *asideRecord) (oldest *asideRecord) {
	for r := a.newest.Swap(next); r != nil; {
		older := r.older
		r.older, oldest = oldest, r
		a.bytes.Add(-int64(len(r.p)))
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
	w.mu.Unlock()
	if !w.aside.isEmpty() {
		w.collect()
	}
}

func (w *Writer) collect() {
	if w.mu.TryLock() {
		w.fold()
		w.mu.Unlock()
	}
	if !w.aside.isEmpty() {
		chanx.TrySend(w.wake, struct{}{})
	}
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
	for ; r != nil; r = r.older {
		if !w.buf.add(r.p, r.m) {
			w.buf.drop(r.p, r.m)
		}
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
