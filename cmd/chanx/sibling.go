package main

import "example.com/chanx/doctor"

// names are the calls at the return addresses of a profile in protobuf form,
// which has the runtime's calls along with the addresses.
type names map[uint64][]doctor.Frame

// siblings has the protobuf profiles among the files name the addresses of
// those with debug=1, which saves the person the search for the binary. Two
// that are not of the same process have other functions at the addresses they
// share, or share none.
func siblings(targets []*target) {
	for _, t := range targets {
		for _, other := range targets {
			if !sameProcess(t.anchors.calls, other.anchors.names) {
				continue
			}
			for _, snap := range t.snaps {
				snap.Resolve(func(pc uint64) []doctor.Frame {
					return other.anchors.names[pc]
				})
			}
		}
	}
}

// sameProcess reports whether every call that both know is the same one, and
// there is any.
func sameProcess(calls map[uint64]string, known names) bool {
	common := 0
	for pc, name := range calls {
		frames := known[pc+1]
		if frames == nil {
			continue
		}
		common++
		if frames[len(frames)-1].Func != name && frames[0].Func != name {
			return false
		}
	}
	return common > 0
}
