package chanx

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// EventKind is the kind of an [Event].
type EventKind int

const (
	EventStart   EventKind = iota // a worker is started for the first time
	EventExit                     // a run of the worker has ended with Exit
	EventRestart                  // the worker is started again after Exit
	EventStall                    // the worker has been silent for longer than Heartbeat
	EventRecover                  // the stalled worker has called Beat again
	EventGiveUp                   // its policy, or that of its set, gave up after Exit
)

// String returns the kind in words, such as "exit" or "give up".
func (k EventKind) String() string {
	names := [...]string{"start", "exit", "restart", "stall", "recover", "give up"}
	if k < 0 || int(k) >= len(names) {
		return fmt.Sprintf("EventKind(%d)", int(k))
	}
	return names[k]
}

// MarshalText returns the text of String.
func (k EventKind) MarshalText() ([]byte, error) {
	return []byte(k.String()), nil
}

// Event is the argument of RestartPolicy.OnEvent and SupervisorOptions.OnEvent.
type Event struct {
	Kind   EventKind `json:"kind"`
	Worker string    `json:"worker"` // name in its Supervisor; empty under Supervise
	At     time.Time `json:"at"`
	// Exit is the exit that the event is about. A start, a stall and a
	// recovery are not about an exit: Started and Ran then describe the run so
	// far, and Err is ErrStalled in a stall and nil otherwise.
	Exit Exit `json:"exit"`
	// Missed is the number of events lost since the last one the hook returned
	// from, because it was blocked, panicked or called Goexit.
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

// hookQueue is the number of events that wait for a busy hook: sixty-four exits
// show a fault as well as a thousand. The hook of a set has room for hookRoom
// more for each worker, since all may start, or exit, at once. The final exit and
// giving up have room of their own: after them no event could tell of their loss.
const (
	hookQueue = 64
	hookRoom  = 2
	hookLast  = 2
)

// hookGrace is how long the end of a supervision waits for its hook to take
// the queued events, so that a hook that returns has seen every event when
// Supervise returns.
const hookGrace = time.Second

// hook delivers events to a function that may block or panic. It has a goroutine
// only while there are events, so that 100,000 workers with hooks need none.
// Calling the function on the worker's goroutine was rejected: in a peer, one
// blocked hook stops all siblings that way.
type hook struct {
	fn func(Event)

	mu     sync.Mutex
	queue  []Event
	room   int
	idle   chan struct{} // closed when the goroutine ends; nil: there is none
	closed bool
	lost   uint64 // since the last event that was queued
	missed uint64 // in all
}

func newHook(fn func(Event)) *hook {
	if fn == nil {
		return nil
	}
	return &hook{fn: fn, room: hookQueue}
}

// send queues an event without waiting. A nil hook drops it, uncounted. The Event
// is made in add: made by the callers, it doubled the stack of every worker that
// ends.
func (h *hook) send(kind EventKind, worker string, at time.Time, exit *Exit) {
	if h != nil {
		h.add(kind, worker, at, exit)
	}
}

func (h *hook) add(kind EventKind, worker string, at time.Time, exit *Exit) {
	e := Event{Kind: kind, Worker: worker, At: at, Exit: *exit}
	h.mu.Lock()
	defer h.mu.Unlock()
	room := h.room
	if exit.Final {
		room += hookLast
	}
	if h.closed || len(h.queue) >= room {
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

// deliver is the hook's goroutine. If fn ends it, another takes over. That is
// detected here, in the outermost function, and not by recover, since a panic
// during runtime.Goexit can be recovered and the goroutine ends nevertheless.
func (h *hook) deliver() {
	ended := true
	defer func() {
		if ended {
			go h.deliver()
		}
	}()
	var e Event
	for h.next(&e) {
		h.call(&e)
	}
	ended = false
}

// next stores the next event in e. If there is none, it reports false, and the
// goroutine is to end.
func (h *hook) next(e *Event) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.queue) == 0 {
		close(h.idle)
		h.idle, h.queue = nil, nil
		return false
	}
	*e = h.queue[0]
	h.queue = h.queue[1:]
	return true
}

func (h *hook) call(e *Event) {
	took := false
	defer func() {
		if !took {
			_ = recover()
			h.failed(e)
		}
	}()
	h.fn(*e)
	took = true
}

// failed counts an event that the hook did not return from. The next event
// reports it, together with the misses that e would have reported.
func (h *hook) failed(e *Event) {
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

// resize adds n to the room of the queue.
func (h *hook) resize(n int) {
	if h != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.room += n
	}
}

// busy returns a channel that is closed when the hook has taken every event, or
// nil if it has.
func (h *hook) busy() <-chan struct{} {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.idle
}

// close counts further events as missed.
func (h *hook) close() {
	if h != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.closed = true
	}
}

// abandon closes the hook and counts the queued events as missed. A hook that is
// blocked keeps the one event it is handling.
func (h *hook) abandon() {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for range h.queue {
		h.miss()
	}
	h.queue = nil
}

// reopen undoes close, for a Supervisor that is run again.
func (h *hook) reopen() {
	if h != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.closed = false
	}
}

// end waits until the hook has taken every event, for hookGrace at most or until
// stop is closed, and abandons the others.
func (h *hook) end(stop <-chan struct{}) {
	if idle := h.busy(); idle != nil {
		t := time.NewTimer(hookGrace)
		defer t.Stop()
		select {
		case <-idle:
		case <-t.C:
		case <-stop:
		}
	}
	h.abandon()
}
