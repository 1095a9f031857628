package observe

import (
	"time"

	"example.com/chanx"
)

// Snapshot is the state of everything in an [Observer]. Each element is
// consistent in itself; they are read one after the other. All text in it is
// printable: control and invisible characters are replaced by U+FFFD, a name
// above 256 bytes and an error above 2 KiB are cut, and a name that would then
// be that of another gets a number.
type Snapshot struct {
	Time        time.Time    `json:"time"`
	Problems    []Problem    `json:"problems"` // worst first
	Supervisors []Supervisor `json:"supervisors"`
	Logs        []Log        `json:"logs"`
	Rings       []Ring       `json:"rings"`
	Broadcasts  []Broadcast  `json:"broadcasts"`
}

// Ring is a ring as it was seen: Sent == Received + Dropped + Len.
type Ring struct {
	Name      string `json:"name"`
	Sent      uint64 `json:"sent"`
	Received  uint64 `json:"received"`
	Dropped   uint64 `json:"dropped"`
	Len       int    `json:"len"`
	Cap       int    `json:"cap"`
	HighWater int    `json:"high_water"`
	Rate      Rate   `json:"rate,omitzero"` // of Sent and Dropped
	// Error says why the numbers are not known: its Stats method hangs, or
	// panics. They are then zero.
	Error string `json:"error,omitempty"`
}

// Broadcast is a broadcast as it was seen. Values that are missed are counted
// by each subscription.
type Broadcast struct {
	Name        string `json:"name"`
	Sent        uint64 `json:"sent"`
	Len         int    `json:"len"`
	Cap         int    `json:"cap"`
	Subscribers int    `json:"subscribers"`
	Rate        Rate   `json:"rate,omitzero"`   // of Sent
	Error       string `json:"error,omitempty"` // as that of Ring
}

type ringSource struct {
	name    string
	stats   func() chanx.RingStats
	call    foreign[chanx.RingStats]
	history history
}

func (r *ringSource) id() string { return r.name }

func (r *ringSource) report(l *look, s *Snapshot) {
	st, failed := r.call.ask(l, r.stats)
	ring := Ring{
		Name: l.name("ring", r.name), Error: failed,
		Sent: st.Sent, Received: st.Received, Dropped: st.Dropped,
		Len: st.Len, Cap: st.Cap, HighWater: st.HighWater,
	}
	if failed == "" {
		ring.Rate = r.history.rate(l, counts{st.Sent, st.Dropped})
	}
	s.Rings = append(s.Rings, ring)
	s.add(ring.problem())
}

type broadcastSource struct {
	name    string
	stats   func() chanx.BroadcastStats
	call    foreign[chanx.BroadcastStats]
	history history
}

func (b *broadcastSource) id() string { return b.name }

func (b *broadcastSource) report(l *look, s *Snapshot) {
	st, failed := b.call.ask(l, b.stats)
	bc := Broadcast{
		Name: l.name("broadcast", b.name), Error: failed,
		Sent: st.Sent, Len: st.Len, Cap: st.Cap, Subscribers: st.Subscribers,
	}
	if failed == "" {
		bc.Rate = b.history.rate(l, counts{st.Sent, 0})
	}
	s.Broadcasts = append(s.Broadcasts, bc)
	s.add(bc.problem())
}
