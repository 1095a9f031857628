package asynclog

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// stored is one record in the eyes of the model.
type stored struct {
	number uint32
	size   int
	class  class
	urgent bool
}

// bufferModel drives a buffer and reads what comes out of it, as the worker
// would. It knows only what went in.
type bufferModel struct {
	t   testing.TB
	b   *buffer
	rng *rand.Rand

	in   []stored // accepted, in order
	lost Count
	out  int // position in the stream: records before it are gone
	done map[uint32]bool
	blur bool // more gaps than are told apart
}

func newBufferModel(t testing.TB, budget, reserve int, evicts bool, seed uint64) *bufferModel {
	m := &bufferModel{
		t:    t,
		b:    newBuffer(budget, reserve, evicts),
		rng:  rand.New(rand.NewPCG(7, seed)),
		done: map[uint32]bool{},
	}
	m.b.maxBatch = min(budget, 300)
	return m
}

func (m *bufferModel) add(size int, c class, u bool) bool {
	s := stored{uint32(len(m.in)), max(size, 4), c, u}
	p := bytes.Repeat([]byte{'x'}, s.size)
	binary.LittleEndian.PutUint32(p, s.number)
	mk := newMark(s.size, c)
	if u {
		mk |= urgent
	}
	m.in = append(m.in, s)
	ok := m.b.add(p, mk)
	if !ok {
		m.b.drop(p, mk)
	}
	m.law()
	return ok
}

// law is checked after every step.
func (m *bufferModel) law() {
	b := m.b
	equal(m.t, b.accepted, b.written.plus(b.losses.total().Count).plus(b.buffered()))
	equal(m.t, uint64(len(m.in)), b.accepted.Records)
	equal(m.t, b.occupied(), b.used)
	equal(m.t, b.high, max(b.used, b.high))
	equal(m.t, b.buffered(), b.unwritten(b.youngIn, b.oldIn))
	var sum uint64
	total := b.losses.total()
	for _, n := range total.levels {
		sum += n
	}
	equal(m.t, total.Records, sum)
	equal(m.t, m.lost.Records, min(m.lost.Records, total.Records))
	m.blur = m.blur || b.losses.n == maxGaps
}

// equal is require.Equal for what is asked millions of times.
func equal[T comparable](t testing.TB, want, got T) {
	if want != got {
		t.Helper()
		require.Equal(t, want, got)
	}
}

// read does one step of the worker: a report, or some bytes of a batch.
func (m *bufferModel) read() bool {
	if m.b.inHand.ring == nil {
		if l, ok := m.loss(); ok {
			require.NotZero(m.t, l.Records, "an empty report")
			m.lost = m.lost.plus(l.Count)
			m.law()
			return true
		}
		if !m.b.take(1 + m.rng.IntN(20)) {
			return false
		}
		m.inspect()
	}
	n := 1 + m.rng.IntN(len(m.b.inHand.rest))
	want := m.b.written.plus(m.completed(n))
	m.b.wrote(n)
	equal(m.t, want, m.b.written)
	m.law()
	return true
}

// loss makes a report of what is due, as the worker does: within a batch only of
// records of that batch.
func (m *bufferModel) loss() (Loss, bool) {
	l := &m.b.losses
	switch {
	case m.b.inHand.ring != nil && l.rejected.open:
		return l.takeRejected(), true
	case m.b.inHand.ring == nil && l.due(m.b.youngOut):
		return l.take(m.b.youngOut), true
	}
	return Loss{}, false
}

// completed counts the records that n more bytes bring to an end.
func (m *bufferModel) completed(n int) (c Count) {
	f := &m.b.inHand
	taken, end := f.size-len(f.rest), 0
	for _, mk := range f.marks[:f.total()] {
		if end += mk.len(); end > taken && end <= taken+n {
			c.add(mk.len())
		}
	}
	return c
}

