package asynclog

import (
	"bytes"
	"time"
)

// Loss describes records that are missing from the stream. Everything in
// Stats.Dropped is in exactly one Loss, sooner or later: like the records, the
// report of a loss is kept until it is written. If the sink rejects the report
// itself, or crashes on it while it takes records, the report is given up and
// Options.Fallback gets its counts.
type Loss struct {
	Count           // the records dropped
	Levels   Levels // the same records by level, where known
	TooLarge Count  // refused with ErrTooLarge; not part of Count

	Since  time.Time  // when the first of them was lost
	Until  time.Time  // when the report was made
	format recordForm // of the first of them
}

// maxGaps bounds the gaps of dropped newest records. A later loss is reported in
// the last of them. A flood against a full buffer makes a gap for each batch that
// the sink takes; hundreds would only be noise.
const maxGaps = 16

// lost counts losses.
type lost struct {
	Count
	levels   tally
	tooLarge Count
}

func (a *lost) join(b *lost) {
	a.Count = a.plus(b.Count)
	for i := range b.levels {
		a.levels[i] += b.levels[i]
	}
	a.tooLarge = a.tooLarge.plus(b.tooLarge)
}

// gap is a place in the stream where records are missing.
type gap struct {
	lost
	open   bool   // something was lost here
	before uint64 // position in young of the record it stands before
	since  time.Time
	format recordForm
}

// begin opens a gap with the record p. Only here is the clock read: once for a
// flood.
func (g *gap) begin(p []byte, before uint64) {
	*g = gap{open: true, before: before, since: time.Now(), format: formOf(p)}
}

// join adds the losses of h to g, which may not be open.
func (g *gap) join(h *gap) {
	switch {
	case !h.open:
		return
	case !g.open:
		*g = *h
		return
	case h.since.Before(g.since):
		g.since, g.format = h.since, h.format
	}
	g.lost.join(&h.lost)
}

// losses counts lost records, by the three places where a record can be
// missing from the stream. The places are counted separately, since one total
// would report a loss at the place of another.
type losses struct {
	rejected gap          // records of the batch in the hands of the sink
	evicted  gap          // at the old end of the buffer, before the next batch
	newest   [maxGaps]gap // at the new end, of a buffer that drops those
	n        int          // of newest, which are in order

	told lost // in reports that were made

	// The same without rejected, in records: Flush waits for it, and rejected
	// is told out of order.
	queuedTold uint64

	// Set if nothing but the sink's own records were lost: a report would make
	// it log again. See echo.
	quiet bool
}

// reject counts the loss of a record of the batch in the sink's hands.
func (l *losses) reject(p []byte, m mark) { l.rejected.lose(p, m) }

// evict counts the loss of the oldest record.
func (l *losses) evict(p []byte, m mark) { l.evicted.lose(p, m) }

// dropNewest counts the loss of a record that would have got the position end.
func (l *losses) dropNewest(p []byte, m mark, end uint64) { l.at(p, end).count(m) }

// tooLarge counts such a record that Write returned [ErrTooLarge] for.
func (l *losses) tooLarge(p []byte, end uint64) {
	l.at(p, end).lost.tooLarge.add(len(p))
}

func (g *gap) lose(p []byte, m mark) {
	if !g.open {
		g.begin(p, 0)
	}
	g.count(m)
}

func (g *gap) count(m mark) {
	g.Count.add(m.len())
	g.levels[m.class()]++
}

// at returns the gap before the position end, or else the last one.
func (l *losses) at(p []byte, end uint64) *gap {
	if l.n == 0 || l.newest[l.n-1].before != end && l.n < maxGaps {
		l.newest[l.n].begin(p, end)
		l.n++
	}
	return &l.newest[l.n-1]
}

// total counts all losses so far.
func (l *losses) total() lost {
	t := l.told
	t.join(&l.rejected.lost)
	t.join(&l.evicted.lost)
	for i := range l.n {
		t.join(&l.newest[i].lost)
	}
	return t
}

// records returns the number of records lost or too large.
func (a *lost) records() uint64 { return a.Records + a.tooLarge.Records }

// queued returns the number of all losses so far, without rejected.
func (l *losses) queued() uint64 {
	n := l.queuedTold + l.evicted.records()
	for i := range l.n {
		n += l.newest[i].records()
	}
	return n
}

// pending reports whether there are losses of which no report was made.
func (l *losses) pending() bool {
	return l.rejected.open || l.evicted.open || l.n > 0
}

// due reports whether some of them are missing before the position at of the
// stream, between two batches.
func (l *losses) due(at uint64) bool {
	return l.rejected.open || l.evicted.open ||
		l.n > 0 && l.newest[0].before <= at
}

// take returns the losses that are due as one, and forgets them.
func (l *losses) take(at uint64) Loss {
	g := l.rejected
	g.join(&l.evicted)
	k := 0
	for ; k < l.n && l.newest[k].before <= at; k++ {
		g.join(&l.newest[k])
	}
	l.n = copy(l.newest[:], l.newest[k:l.n])
	l.queuedTold += g.records() - l.rejected.records()
	l.rejected, l.evicted = gap{}, gap{}
	return l.tell(&g)
}

// takeRejected returns the losses from the batch in the sink's hands.
func (l *losses) takeRejected() Loss {
	g := l.rejected
	l.rejected = gap{}
	return l.tell(&g)
}

func (l *losses) tell(g *gap) Loss {
	l.told.join(&g.lost)
	return Loss{
		Count:    g.Count,
		Levels:   g.levels.levels(),
		TooLarge: g.lost.tooLarge,
		Since:    g.since,
		Until:    time.Now(),
		format:   g.format,
	}
}

// before returns how many of the next n records come before the next gap.
func (l *losses) before(at uint64, n int) int {
	for i := range l.n {
		if b := l.newest[i].before; b > at {
			return int(min(b-at, uint64(n)))
		}
	}
	return n
}

// recordForm is the form of a record, for a report in the same form.
type recordForm uint8

const (
	formPlain recordForm = iota
	formJSON
	formText
)

func formOf(p []byte) recordForm {
	switch {
	case bytes.HasPrefix(p, []byte("{")):
		return formJSON
	case bytes.HasPrefix(p, []byte("time=")),
		bytes.HasPrefix(p, []byte("level=")):
		return formText
	}
	return formPlain
}
