package asynclog

import (
	"fmt"
	"slices"
)

// FullPolicy selects what a Write does when the buffer is full. Its text form
// is "drop-oldest", "drop-newest" or "wait".
type FullPolicy int

const (
	// DropOldest drops the oldest records: as few as make room, or up to a
	// 512th of Budget at a time if that is more. After an
	// outage of the sink, the stream has a gap and then the latest news.
	DropOldest FullPolicy = iota
	// DropNewest drops the record that is being written. The stream keeps
	// what led to the trouble, and has a gap after that.
	DropNewest
	// Wait waits for room, up to Options.MaxWait, and then drops the record
	// being written. Once a Write has waited in vain the others no longer do,
	// until the sink takes something: with a sink that hangs, a service
	// pays MaxWait once, not with every line. Writes proceed in the order in
	// which they began to wait.
	Wait
)

var fullPolicies = [...]string{"drop-oldest", "drop-newest", "wait"}

// String returns the text form, or "FullPolicy(N)" for an unknown N.
func (p FullPolicy) String() string {
	if !p.known() {
		return fmt.Sprintf("FullPolicy(%d)", int(p))
	}
	return fullPolicies[p]
}

func (p FullPolicy) known() bool { return p >= DropOldest && p <= Wait }

// MarshalText implements [encoding.TextMarshaler]. An unknown policy is an
// error.
func (p FullPolicy) MarshalText() ([]byte, error) {
	if !p.known() {
		return nil, fmt.Errorf("asynclog: unknown %v", p)
	}
	return []byte(p.String()), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler], and with it
// [flag.TextVar] and [encoding/json]. Any other text than the three, in lower
// case, is an error and leaves p unchanged.
func (p *FullPolicy) UnmarshalText(text []byte) error {
	i := slices.Index(fullPolicies[:], string(text))
	if i < 0 {
		return fmt.Errorf("asynclog: unknown FullPolicy %q, want one of %q",
			text, fullPolicies)
	}
	*p = FullPolicy(i)
	return nil
}