// inspect reads the records of a batch just taken.
func (m *bufferModel) inspect() {
	p := m.b.inHand.rest
	for _, mk := range m.b.inHand.marks[:m.b.inHand.total()] {
		n := int(binary.LittleEndian.Uint32(p))
		s := m.in[n]
		equal(m.t, s.size, mk.len())
		equal(m.t, s.class, mk.class())
		equal(m.t, s.urgent, mk.isUrgent())
		if n < m.out {
			require.Fail(m.t, "out of order, or twice")
		}
		m.reported(n)
		m.out = n + 1
		m.done[s.number] = true
		p = p[s.size:]
	}
	require.Empty(m.t, p)
}

// reported checks that whatever is missing before record n was reported by
// now, and where the place is exact, nothing more.
func (m *bufferModel) reported(n int) {
	if m.b.evicts {
		due := m.b.losses
		due.n = 0 // these stand at other places
		equal(m.t, due.total().Count, m.lost)
	} else if !m.blur {
		equal(m.t, uint64(n-len(m.done)), m.lost.Records)
	}
}

// finish empties the buffer and adds up.
func (m *bufferModel) finish() {
	for m.read() {
	}
	require.Zero(m.t, m.b.buffered())
	require.Equal(m.t, m.b.youngIn, m.b.youngOut, "a Flush would wait for ever")
	require.Equal(m.t, m.b.oldIn, m.b.oldOut)
	require.Equal(m.t, m.b.losses.total().Count, m.lost, "not all losses were reported")
	require.EqualValues(m.t, len(m.done), m.b.written.Records)
	var lost Count
	var by tally
	for _, s := range m.in {
		if !m.done[s.number] {
			lost.add(s.size)
			by[s.class]++
		}
	}
	require.Equal(m.t, lost, m.b.losses.total().Count)
	require.Equal(m.t, by, m.b.losses.total().levels)
}

func TestBufferRandomStepsKeepOrderAndAccounts(t *testing.T) {
	for seed := range uint64(60) {
		evicts := seed%2 == 0
		m := newBufferModel(t, 300+int(seed)*37, int(seed)*9, evicts, seed)
		largest := m.b.largest(newMark(1, classInfo))
		for range 1500 {
			switch m.rng.IntN(3) {
			default:
				c := class(m.rng.IntN(int(classes)))
				m.add(4+m.rng.IntN(max(min(largest, 120)-4, 1)), c, c == classError)
			case 0:
				m.read()
			}
		}
		m.finish()
	}
}

func TestBufferReportsStandWhereRecordsAreMissing(t *testing.T) {
	t.Run("oldest", func(t *testing.T) {
		m := newBufferModel(t, 320, 0, true, 1)
		for range 20 {
			m.add(40, classInfo, false)
		}
		loss, ok := m.loss()
		require.True(t, ok)
		require.NotZero(t, loss.Records)
		require.True(t, m.b.take(1))
		require.EqualValues(t, loss.Records,
			binary.LittleEndian.Uint32(m.b.inHand.rest), "the first that is left")
	})
	t.Run("newest", func(t *testing.T) {
		m := newBufferModel(t, 320, 0, false, 1)
		stored := 0
		for m.add(40, classInfo, false) {
			stored++
		}
		m.add(40, classInfo, false)
		_, ok := m.loss()
		require.False(t, ok, "what is there comes first")
		require.True(t, m.b.take(1))
		m.b.wrote(40)
		require.True(t, m.add(40, classInfo, false))
		require.True(t, m.b.take(1000))
		require.Equal(t, stored-1, m.b.inHand.total(), "a batch ends at a gap")
		m.b.wrote(len(m.b.inHand.rest))
		loss, ok := m.loss()
		require.True(t, ok)
		require.Equal(t, Count{2, 80}, loss.Count)
		require.True(t, m.b.take(1000))
		require.Equal(t, 1, m.b.inHand.total())
	})
}

func TestBufferMoreGapsThanCanBeToldApart(t *testing.T) {
	m := newBufferModel(t, 1000, 500, false, 1)
	for range 200 { // one in two is refused, the other one fits
		m.add(900, classInfo, false)
		m.add(4, classInfo, true)
	}
	require.Equal(t, maxGaps, m.b.losses.n)
	m.finish()
}

