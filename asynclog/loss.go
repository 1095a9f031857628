package asynclog

import (
	"bytes"
	"time"
)

// Loss is what the stream is told about records that are missing from it at
// this place. Everything in Stats.Dropped is in exactly one Loss, sooner or
// later: the report of a loss is kept until it is written, like the records.
type Loss struct {
	Count             // what was lost
	Levels Levels     // the same records by level, where known
	Since  time.Time  // when the first of them was lost
	Until  time.Time  // when the report was made
	format recordForm // of the first of them
}

// maxGaps is how many places of loss are told apart. What is lost later is
// reported at the last of them. A flood against a full buffer that refuses has
// one gap for every batch the sink takes; hundreds would only be noise.
const maxGaps = 16

// gap is a place in the stream where records are missing.
type gap struct {
	before uint64 // position in young of the record it stands before
	since  time.Time
	format recordForm

	// All losses ever, up to and including this gap. What is in the gap is
	// the difference to what was told; so losing a record means counting
	// once, in total, however many gaps there are.
	total  Count
	levels tally
}

// losses counts what is dropped and remembers where.
//
// A policy that evicts loses records at the old end of the buffer, so there is
// only ever one gap: before whatever comes next. A policy that refuses loses
// them behind the youngest record, wherever that is by then.
type losses struct {
	evicts bool
	n      int // of gaps

	// Set if nothing but the sink's own records were lost: telling it would
	// make it log again. See Writer.echoes.
	quiet bool

	total      Count
	levels     tally
	told       Count
	toldLevels tally

	gaps [maxGaps]gap
}

// add counts the loss of the record p, behind the record at position end.
func (l *losses) add(p []byte, m mark, end uint64) {
	if l.evicts {
		end = 0
	}
	if l.n == 0 || l.gaps[l.n-1].before != end && l.n < maxGaps {
		l.open(p, end)
	}
	l.total.add(m.len())
	l.levels[m.class()]++
}

// open starts a gap. Only here is the clock read: once for a flood.
func (l *losses) open(p []byte, before uint64) {
	if l.n > 0 {
		last := &l.gaps[l.n-1]
		last.total, last.levels = l.total, l.levels
	}
	l.gaps[l.n] = gap{before: before, since: time.Now(), format: formOf(p)}
	l.n++
}

// take returns the first gap if the stream has got there, and forgets it.
func (l *losses) take(at uint64) (Loss, bool) {
	if l.n == 0 || l.gaps[0].before > at {
		return Loss{}, false
	}
	g := &l.gaps[0]
	if l.n == 1 {
		g.total, g.levels = l.total, l.levels
	}
	levels := g.levels.minus(&l.toldLevels)
	loss := Loss{
		Count:  g.total.minus(l.told),
		Levels: levels.levels(),
		Since:  g.since,
		Until:  time.Now(),
		format: g.format,
	}
	l.told, l.toldLevels = g.total, g.levels
	copy(l.gaps[:], l.gaps[1:l.n])
	l.n--
	return loss, true
}

// before returns how many of the next n records come before the next gap.
func (l *losses) before(at uint64, n int) int {
	if l.n > 0 && l.gaps[0].before > at {
		return int(min(l.gaps[0].before-at, uint64(n)))
	}
	return n
}

// recordForm is how a record looks, for a report that looks the same.
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
