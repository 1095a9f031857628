package observe

import "time"

// Rate counts the events since an earlier look, as a rule the previous one. It
// is zero if there is none yet.
//
// Two looks are kept. A look within a second of the one before it is not kept
// and has its rates since the same look as that one, so that several viewers
// who reload at the same time all get rates over a second at least. Viewers
// share the looks: with one who reloads every second, the others get rates
// over the last second as well. Each rate has its period, so each is correct.
// The first rates are since the thing was added.
type Rate struct {
	Over    time.Duration `json:"over_ns"`
	Sent    uint64        `json:"sent"` // or accepted, by a log
	Dropped uint64        `json:"dropped"`
	// Failed counts the errors of the sink of a log.
	Failed uint64 `json:"failed,omitempty"`
}

// PerSecond returns n, a count of r, per second.
func (r Rate) PerSecond(n uint64) float64 {
	if r.Over <= 0 {
		return 0
	}
	return float64(n) / r.Over.Seconds()
}

// counts are those that have a rate.
type counts struct{ sent, dropped uint64 }

// apart is how far apart the looks are that are kept.
const apart = time.Second

// history is the counts at the last two looks, of one source.
type history struct{ base, last moment }

type moment struct {
	at time.Time // zero: none
	counts
	failed uint64
}

// rate returns the rate at a look, and keeps the look.
func (h *history) rate(l *look, c counts) Rate {
	return h.rateOf(l, moment{l.at, c, 0})
}

func (h *history) rateOf(l *look, now moment) Rate {
	base, keep := h.base, h.last.at.IsZero()
	if !keep && now.at.Sub(h.last.at) >= apart {
		base, keep = h.last, true
	}
	if keep && l.record {
		h.base, h.last = base, now
	}
	// Counts of foreign code may go backwards; ours do not.
	if base.at.IsZero() || now.sent < base.sent || now.dropped < base.dropped ||
		now.failed < base.failed {
		return Rate{}
	}
	return Rate{Over: now.at.Sub(base.at), Sent: now.sent - base.sent,
		Dropped: now.dropped - base.dropped, Failed: now.failed - base.failed}
}