func TestBufferReserve(t *testing.T) {
	t.Run("errors survive a flood of info", func(t *testing.T) {
		m := newBufferModel(t, 4000, 1000, true, 1)
		for i := range 5000 {
			m.add(50, classInfo, false)
			if i%500 == 0 {
				m.add(50, classError, true)
			}
		}
		require.Zero(t, m.b.losses.total().levels[classError])
		m.finish()
	})
	t.Run("the newest errors survive a flood of errors", func(t *testing.T) {
		m := newBufferModel(t, 4000, 1000, true, 1)
		for range 1000 {
			m.add(50, classError, true)
		}
		require.Greater(t, m.b.used, 3000, "they may use everything")
		for range 1000 {
			m.add(50, classInfo, false)
		}
		require.Greater(t, m.b.old.bytes, 700, "and the reserve stays theirs")
		m.finish()
	})
	t.Run("info may not fill it where nothing is evicted", func(t *testing.T) {
		m := newBufferModel(t, 4000, 1000, false, 1)
		for m.add(50, classInfo, false) {
		}
		require.LessOrEqual(t, m.b.used, 3000)
		n := 0
		for m.add(50, classError, true) {
			n++
		}
		require.GreaterOrEqual(t, n, 1000/50)
		m.finish()
	})
}

func TestBufferEvictsAsFewAsMakeRoom(t *testing.T) {
	m := newBufferModel(t, 4000, 0, true, 1)
	for m.b.losses.total().Records == 0 {
		m.add(50, classInfo, false)
	}
	for range 1000 {
		before := m.b.losses.total().Records
		m.add(50, classInfo, false)
		require.LessOrEqual(t, m.b.losses.total().Records-before, uint64(2))
	}
	require.Greater(t, m.b.used, len(m.b.young.data)-100)
}

// Only a buffer of some size drops several records at a time.
func TestBufferRunsOfEvictionsKeepOrderAndAccounts(t *testing.T) {
	m := newBufferModel(t, 64<<10, 8<<10, true, 1)
	runs := 0
	for i := range 9000 {
		before := m.b.losses.total().Records
		c := class(m.rng.IntN(int(classes)))
		m.add(4+m.rng.IntN(40), c, c == classError && i%5 == 0)
		if m.b.losses.total().Records > before+2 {
			runs++
		}
		if i%50 == 0 {
			m.read()
		}
	}
	require.NotZero(t, runs)
	m.finish()
}

func TestBufferDividesItsMemory(t *testing.T) {
	size := func(r *byteRing) int { return len(r.data) + markSize*len(r.marks) }
	for _, c := range []struct {
		budget, reserve int
		evicts, ofOld   bool
		runs            int
	}{
		{10_000, 2000, true, true, 2000},
		{10_000, minReserve, true, true, (10_000 - minReserve) / 4},
		{10_000, minReserve - 1, true, false, 2500},
		{10_000, 2000, false, false, 2500},
		{1 << 20, 1 << 19, true, true, pieceBytes},
		{1 << 20, 1 << 19, false, false, pieceBytes},
	} {
		b := newBuffer(c.budget, c.reserve, c.evicts)
		require.Equal(t, c.ofOld, b.old != nil)
		require.Equal(t, c.runs, b.young.runs.limit)
		require.Equal(t, min(batchBytes, len(b.young.data)/4), b.maxBatch)
		require.Len(t, b.inHand.marks, min(maxBatchRecords, len(b.young.marks)))
		ordinary, special := newMark(1, classInfo), newMark(1, classError)|urgent
		require.Equal(t, len(b.young.data), b.largest(special))
		all := size(&b.young)
		if c.evicts {
			require.Equal(t, len(b.young.data), b.largest(ordinary))
		} else {
			require.Equal(t, len(b.young.data)-c.reserve, b.largest(ordinary))
		}
		if b.old != nil {
			require.Equal(t, c.reserve, size(b.old))
			require.Equal(t, c.runs, b.old.runs.limit)
			all += size(b.old)
		}
		require.Equal(t, c.budget, all)
	}
}

