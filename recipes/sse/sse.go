// Package sse sends server-sent events to any number of HTTP clients, and waits
// for none of them.
//
// When to use it: browsers show what happens on the server: progress, prices,
// notifications. An EventSource reconnects by itself.
//
// When not: clients send as well; use WebSockets. Clients must get every event;
// let them ask for the missed ones.
//
// Without it: one client with a full TCP window blocks the broadcast to all
// (gnacho/netpulse#200), or its events are dropped without a trace
// (cssbruno/GoWDK#537):
//
//	for client := range hub.clients {
//		select {
//		case client <- event:
//		default: // lost, and the page is wrong until it is reloaded
//		}
//	}
//
// Edge cases:
//   - slow client: loses its own oldest events, gets an event "missed" with
//     their number in their place, and holds up nothing else.
//   - stuck client: one that does not take a write in time is disconnected.
//   - quiet: without events, a comment is sent now and then, so that proxies
//     keep the connection and a client that is gone is noticed.
//   - reconnect: with Last-Event-ID a client gets the events since, as far as
//     they are held, and "missed" for the others.
//   - other process: a Last-Event-ID that this hub has not sent leads to
//     "missed" with "?" as the number.
//   - lines: an event of several lines arrives as such.
//   - close: sends what each client has not yet got and ends the requests. Call
//     it before http.Server.Shutdown, which waits for them.
//   - write timeout: of the server does not apply to these requests.
//   - client gone: ends its request and frees everything.
//   - no flush: a wrapped ResponseWriter without Unwrap gives status 500.
//
// Search: server-sent events, SSE, EventSource, live updates, push to browser,
// slow clients, hub, notifications over HTTP.
package sse

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.com/chanx"
)

// A Hub is an [http.Handler] that sends events. New makes one.
type Hub struct {
	events        *chanx.Broadcast[event]
	ping, timeout time.Duration
	mu            sync.Mutex // guards the ids of the last event sent
	first, last   uint64     // first is of another process, or the time before
}

type event struct {
	id   uint64
	data string
}

// New returns a hub that holds the last capacity events, sends a comment after
// ping without an event, and gives each write timeout.
func New(capacity int, ping, timeout time.Duration) *Hub {
	now := uint64(time.Now().UnixMicro())
	b := chanx.NewBroadcast[event](capacity)
	return &Hub{events: b, ping: ping, timeout: timeout, first: now, last: now}
}

// Send sends data to all clients. It never waits, and returns false after
// Close.
func (h *Hub) Send(data string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	return h.events.Send(event{h.last, data})
}

// Close ends the requests.
func (h *Hub) Close() { h.events.Close() }

func (h *Hub) subscribe(id string) (s *chanx.Subscription[event], last uint64, greeting string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	last, err := strconv.ParseUint(id, 10, 64)
	switch {
	case id == "":
		return h.events.Subscribe(0), h.last, ":\n\n"
	case err != nil || last < h.first || last > h.last:
		return h.events.Subscribe(0), h.last, "event: missed\ndata: ?\n\n"
	}
	return h.events.Subscribe(h.events.Cap()), last, ":\n\n"
}

var newlines = strings.NewReplacer("\r\n", "\ndata: ", "\r", "\ndata: ", "\n", "\ndata: ")

// ServeHTTP sends events until the client is gone or the hub is closed.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	write := func(format string, args ...any) error {
		if err := rc.SetWriteDeadline(time.Now().Add(h.timeout)); err != nil {
			return err
		}
		fmt.Fprintf(w, format, args...) // Flush returns its error
		return rc.Flush()
	}
	s, last, greeting := h.subscribe(r.Header.Get("Last-Event-ID"))
	defer s.Close()
	w.Header().Set("Content-Type", "text/event-stream")
	err := write("%s", greeting)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
	for err == nil {
		ctx, cancel := context.WithTimeout(r.Context(), h.ping)
		e, _, recvErr := s.Recv(ctx)
		cancel()
		switch {
		case recvErr == chanx.ErrClosed || r.Context().Err() != nil:
			return
		case recvErr != nil:
			err = write(":\n\n")
		case e.id > last: // one that is replayed may be known to the client
			if n := e.id - last - 1; n > 0 {
				write("event: missed\ndata: %d\n\n", n) // the next one fails too
			}
			err = write("id: %d\ndata: %s\n\n", e.id, newlines.Replace(e.data))
			last = e.id
		}
	}
}
