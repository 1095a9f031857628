package doctor

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// A traceback prints the words in which a call's arguments were passed. The
// first is the receiver of a method, so the words say which lock is waited for
// and which value a goroutine is inside: without them two connections are two
// goroutines in the same function.

// maxWords is the number of words kept of each call: a receiver and the two
// words of an interface behind it.
const maxWords = 3

// args is the words of one call that look like addresses.
type args struct {
	n        int              // words printed, at most maxWords
	word     [maxWords]uint64 // 0 if it is no address
	doubtful [maxWords]bool   // printed with ?: the register may be stale
	inlined  bool             // printed as (...)
}

// receiver returns the first word, or 0 if it is none or doubtful: a register
// that is printed with ? has often been used again since.
func (a args) receiver() uint64 {
	if a.doubtful[0] {
		return 0
	}
	return a.word[0]
}

// parseArgs reads what a traceback prints between the parentheses of a call:
//
//	0xc000442730, {0x55a867c9c9c8, 0xc001d18240}, 0x1
//
// Braces are ignored, so that the words count as they were passed.
func parseArgs(s []byte) (a args) {
	if string(s) == "..." {
		a.inlined = true
		return a
	}
	for i := 0; i < len(s) && a.n < maxWords; {
		switch {
		case s[i] == '_' || s[i] == '.': // unknown, or too deep to print
			i += len(s[i:]) - len(bytes.TrimLeft(s[i:], "_."))
			a.n++
		case s[i] == '0' && i+1 < len(s) && s[i+1] == 'x':
			v, next := parseHex(s, i+2)
			if v >= minAddress {
				a.word[a.n] = v
			}
			a.doubtful[a.n] = next < len(s) && s[next] == '?'
			a.n++
			i = next
		default:
			i++
		}
	}
	return a
}

// minAddress is above the numbers that arguments usually are and below every
// address: no system maps its first page.
const minAddress = 0x1000

func parseHex(s []byte, i int) (v uint64, next int) {
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			v = v<<4 | uint64(c-'0')
		case 'a' <= c && c <= 'f':
			v = v<<4 | uint64(c-'a'+10)
		default:
			return v, i
		}
	}
	return v, i
}

// wordStore keeps many goroutines, and the words of their calls, in a few bytes
// each: most calls of a goroutine pass on an address that another one has
// already, and distinct addresses are close to each other. It never moves its
// data, so a million goroutines do not cost a second copy while it grows.
type wordStore struct {
	chunks  [][]byte
	record  []byte   // the words of the goroutine being added
	known   []uint64 // its distinct addresses
	calls   int
	any     bool
	size    int // bytes of words
	dropped int // goroutines whose words are not kept
}

const (
	chunkBits = 16
	// maxStore bounds the words of one input: 50 bytes for each of a million
	// goroutines and more.
	maxStore = 64 << 20
	// maxRecord bounds those of one goroutine: some hundred calls.
	maxRecord = 4 << 10
	// maxHead bounds the rest of a goroutine's record: its numbers, and how
	// many calls follow.
	maxHead = 4 * binary.MaxVarintLen64
)

// begin starts the words of another goroutine.
func (w *wordStore) begin() {
	w.record, w.known = w.record[:0], w.known[:0]
	w.calls, w.any = 0, false
}

// call adds the words of the next call outwards.
func (w *wordStore) call(a args) {
	if len(w.record) > maxRecord-(1+maxWords*(1+binary.MaxVarintLen64)) {
		return
	}
	w.calls++
	head := byte(a.n)
	for i := range a.n {
		if a.doubtful[i] {
			head |= 1 << (2 + i)
		}
	}
	if a.inlined {
		head |= 1 << 5
	}
	w.record = append(w.record, head)
	for _, v := range a.word[:a.n] {
		w.word(v)
	}
}

// isNew is the code of an address that no call further in has; lower ones are
// one more than an index into known, or 0 if the word is no address.
const isNew = 255

func (w *wordStore) word(v uint64) {
	if v == 0 {
		w.record = append(w.record, 0)
		return
	}
	w.any = true
	if i := slices.Index(w.known, v); i >= 0 {
		w.record = append(w.record, byte(i+1))
		return
	}
	w.record = append(w.record, isNew)
	w.record = binary.AppendVarint(w.record, int64(v-last(w.known)))
	if len(w.known) < isNew-1 {
		w.known = append(w.known, v)
	}
}

func last(known []uint64) uint64 {
	if len(known) == 0 {
		return 0
	}
	return known[len(known)-1]
}

// end keeps the goroutine with its words and returns where they are; 0 is
// nowhere, and has a goroutine without an id.
func (w *wordStore) end(m Member) uint32 {
	var space [maxHead]byte
	head := binary.AppendUvarint(space[:0], m.ID)
	head = binary.AppendUvarint(head, m.Parent)
	head = binary.AppendUvarint(head, uint64(m.Minutes))
	calls, words := w.calls, w.record
	full := w.size+len(words) > maxStore
	if !w.any || full {
		calls, words = 0, nil
	}
	if w.any && full {
		w.dropped++
	}
	w.size += len(words)
	head = binary.AppendUvarint(head, uint64(calls))
	at, ok := w.room(len(head) + len(words))
	if !ok {
		return 0
	}
	c := &w.chunks[at>>chunkBits]
	*c = append(append(*c, head...), words...)
	return at
}

// room returns where the next n bytes are to be appended.
func (w *wordStore) room(n int) (at uint32, ok bool) {
	c := len(w.chunks)
	switch {
	case c == 0:
		w.chunks = append(w.chunks, []byte{0, 0, 0, 0}) // nowhere
		c++
	case len(w.chunks[c-1])+n > 1<<chunkBits:
		if c == 1<<(32-chunkBits) {
			return 0, false
		}
		w.chunks = append(w.chunks, make([]byte, 0, 1<<chunkBits))
		c++
	}
	return uint32((c-1)<<chunkBits | len(w.chunks[c-1])), true
}

// member returns the goroutine at a place that end has returned, and what
// follows in its record.
func (w *wordStore) member(at uint32) (m Member, rest []byte) {
	b := w.chunks[at>>chunkBits][at&(1<<chunkBits-1):]
	var n int
	m.ID, n = binary.Uvarint(b)
	b = b[n:]
	m.Parent, n = binary.Uvarint(b)
	b = b[n:]
	minutes, n := binary.Uvarint(b)
	m.Minutes = uint32(minutes)
	return m, b[n:]
}

// read appends the words at a place that end has returned, one element for
// each call from the innermost.
func (w *wordStore) read(at uint32, dst []args) []args {
	_, b := w.member(at)
	calls, n := binary.Uvarint(b)
	b = b[n:]
	var space [64]uint64
	known := space[:0]
	for range calls {
		head := b[0]
		b = b[1:]
		a := args{n: int(head & 3), inlined: head&(1<<5) != 0}
		for i := range a.n {
			a.doubtful[i] = head&(1<<(2+i)) != 0
			code := b[0]
			b = b[1:]
			switch {
			case code == isNew:
				delta, n := binary.Varint(b)
				b = b[n:]
				a.word[i] = last(known) + uint64(delta)
				if len(known) < isNew-1 {
					known = append(known, a.word[i])
				}
			case code > 0:
				a.word[i] = known[code-1]
			}
		}
		dst = append(dst, a)
	}
	return dst
}
