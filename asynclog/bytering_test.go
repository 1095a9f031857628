package asynclog

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// ringModel drives a byteRing and, beside it, a slice. The slice is the oracle.
type ringModel struct {
	t       testing.TB
	ring    *byteRing
	records [][]byte
	batch   []byte // as handed out
	copied  []byte // as it was then
	number  byte
}

func newRingModel(t testing.TB, size int) *ringModel {
	ring := newByteRing(size, size/8)
	return &ringModel{t: t, ring: &ring}
}

// record returns n bytes unlike those of the records before and after.
func (m *ringModel) record(n int) []byte {
	m.number++
	return bytes.Repeat([]byte{m.number}, n)
}

func (m *ringModel) put(n int) bool {
	p := m.record(n)
	room := m.room(n)
	ok := m.ring.put(p, newMark(n, classInfo))
	if room != ok {
		require.Equal(m.t, room, ok, "put of %d bytes: %+v", n, m.ring)
	}
	if ok {
		m.records = append(m.records, p)
	}
	return ok
}

// room looks for n free bytes in a row on a map of every single byte, from
// the tail forward to the oldest record, around the end once.
func (m *ringModel) room(n int) bool {
	r := m.ring
	if r.queued > len(r.marks)-2 {
		return false
	}
	taken := make([]bool, len(r.data))
	for i := r.pinStart; i < r.pinEnd; i++ {
		taken[i] = true
	}
	free, at := 0, r.tail
	for i := 0; i < len(r.data)+n; i++ {
		if r.records > 0 && at == r.head {
			return false
		}
		if free++; taken[at] {
			free = 0
		}
		if free == n {
			return true
		}
		if at++; at == len(r.data) {
			at, free = 0, 0
		}
	}
	return false
}

func (m *ringModel) pop() {
	if len(m.records) == 0 {
		return
	}
	p, mk := m.ring.oldest()
	if !bytes.Equal(m.records[0], p) {
		require.Equal(m.t, m.records[0], p)
	}
	equal(m.t, len(p), mk.len())
	m.ring.pop(len(p))
	m.records = m.records[1:]
}

func (m *ringModel) take(limit, n int) {
	if len(m.records) == 0 || m.batch != nil {
		return
	}
	marks := make([]mark, n)
	batch, ends := m.ring.take(limit, marks, nil)
	k := ends[len(ends)-1].records
	want := slices.Concat(m.records[:k]...)
	require.Equal(m.t, want, batch)
	require.Positive(m.t, k)
	require.True(m.t, len(batch) <= max(limit, m.ring.runs.limit) || k == 1)
	m.batch, m.copied = batch, want
	m.records = m.records[k:]
}

func (m *ringModel) release() {
	if m.batch == nil {
		return
	}
	m.ring.release()
	m.batch, m.copied = nil, nil
}

// check holds what must be true at every moment.
func (m *ringModel) check() {
	if !bytes.Equal(m.copied, m.batch) {
		require.Equal(m.t, m.copied, m.batch, "the pinned batch was written to")
	}
	equal(m.t, len(m.records), m.ring.records)
	total := 0
	for _, p := range m.records {
		total += len(p)
	}
	equal(m.t, total, m.ring.bytes)
	equal(m.t, Count{uint64(len(m.records)), uint64(total)},
		m.ring.until(len(m.records)))
	m.checkRuns()
	if n := len(m.ring.data); m.ring.head >= n || m.ring.tail >= n {
		require.Fail(m.t, "outside", "%+v", m.ring)
	}
}

// checkRuns holds the runs against the records: all of them, in order, none
// longer than it may be, and no more runs than there is room for.
func (m *ringModel) checkRuns() {
	q, at := &m.ring.runs, 0
	ok := q.n <= len(q.all)
	for i := 0; ok && i < q.n; i++ {
		r := q.all[(q.first+i)%len(q.all)]
		ok = r.records > 0 && at+r.records <= len(m.records) &&
			(r.bytes <= q.limit || r.records == 1)
		for range r.records {
			r.bytes -= len(m.records[at])
			at++
		}
		ok = ok && r.bytes == 0
	}
	if !ok || at != len(m.records) {
		require.Fail(m.t, "not the records", "%+v", q)
	}
}

