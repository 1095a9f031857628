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
	m.b.batch = min(budget, 300)
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
		m.b.refuse(p, mk)
	}
	m.law()
	return ok
}

// law is checked after every step.
func (m *bufferModel) law() {
	b := m.b
	require.Equal(m.t, b.accepted,
		b.written.plus(b.losses.total).plus(b.buffered()))
	require.EqualValues(m.t, len(m.in), b.accepted.Records)
	require.Equal(m.t, b.occupied(), b.used)
	require.LessOrEqual(m.t, b.used, b.high)
	require.Equal(m.t, b.buffered(), b.left(b.youngIn, b.oldIn))
	var sum uint64
	for _, n := range b.losses.levels {
		sum += n
	}
	require.Equal(m.t, b.losses.total.Records, sum)
	require.LessOrEqual(m.t, m.lost.Records, b.losses.total.Records)
	m.blur = m.blur || b.losses.n == maxGaps
}

// read does one step of the worker: a report, or some bytes of a batch.
func (m *bufferModel) read() bool {
	if m.b.flight.ring == nil {
		if l, ok := m.b.loss(); ok {
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
	n := 1 + m.rng.IntN(len(m.b.flight.rest))
	want := m.b.written.plus(m.completed(n))
	m.b.wrote(n)
	require.Equal(m.t, want, m.b.written)
	m.law()
	return true
}

// completed counts the records that n more bytes bring to an end.
func (m *bufferModel) completed(n int) (c Count) {
	f := &m.b.flight
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
	p := m.b.flight.rest
	for _, mk := range m.b.flight.marks[:m.b.flight.total()] {
		n := int(binary.LittleEndian.Uint32(p))
		s := m.in[n]
		require.Equal(m.t, s.size, mk.len())
		require.Equal(m.t, s.class, mk.class())
		require.GreaterOrEqual(m.t, n, m.out, "out of order, or twice")
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
		require.Equal(m.t, m.b.losses.total, m.lost)
	} else if !m.blur {
		require.EqualValues(m.t, n-len(m.done), m.lost.Records)
	}
}

// finish empties the buffer and adds up.
func (m *bufferModel) finish() {
	for m.read() {
	}
	require.Zero(m.t, m.b.buffered())
	require.Equal(m.t, m.b.youngIn, m.b.youngOut, "a Flush would wait for ever")
	require.Equal(m.t, m.b.oldIn, m.b.oldOut)
	require.Equal(m.t, m.b.losses.total, m.lost, "not all losses were reported")
	require.EqualValues(m.t, len(m.done), m.b.written.Records)
	var lost Count
	var by tally
	for _, s := range m.in {
		if !m.done[s.number] {
			lost.add(s.size)
			by[s.class]++
		}
	}
	require.Equal(m.t, lost, m.b.losses.total)
	require.Equal(m.t, by, m.b.losses.levels)
}

func TestBuffer_random_steps_keep_order_and_accounts(t *testing.T) {
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

func TestBuffer_reports_stand_where_records_are_missing(t *testing.T) {
	t.Run("oldest", func(t *testing.T) {
		m := newBufferModel(t, 320, 0, true, 1)
		for range 20 {
			m.add(40, classInfo, false)
		}
		loss, ok := m.b.loss()
		require.True(t, ok)
		require.NotZero(t, loss.Records)
		require.True(t, m.b.take(1))
		require.EqualValues(t, loss.Records,
			binary.LittleEndian.Uint32(m.b.flight.rest), "the first that is left")
	})
	t.Run("newest", func(t *testing.T) {
		m := newBufferModel(t, 320, 0, false, 1)
		stored := 0
		for m.add(40, classInfo, false) {
			stored++
		}
		m.add(40, classInfo, false)
		_, ok := m.b.loss()
		require.False(t, ok, "what is there comes first")
		require.True(t, m.b.take(1))
		m.b.wrote(40)
		require.True(t, m.add(40, classInfo, false))
		require.True(t, m.b.take(1000))
		require.Equal(t, stored-1, m.b.flight.total(), "a batch ends at a gap")
		m.b.wrote(len(m.b.flight.rest))
		loss, ok := m.b.loss()
		require.True(t, ok)
		require.Equal(t, Count{2, 80}, loss.Count)
		require.True(t, m.b.take(1000))
		require.Equal(t, 1, m.b.flight.total())
	})
}

func TestBuffer_more_gaps_than_can_be_told_apart(t *testing.T) {
	m := newBufferModel(t, 1000, 500, false, 1)
	for range 200 { // one in two is refused, the other one fits
		m.add(900, classInfo, false)
		m.add(4, classInfo, true)
	}
	require.Equal(t, maxGaps, m.b.losses.n)
	m.finish()
}

func TestBuffer_reserve(t *testing.T) {
	t.Run("errors survive a flood of info", func(t *testing.T) {
		m := newBufferModel(t, 4000, 1000, true, 1)
		for i := range 5000 {
			m.add(50, classInfo, false)
			if i%500 == 0 {
				m.add(50, classError, true)
			}
		}
		require.Zero(t, m.b.losses.levels[classError])
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

func TestBuffer_evicts_as_few_as_make_room(t *testing.T) {
	m := newBufferModel(t, 4000, 0, true, 1)
	for m.b.losses.total.Records == 0 {
		m.add(50, classInfo, false)
	}
	for range 1000 {
		before := m.b.losses.total.Records
		m.add(50, classInfo, false)
		require.LessOrEqual(t, m.b.losses.total.Records-before, uint64(2))
	}
	require.Greater(t, m.b.used, len(m.b.young.data)-100)
}

// Only a buffer of some size drops several records at a time.
func TestBuffer_runs_of_evictions_keep_order_and_accounts(t *testing.T) {
	m := newBufferModel(t, 64<<10, 8<<10, true, 1)
	runs := 0
	for i := range 9000 {
		before := m.b.losses.total.Records
		c := class(m.rng.IntN(int(classes)))
		m.add(4+m.rng.IntN(40), c, c == classError && i%5 == 0)
		if m.b.losses.total.Records > before+2 {
			runs++
		}
		if i%50 == 0 {
			m.read()
		}
	}
	require.NotZero(t, runs)
	m.finish()
}
