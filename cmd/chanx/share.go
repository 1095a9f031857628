package main

import (
	"hash/maphash"
	"slices"
	"sync"

	"example.com/chanx/doctor"
)

// sharing keeps the calls of equal stacks once, over all snapshots: the
// instances of a fleet run the same program, and so does one server at every
// look.
type sharing struct {
	seed maphash.Seed

	mu     sync.Mutex
	frames map[uint64][][]doctor.Frame // by their hash
}

func newSharing() *sharing {
	return &sharing{seed: maphash.MakeSeed(),
		frames: make(map[uint64][][]doctor.Frame)}
}

// share does nothing if s is nil. It replaces the calls of stacks in snaps by equal ones it has already.
func (s *sharing) share(snaps []*doctor.Snapshot) {
	if s == nil {
		return
	}
	for _, snap := range snaps {
		for _, stack := range snap.Stacks {
			stack.Frames = s.known(stack.Frames)
		}
	}
}

func (s *sharing) known(frames []doctor.Frame) []doctor.Frame {
	var h maphash.Hash
	h.SetSeed(s.seed)
	for _, f := range frames {
		maphash.WriteComparable(&h, f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.frames[h.Sum64()] {
		if slices.Equal(other, frames) {
			return other
		}
	}
	s.frames[h.Sum64()] = append(s.frames[h.Sum64()], frames)
	return frames
}
