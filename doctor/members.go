package doctor

import "iter"

// members are the goroutines of a stack. Each costs four bytes for the place of
// its record and some eight in it, plus the words. A slice of Member takes 24
// bytes each, and 54 while it is copied to grow.
type members struct {
	at    []uint32 // where store has each of them
	store *wordStore
}

func (m *members) len() int { return len(m.at) }

// member returns the goroutine at index i.
func (m *members) member(i int) Member {
	g, _ := m.store.member(m.at[i])
	return g
}

// all returns the goroutines with their indices.
func (m *members) all() iter.Seq2[int, Member] {
	return func(yield func(int, Member) bool) {
		for i := range m.at {
			if !yield(i, m.member(i)) {
				return
			}
		}
	}
}

// list returns the goroutines as a slice, or nil.
func (m *members) list() []Member {
	if len(m.at) == 0 {
		return nil
	}
	list := make([]Member, 0, len(m.at))
	for _, g := range m.all() {
		list = append(list, g)
	}
	return list
}

// add appends a goroutine with the words that the store has been given since
// begin.
func (m *members) add(g Member) {
	if m.store == nil {
		m.store = &wordStore{}
	}
	m.at = append(m.at, m.store.end(g))
}

// equal reports whether both are the same goroutines, in the same order and for
// as long.
func (m *members) equal(other *members) bool {
	if m.len() != other.len() {
		return false
	}
	for i, g := range m.all() {
		if g != other.member(i) {
			return false
		}
	}
	return true
}

// args appends the words of the calls of member i, one element for each frame
// from the innermost on; frames without a known word may be missing at the
// end.
func (s *Stack) args(i int, dst []args) []args {
	if i >= len(s.members.at) {
		return dst
	}
	return s.members.store.read(s.members.at[i], dst)
}
