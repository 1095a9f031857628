package chanx

// To copy this file: take supervise.go policy.go exit.go beat.go along.

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// EventKind says what an [Event] is about.
type EventKind int

const (
	EventExit    EventKind = iota // a worker has exited; Exit says how
	EventRestart                  // it is started again after Exit
	EventStall                    // it has been silent for longer than Heartbeat
	EventRecover                  // it was stalled and has beaten again
	EventGiveUp                   // its policy, or that of its set, gave up after Exit
)

// String returns the kind in words, such as "exit" or "give up".
func (k EventKind) String() string {
	names := [...]string{"exit", "restart", "stall", "recover", "give up"}
	if k < 0 || int(k) >= len(names) {
		return fmt.Sprintf("EventKind(%d)", int(k))
	}
	return names[k]
}

// MarshalText returns what String does.
func (k EventKind) MarshalText() ([]byte, error) {
	return []byte(k.String()), nil
}

// Event is the argument of RestartPolicy.OnEvent.
type Event struct {
	Kind   EventKind `json:"kind"`
	Worker string    `json:"worker"` // name in its Supervisor; empty under Supervise
	At     time.Time `json:"at"`
	// Exit is the exit the event is about. A stall or a recovery is not
	// about one: Started and Ran then tell of the run so far, and Err is
	// ErrStalled in a stall.
	Exit Exit `json:"exit"`
	// Missed is how many events were lost since the last one the hook
	// returned from, because it was blocked or panicked.
	Missed uint64 `json:"missed,omitempty"`
}

// LogValue returns the fields as a group, with the Exit as in [Exit.LogValue].
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("kind", e.Kind.String()),
		slog.String("worker", e.Worker),
		slog.Time("at", e.At),
		slog.Attr{Key: "exit", Value: e.Exit.LogValue()},
		slog.Uint64("missed", e.Missed),
	)
}

// hookQueue is how many events wait for a hook that is busy. Sixty-four
// exits tell what is wrong as well as a thousand.
const hookQueue = 64

// hookGrace is how long the end of a supervision waits for its hook to take
// what is queued, so that an orderly hook has seen everything when Supervise
// returns.
const hookGrace = time.Second

// hook delivers events to a function it does not trust. It has a goroutine
// only while there are events, so that 100,000 workers with hooks cost none.
// The rejected alternative, calling the hook on the worker's goroutine, let
// one blocked hook freeze its siblings in a peer.
type hook struct {
	fn func(Event)

	mu     sync.Mutex
	queue  []Event
	idle   chan struct{} // closed when the goroutine ends; nil: there is none
	ended  bool
	lost   uint64 // since the last event that was queued
	missed uint64 // in all
}

// send never waits. A nil hook drops everything, uncounted. The Event is made
// in add: made by the callers, it doubled the stack of every worker that ends.
func (h *hook) send(kind EventKind, worker string, at time.Time, exit *Exit) {
	if h != nil {
		h.add(kind, worker, at, exit)
	}
}

func (h *hook) add(kind EventKind, worker string, at time.Time, exit *Exit) {
	e := Event{Kind: kind, Worker: worker, At: at, Exit: *exit}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended || len(h.queue) == hookQueue {
		h.miss()
		return
	}
	e.Missed, h.lost = h.lost, 0
	h.queue = append(h.queue, e)
	if h.idle == nil {
		h.idle = make(chan struct{})
		go h.deliver()
	}
}

func (h *hook) deliver() {
	for {
		h.mu.Lock()
		if len(h.queue) == 0 {
			close(h.idle)
			h.idle, h.queue = nil, nil
			h.mu.Unlock()
			return
		}
		e := h.queue[0]
		h.queue = h.queue[1:]
		h.mu.Unlock()
		if !h.call(e) {
			return
		}
	}
}

// call reports whether its goroutine lives on; if not it has started another.
func (h *hook) call(e Event) (alive bool) {
	took := false
	defer func() {
		if took {
			return
		}
		alive = recover() != nil
		h.failed(e)
		if !alive { // runtime.Goexit
			go h.deliver()
		}
	}()
	h.fn(e)
	took = true
	return true
}

// failed counts an event the hook did not get through, and has the next one
// tell it: what e itself told is lost with e.
func (h *hook) failed(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.missed++
	if len(h.queue) > 0 {
		h.queue[0].Missed += e.Missed + 1
		return
	}
	h.lost += e.Missed + 1
}

// miss counts a lost event. The caller holds mu.
func (h *hook) miss() {
	h.lost++
	h.missed++
}

func (h *hook) count() uint64 {
	if h == nil {
		return 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.missed
}

// end waits until the hook has taken everything, or grace is closed; then it
// counts as missed what is left, and everything that should still come. At
// most one event stays with a hook that is blocked in it.
func (h *hook) end(grace <-chan struct{}) {
	if h == nil {
		return
	}
	h.mu.Lock()
	idle := h.idle
	h.mu.Unlock()
	if idle != nil {
		select {
		case <-idle:
		case <-grace:
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	for range h.queue {
		h.miss()
	}
	h.queue = nil
}

// reopen undoes end, for a Supervisor that is run again.
func (h *hook) reopen() {
	if h != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ended = false
	}
}

func newHook(fn func(Event)) *hook {
	if fn == nil {
		return nil
	}
	return &hook{fn: fn}
}
