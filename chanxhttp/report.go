package chanxhttp

import (
	"encoding/json"
	"strings"
	"time"

	"example.com/chanx"
)

// The bounds of a body. The short one bounds the workers of both.
const (
	maxShort   = 64 << 10
	maxVerbose = 1 << 20
	maxName    = 256
)

// framing is more than the bytes of a body outside its workers and exits.
const framing = 512

// report is the body of an answer.
type report struct {
	Status  string   `json:"status"`
	Reason  string   `json:"reason,omitempty"`
	Workers []worker `json:"workers"`
	Omitted int      `json:"omitted,omitempty"`
}

type worker struct {
	Name         string `json:"name"`
	State        string `json:"state"`
	Restarts     int    `json:"restarts"`
	CrashLooping bool   `json:"crash_looping,omitempty"`
	*detail             // only if verbose
}

type detail struct {
	Since        time.Time         `json:"since"`
	LastBeat     time.Time         `json:"last_beat,omitzero"`
	MissedEvents uint64            `json:"missed_events,omitempty"`
	ExitCounts   chanx.ExitCounts  `json:"exit_counts,omitzero"`
	Exits        []json.RawMessage `json:"exits"` // oldest first
	OmittedExits int               `json:"omitted_exits,omitempty"`
}

// newReport lists the workers of h that fit.
func newReport(h chanx.Health, ok, verbose bool) report {
	rep := report{Status: "ok", Workers: []worker{}, Omitted: h.Omitted}
	if !ok {
		rep.Status, rep.Reason = "unavailable", h.Reason
	}
	room := maxShort - framing
	for i, st := range h.Workers {
		w := newWorker(st, verbose)
		if room -= size(w); room < 0 {
			rep.Omitted += len(h.Workers) - i
			break
		}
		rep.Workers = append(rep.Workers, w)
	}
	if verbose {
		rep.addExits(h.Workers)
	}
	return rep
}

func newWorker(st chanx.WorkerStatus, verbose bool) worker {
	w := worker{
		Name:         cutName(st.Name),
		State:        st.State.String(),
		Restarts:     st.Restarts,
		CrashLooping: st.CrashLooping,
	}
	if verbose {
		w.detail = &detail{
			Since:        st.Since,
			LastBeat:     st.LastBeat,
			MissedEvents: st.Missed,
			ExitCounts:   st.ExitCounts,
			Exits:        []json.RawMessage{},
			OmittedExits: len(st.Exits),
		}
	}
	return w
}

// cutName shortens a name, which Supervisor.Add takes at any length.
func cutName(name string) string {
	const mark = "..."
	if len(name) <= maxName {
		return name
	}
	return strings.ToValidUTF8(name[:maxName-len(mark)], "") + mark
}

// addExits adds the last exit of each worker, then the one before it of each,
// and so on while there is room: the exits of one worker, with long texts, do
// not take the room of all the others.
func (rep *report) addExits(all []chanx.WorkerStatus) {
	room := maxVerbose - maxShort
	for age, more := 1, true; more; age++ {
		more = false
		for i := range rep.Workers {
			exits := all[i].Exits
			if len(exits) < age {
				continue
			}
			more = true
			e := encode(exits[len(exits)-age])
			if room -= len(e) + 1; room < 0 {
				return
			}
			rep.Workers[i].prepend(e)
		}
	}
}

func (d *detail) prepend(exit json.RawMessage) {
	d.Exits = append([]json.RawMessage{exit}, d.Exits...)
	d.OmittedExits--
}

// size returns the length of the JSON of w, without exits, with the comma that
// follows.
func size(w worker) int { return len(encode(w)) + 1 }

func (rep report) encode() []byte { return append(encode(rep), '\n') }

// encode returns the JSON of v, every value of which has a JSON form.
func encode(v any) []byte {
	b, _ := json.Marshal(v)
	return b
}