// Without eviction the others may fill the rest to the byte, or to the record
// if they are very short, and then only urgent ones are let in.
func TestBufferLimitOfWhatIsNotUrgent(t *testing.T) {
	t.Run("bytes", func(t *testing.T) {
		m := newBufferModel(t, 4000, 1000, false, 1)
		require.True(t, m.add(m.b.limit-4, classInfo, false))
		require.True(t, m.add(4, classInfo, false))
		require.False(t, m.add(4, classInfo, false))
		require.True(t, m.add(4, classError, true))
		m.finish()
		require.False(t, m.add(m.b.limit+1, classInfo, false))
	})
	t.Run("marks", func(t *testing.T) {
		m := newBufferModel(t, 4000, 1000, false, 1)
		n := 0
		for m.add(4, classInfo, false) {
			n++
		}
		marks := len(m.b.young.marks)
		require.Equal(t, marks-1000/(bytesPerMark+markSize), n)
		for m.add(4, classError, true) {
			n++
		}
		require.Equal(t, marks-1, n, "one is kept for a skip")
		m.finish()
	})
}

func TestBufferARunOfEvictionsIsOfA512th(t *testing.T) {
	m := newBufferModel(t, 64<<10, -1, true, 1)
	slack := len(m.b.young.data) / 512
	size := slack / 4
	slack = 4 * size
	m.b.young.data = m.b.young.data[:512*slack]
	for m.b.losses.total().Records == 0 {
		m.add(size, classInfo, false)
	}
	for range 3000 {
		before := m.b.losses.total().Records
		m.add(size, classInfo, false)
		if n := m.b.losses.total().Records - before; n > 0 {
			equal(t, 1+4, n)
		}
	}
}

// What was lost since the worker had its turn decides who yields.
func TestBufferCountsWhatWasLostSinceTheLastBatch(t *testing.T) {
	for _, evicts := range []bool{true, false} {
		m := newBufferModel(t, 64<<10, 8<<10, evicts, 1) // drops runs, too
		for range 3 {
			before := m.b.losses.total().Bytes
			for i := range 2000 {
				m.add(50, classInfo, i%3 == 0)
				equal(t, int(m.b.losses.total().Bytes-before), m.b.starved)
			}
			require.NotZero(t, m.b.starved)
			for m.b.inHand.ring == nil {
				m.read()
			}
			require.Zero(t, m.b.starved)
			for m.b.inHand.ring != nil {
				m.read()
			}
		}
	}
}

func TestBufferAnUrgentRecordAsLongAsTheReserve(t *testing.T) {
	m := newBufferModel(t, 4000, 1000, true, 1)
	full := len(m.b.old.data)
	m.add(full, classError, true)
	for m.b.youngOut == 0 {
		m.add(50, classInfo, false)
	}
	require.Zero(t, m.b.losses.total().Count)
	require.Equal(t, full, m.b.old.bytes)
	m.finish()

	m = newBufferModel(t, 4000, 1000, true, 1)
	m.add(4, classError, true)
	m.add(full+1, classError, true)
	for m.b.losses.total().Records == 0 {
		m.add(50, classInfo, false)
	}
	require.Equal(t, uint64(1), m.b.losses.total().levels[classError])
	require.Equal(t, 4, m.b.old.bytes, "and nothing else is dropped for it")
	m.finish()
}

// left is what a Flush that has given up says; here at every place of a batch,
// of each generation, that is partly written.
func TestBufferLeftBeforeAnyPosition(t *testing.T) {
	m := newBufferModel(t, 4000, 1000, true, 1)
	require.Zero(t, m.b.unwritten(0, 0))
	for range 4 {
		m.add(100, classError, true)
	}
	for m.b.oldIn < 4 {
		m.add(100, classInfo, false)
	}
	first := m.b.youngOut
	m.loss()
	left := func(young, old uint64) int {
		c := m.b.unwritten(young, old)
		equal(t, 100*c.Records, c.Bytes)
		return int(c.Records)
	}
	require.True(t, m.b.take(1))
	m.b.wrote(100)
	for old, want := range []int{0, 0, 1, 2, 3} {
		require.Equal(t, want, left(first, uint64(old)))
	}
	require.True(t, m.b.take(9))
	m.b.wrote(150) // of the other three from the reserve
	for old, want := range []int{0, 0, 0, 1, 2} {
		require.Equal(t, want, left(first, uint64(old)))
		require.Equal(t, want+1, left(first+1, uint64(old)))
	}
	m.b.wrote(150)
	m.b.maxBatch = 1000
	require.True(t, m.b.take(5))
	require.Equal(t, 5, m.b.inHand.total())
	m.b.wrote(250) // two and a half of five from the rest
	for young, want := range []int{0, 0, 0, 1, 2, 3, 4} {
		require.Equal(t, want, left(first+uint64(young), 4))
	}
	require.Zero(t, left(first-1, 4))
	m.b.wrote(250)
	require.Zero(t, left(first+5, 4))
}

