package sse

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	hub := New(100, 15*time.Second, 10*time.Second)
	server := httptest.NewServer(hub)
	defer server.Close()
	resp, err := http.Get(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	hub.Send("hello")
	hub.Send("two\nlines")
	hub.Close()
	body, _ := io.ReadAll(resp.Body)
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "data") {
			fmt.Print(line)
		}
	}
	// Output:
	// data: hello
	// data: two
	// data: lines
}

// A listener accepts connections without a network, so that a bubble can fake
// the time of a whole server.
type listener chan net.Conn

func (l listener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }
func (l listener) Close() error   { close(l); return nil }
func (l listener) Accept() (net.Conn, error) {
	if c, ok := <-l; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

// serve returns a function that connects a client to a server of h. The
// returned body has no buffer: the server waits for each read.
func serve(t *testing.T, h http.Handler) (connect func(lastID string) *client, server *http.Server) {
	l := make(listener)
	server = &http.Server{Handler: h, WriteTimeout: time.Second}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return func(lastID string) *client {
		ours, theirs := net.Pipe()
		l <- theirs
		t.Cleanup(func() { ours.Close() })
		request := "GET / HTTP/1.1\r\nHost: x\r\n"
		if lastID != "" {
			request += "Last-Event-ID: " + lastID + "\r\n"
		}
		io.WriteString(ours, request+"\r\n")
		resp, err := http.ReadResponse(bufio.NewReaderSize(ours, 16), nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &client{t, ours, bufio.NewReaderSize(resp.Body, 16)}
		if resp.Header.Get("Content-Type") != "text/event-stream" {
			t.Error(resp.Header)
		}
		return c
	}, server
}

type client struct {
	t    *testing.T
	conn net.Conn
	body *bufio.Reader
}

// next returns the next event or comment, without ids.
func (c *client) next() string {
	var lines []string
	for {
		line, err := c.body.ReadString('\n')
		switch {
		case err != nil:
			return err.Error()
		case line == "\n":
			return strings.Join(lines, "|")
		case !strings.HasPrefix(line, "id: "):
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
}

func (c *client) want(want ...string) {
	c.t.Helper()
	for _, w := range want {
		if got := c.next(); got != w {
			c.t.Errorf("got %q, want %q", got, w)
		}
	}
}

func send(h *Hub, from, to int) {
	for i := from; i < to; i++ {
		h.Send(fmt.Sprint(i))
	}
}

func TestSlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(3, time.Hour, time.Minute)
		connect, _ := serve(t, h)
		slow, fast := connect(""), connect("")
		slow.want(":")
		fast.want(":")
		for i := range 10 {
			send(h, i, i+1)
			fast.want("data: " + fmt.Sprint(i))
			synctest.Wait()
		}
		// Event 0 was being written when the others came.
		slow.want("data: 0", "event: missed|data: 6", "data: 7", "data: 8", "data: 9")
		h.Close()
		slow.want("EOF")
		fast.want("EOF")
	})
}

func TestStuckClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(3, time.Hour, time.Minute)
		connect, _ := serve(t, h)
		c := connect("")
		c.want(":")
		send(h, 0, 1)
		time.Sleep(time.Minute - 1)
		synctest.Wait()
		if h.events.Stats().Subscribers != 1 {
			t.Error("disconnected before its time")
		}
		time.Sleep(1 * time.Nanosecond)
		synctest.Wait()
		if h.events.Stats().Subscribers != 0 {
			t.Error("not disconnected")
		}
		h.Close()
	})
}

func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(3, time.Minute, time.Second)
		connect, _ := serve(t, h)
		c := connect("")
		c.want(":")
		start := time.Now()
		c.want(":", ":")
		if d := time.Since(start); d != 2*time.Minute {
			t.Error("comments after", d)
		}
		time.Sleep(time.Minute - 1)
		send(h, 0, 1)
		c.want("data: 0")
		start = time.Now()
		c.want(":")
		if d := time.Since(start); d != time.Minute {
			t.Error("a comment after", d)
		}
		h.Close()
	})
}

func TestReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(3, time.Hour, time.Minute)
		connect, _ := serve(t, h)
		send(h, 0, 5)
		id := func(i int) string { return fmt.Sprint(h.first + uint64(i) + 1) }
		connect("").want(":") // new: nothing from before
		c := connect(id(2))
		c.want(":", "data: 3", "data: 4")
		c = connect(id(0))
		c.want(":", "event: missed|data: 1", "data: 2", "data: 3", "data: 4")
		c = connect(id(4))
		c.want(":")
		send(h, 5, 6)
		c.want("data: 5")
		h.Close()
	})
}

func TestOtherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(3, time.Hour, time.Minute)
		connect, _ := serve(t, h)
		send(h, 0, 2)
		for _, id := range []string{"0", "7", fmt.Sprint(h.first - 1),
			fmt.Sprint(h.first + 3), "x", "-1"} {
			connect(id).want("event: missed|data: ?")
		}
		h.Close()
	})
}

func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(3, time.Hour, time.Minute)
		connect, _ := serve(t, h)
		c := connect("")
		c.want(":")
		h.Send("a\nevent: b\r\n\rc")
		c.want("data: a|data: event: b|data: |data: c")
		h.Close()
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(10, time.Hour, time.Minute)
		connect, server := serve(t, h)
		var clients []*client
		for range 1000 {
			c := connect("")
			c.want(":")
			clients = append(clients, c)
		}
		send(h, 0, 3)
		h.Close()
		if h.Send("late") {
			t.Error("sent after Close")
		}
		shut := make(chan error, 1)
		go func() { shut <- server.Shutdown(context.Background()) }()
		for _, c := range clients {
			c.want("data: 0", "data: 1", "data: 2", "EOF")
			c.conn.Close()
		}
		if err := <-shut; err != nil {
			t.Error(err)
		}
	})
}

// The server of these tests has a WriteTimeout of a second.
func TestWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(3, time.Hour, time.Minute)
		connect, _ := serve(t, h)
		c := connect("")
		c.want(":")
		time.Sleep(30 * time.Minute)
		send(h, 0, 1)
		c.want("data: 0")
		h.Close()
	})
}

func TestClientGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(3, time.Hour, time.Minute)
		connect, _ := serve(t, h)
		c := connect("")
		c.want(":")
		c.conn.Close()
		synctest.Wait()
		if n := h.events.Stats().Subscribers; n != 0 {
			t.Error(n, "subscribers")
		}
		h.Close()
	})
}

func TestNoFlush(t *testing.T) {
	h := New(3, time.Hour, time.Minute)
	rec := httptest.NewRecorder()
	w := struct{ http.ResponseWriter }{rec} // hides everything else
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if rec.Code != 500 || h.events.Stats().Subscribers != 0 {
		t.Error(rec.Code, rec.Body)
	}
}

// Senders, clients that leave and a Close at the same time.
func TestCloseAmongClients(t *testing.T) {
	h := New(4, time.Hour, time.Hour)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%2 == 0 {
				go func() { h.Send("bye"); cancel() }()
			}
			w := &deadlineRecorder{httptest.NewRecorder()}
			r := httptest.NewRequest("GET", "/", nil).WithContext(ctx)
			h.ServeHTTP(w, r)
		})
	}
	for i := range 1000 {
		h.Send(fmt.Sprint(i))
	}
	h.Close()
	all.Wait()
	if n := h.events.Stats().Subscribers; n != 0 {
		t.Error(n, "subscribers")
	}
}

type deadlineRecorder struct{ *httptest.ResponseRecorder }

func (deadlineRecorder) SetWriteDeadline(time.Time) error { return nil }