// step does what two bytes say.
func (m *ringModel) step(op, arg byte) {
	n := 1 + int(arg)
	switch op % 8 {
	default:
		m.put(n)
	case 4: // as the buffer does under DropOldest
		for !m.put(n) && m.ring.records > 0 {
			m.pop()
		}
	case 5:
		m.pop()
	case 6:
		m.take(n, 1+int(op)/8)
	case 7:
		m.release()
	}
	m.check()
}

func TestByteRingRandomStepsAgreeWithASlice(t *testing.T) {
	steps := 40_000
	if testing.Short() {
		steps /= 4
	}
	for _, size := range []int{128, 256, 333, 700, 2048} {
		m := newRingModel(t, size)
		rng := rand.New(rand.NewPCG(1, uint64(size)))
		for range steps {
			m.step(byte(rng.Uint32()), byte(rng.Uint32()))
		}
	}
}

func FuzzByteRing(f *testing.F) {
	f.Add(uint16(128), []byte{0, 60, 6, 9, 4, 60, 4, 60, 7, 0, 6, 255})
	f.Add(uint16(300), bytes.Repeat([]byte{4, 100, 6, 200, 4, 99, 7, 0}, 9))
	f.Fuzz(func(t *testing.T, size uint16, ops []byte) {
		m := newRingModel(t, 80+int(size)%1000)
		for ; len(ops) > 1; ops = ops[2:] {
			m.step(ops[0], ops[1])
		}
	})
}

func TestByteRingARecordOfAllItsBytesFits(t *testing.T) {
	for _, size := range []int{128, 1000, 4096} {
		m := newRingModel(t, size)
		full := len(m.ring.data)
		for range 3 {
			require.True(t, m.put(full))
			require.False(t, m.put(1))
			m.take(1, 9)
			require.False(t, m.put(1))
			m.release()
			m.check()
		}
	}
}

func TestByteRingANewRecordJumpsOverTheBatchInFlight(t *testing.T) {
	m := newRingModel(t, 128) // 64 bytes of records
	require.True(t, m.put(20))
	require.True(t, m.put(20))
	m.take(20, 1) // pins 0 to 20
	require.True(t, m.put(24))
	require.False(t, m.put(1), "full: 20 pinned, 44 queued")
	m.pop() // frees 20 to 40, behind the pinned batch
	require.True(t, m.put(20))
	m.check()
	m.release()
	require.False(t, m.put(1), "the pinned bytes lie behind the tail now")
	m.pop()
	require.True(t, m.put(24))
	m.check()
}

func TestByteRingMarksRunOutBeforeBytesDo(t *testing.T) {
	m := newRingModel(t, 128)
	n := 0
	for m.put(1) {
		n++
	}
	require.Equal(t, minMarks-1, n, "one is kept for a skip")
	m.check()
}

func TestMarkKeepsWhatItIsGiven(t *testing.T) {
	for _, n := range []int{0, 1, maxLen - 1, maxLen} {
		for c := classUnknown; c <= classSkip; c++ {
			m := newMark(n, c)
			equal(t, n, m.len())
			equal(t, c, m.class())
			equal(t, false, m.isUrgent())
			m |= urgent
			equal(t, n, m.len())
			equal(t, c, m.class())
			equal(t, true, m.isUrgent())
		}
	}
}

// A ring of very many short records divides its memory as it should.
func TestByteRingDividesItsMemory(t *testing.T) {
	ring := newByteRing(36_000, 100)
	require.Len(t, ring.marks, 1000)
	require.Len(t, ring.data, 32_000)
	ring = newByteRing(100, 100)
	require.Len(t, ring.marks, minMarks)
	require.Len(t, ring.data, 36)
	ring = newByteRing(10, 100)
	require.Empty(t, ring.data)
	require.False(t, ring.put([]byte{1}, newMark(1, classInfo)))
}

// Little traffic stays at the beginning of the block.
func TestByteRingStartsAnewWhenItIsEmpty(t *testing.T) {
	m := newRingModel(t, 1000)
	for range 5 {
		require.True(t, m.put(10))
		m.take(10, 1)
		m.release()
		require.Zero(t, m.ring.head)
		require.Zero(t, m.ring.tail)
	}
	require.True(t, m.put(10))
	require.True(t, m.put(20))
	m.take(10, 1)
	m.release()
	require.Equal(t, 10, m.ring.head)
	m.check()
}