// A record that is rejected is reported where it was, whatever else is lost.
func TestBufferReject(t *testing.T) {
	for _, evicts := range []bool{true, false} {
		m := newBufferModel(t, 4000, 0, evicts, 1)
		for range 4 {
			m.add(40, classInfo, false)
		}
		require.True(t, m.b.take(3))
		m.b.wrote(50)
		require.True(t, m.b.reject(), "of this one 10 bytes were taken")
		m.law()
		require.Equal(t, Count{1, 40}, m.b.losses.total().Count)
		require.Equal(t, Count{2, 80}, m.b.buffered())
		loss, ok := m.loss()
		require.True(t, ok)
		require.Equal(t, Count{1, 40}, loss.Count)
		require.Equal(t, 40, len(m.b.inHand.head()))
		require.False(t, m.b.reject())
		require.Nil(t, m.b.inHand.ring, "that was the last one")
		m.law()
	}
	m := newBufferModel(t, 4000, 0, false, 1)
	for m.add(400, classInfo, false) {
	}
	require.True(t, m.b.take(1))
	m.b.reject()
	loss, ok := m.loss()
	require.True(t, ok)
	require.Equal(t, Count{1, 400}, loss.Count, "and not what was refused")
	m.b.maxBatch = 4000
	require.True(t, m.b.take(100))
	m.b.wrote(len(m.b.inHand.rest))
	loss, ok = m.loss()
	require.True(t, ok)
	require.Equal(t, Count{1, 400}, loss.Count)
}

// A record that has no place because of the batch in the sink's hands evicts
// nothing: all the others would go, and then it.
func TestBufferKnowsBeforeItEvicts(t *testing.T) {
	for _, urgent := range []bool{false, true} {
		m := newBufferModel(t, 64<<10, -1, true, 1)
		m.b.maxBatch = len(m.b.young.data)
		for m.b.losses.total().Records == 0 && len(m.in) < 100 {
			m.add(400, classInfo, false)
		}
		require.True(t, m.b.take(60)) // in the middle, nearly
		n := m.b.young.records
		large := max(m.b.young.pinStart, len(m.b.young.data)-m.b.young.pinEnd) + 1
		require.LessOrEqual(t, large, m.b.largest(0))
		require.False(t, m.add(large, classInfo, urgent))
		require.Equal(t, n, m.b.young.records, "nothing was evicted")
		require.EqualValues(t, 1, m.b.losses.total().Records)
		require.True(t, m.add(large-1, classInfo, urgent), "this one has a place")
	}
}

// The same in the reserve, where the batch may be of urgent records.
func TestBufferKnowsBeforeItEvictsFromTheReserve(t *testing.T) {
	m := newBufferModel(t, 64<<10, 16<<10, true, 1)
	m.b.maxBatch = len(m.b.young.data)
	for range 60 {
		m.add(200, classError, true)
	}
	for m.b.old.records < 60 {
		m.add(400, classInfo, false)
	}
	m.loss()
	require.True(t, m.b.take(40))
	require.True(t, m.b.inHand.rescued)
	n := m.b.old.records
	large := max(m.b.old.pinStart, len(m.b.old.data)-m.b.old.pinEnd) + 1
	m.add(large, classError, true)
	for m.b.losses.total().levels[classError] == 0 {
		m.add(400, classInfo, false)
	}
	require.Equal(t, n, m.b.old.records)
	require.EqualValues(t, 1, m.b.losses.total().levels[classError])
}
