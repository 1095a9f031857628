// Package dump compares what reads goroutine dumps, and what taking one costs
// the process it is taken of.
package dump

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// shape is where some goroutines stand: innermost call first.
type shape struct {
	state   string
	calls   []string // function, then file and line
	creator []string
}

// serving is the way down to a handler of a request.
var serving = []string{
	"example.com/shop/web.(*Server).order(0xc000000000, {0x7f3c28, 0xc000000000}, 0xc000000000)",
	"/src/shop/web/order.go:88 +0x2a5",
	"example.com/shop/web.(*Server).logged.func1({0x7f3c28, 0xc000000000}, 0xc000000000)",
	"/src/shop/web/middleware.go:41 +0x1c9",
	"net/http.HandlerFunc.ServeHTTP(0xc000000000?, {0x7f3c28?, 0xc000000000?}, 0x0?)",
	"/usr/local/go/src/net/http/server.go:2322 +0x29",
	"net/http.(*ServeMux).ServeHTTP(0x4a3e25?, {0x7f3c28, 0xc000000000}, 0xc000000000)",
	"/usr/local/go/src/net/http/server.go:2861 +0x1c7",
	"net/http.serverHandler.ServeHTTP({0xc000000000?}, {0x7f3c28?, 0xc000000000?}, 0x6?)",
	"/usr/local/go/src/net/http/server.go:3340 +0x8e",
	"net/http.(*conn).serve(0xc000000000, {0x7f4018, 0xc000000000})",
	"/usr/local/go/src/net/http/server.go:2109 +0x665",
}

var served = []string{
	"net/http.(*Server).Serve in goroutine 1",
	"/usr/local/go/src/net/http/server.go:3493 +0x485",
}

var started = []string{
	"example.com/shop/jobs.(*Pool).Start in goroutine 1",
	"/src/shop/jobs/pool.go:57 +0xa6",
}

// shapes are those of a service whose log is stuck. How often each occurs is
// how often it stands here.
var shapes = []shape{
	{"chan send", call(serving,
		"example.com/log4go.(*FileLogTraceWriter).LogWrite(0xc000000000, 0xc000000000)",
		"/src/log4go/filelog.go:212 +0x34",
		"example.com/log4go.Logger.intLogf(0xc000000000, 0x2, {0x6d1f30, 0x12}, {0xc000000000, 0x2, 0x2})",
		"/src/log4go/log4go.go:301 +0x2f1"), served},
	{"chan send", call(serving,
		"example.com/log4go.(*FileLogTraceWriter).LogWrite(0xc000000000, 0xc000000000)",
		"/src/log4go/filelog.go:212 +0x34",
		"example.com/log4go.Logger.Warn(0xc000000000, {0x62bb40, 0xc000000000}, {0x0, 0x0, 0x0})",
		"/src/log4go/log4go.go:402 +0x1a8"), served},
	{"IO wait", call(serving[10:],
		"internal/poll.runtime_pollWait(0x7f92b4c1e6c8, 0x72)",
		"/usr/local/go/src/runtime/netpoll.go:351 +0x85",
		"internal/poll.(*FD).Read(0xc000000000, {0xc000000000, 0x1000, 0x1000})",
		"/usr/local/go/src/internal/poll/fd_unix.go:165 +0x27a",
		"net/http.(*connReader).Read(0xc000000000, {0xc000000000, 0x1000, 0x1000})",
		"/usr/local/go/src/net/http/server.go:812 +0x154"), served},
	{"select", call(nil,
		"example.com/shop/jobs.(*Pool).worker(0xc000000000, {0x7f4018, 0xc000000000}, 0x11)",
		"/src/shop/jobs/pool.go:93 +0x105"), started},
	{"chan receive", call(nil,
		"example.com/shop/jobs.(*Queue).drain(0xc000000000)",
		"/src/shop/jobs/queue.go:120 +0x5e"), started},
	{"sync.Mutex.Lock", call(serving,
		"internal/sync.runtime_SemacquireMutex(0xc000000000?, 0x0?, 0x1?)",
		"/usr/local/go/src/runtime/sema.go:95 +0x25",
		"sync.(*Mutex).Lock(...)",
		"/usr/local/go/src/sync/mutex.go:46",
		"example.com/shop/cache.(*Cache).Get(0xc000000000, {0xc000000000, 0x24})",
		"/src/shop/cache/cache.go:66 +0x98"), served},
	{"sleep", call(nil,
		"time.Sleep(0x3b9aca00)",
		"/usr/local/go/src/runtime/time.go:363 +0xfd",
		"example.com/shop/jobs.poll(0xc000000000)",
		"/src/shop/jobs/poll.go:31 +0x4c"), started},
	{"sync.WaitGroup.Wait", call(nil,
		"sync.runtime_SemacquireWaitGroup(0xc000000000?, 0x0?)",
		"/usr/local/go/src/runtime/sema.go:114 +0x2e",
		"sync.(*WaitGroup).Wait(0xc000000000)",
		"/usr/local/go/src/sync/waitgroup.go:206 +0x85",
		"example.com/shop/jobs.(*Batch).Run(0xc000000000)",
		"/src/shop/jobs/batch.go:77 +0x1d0"), started},
}

func call(below []string, calls ...string) []string {
	return append(calls, below...)
}

// pointer is what an argument looks like in a shape; every goroutine has its
// own, of the same length.
const pointer = "0xc000000000"

// body is a shape as text, and where in it the pointers stand.
type body struct {
	text  []byte
	holes []int
}

func (s shape) body() (b body) {
	var t bytes.Buffer
	for i := 0; i < len(s.calls); i += 2 {
		fmt.Fprintf(&t, "%s\n\t%s\n", s.calls[i], s.calls[i+1])
	}
	fmt.Fprintf(&t, "created by %s\n\t%s\n\n", s.creator[0], s.creator[1])
	b.text = t.Bytes()
	for at := 0; ; at += len(pointer) {
		next := bytes.Index(b.text[at:], []byte(pointer))
		if next < 0 {
			return b
		}
		at += next
		b.holes = append(b.holes, at)
	}
}

// generator is a dump of a number of goroutines as /debug/pprof/goroutine?debug=2
// writes it. It makes the text while it is read, so that a gigabyte of it takes
// neither disk nor memory, and costs each reader the same.
type generator struct {
	goroutines, next int
	bodies           []body
	rest             []byte
	buf              []byte
}

func newGenerator(goroutines int) *generator {
	g := &generator{goroutines: goroutines}
	for _, s := range shapes {
		g.bodies = append(g.bodies, s.body())
	}
	return g
}

func (g *generator) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(g.rest) == 0 {
			if g.next == g.goroutines {
				break
			}
			g.render()
		}
		took := copy(p[n:], g.rest)
		g.rest = g.rest[took:]
		n += took
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// render makes the text of the next goroutine.
func (g *generator) render() {
	i := g.next % len(shapes)
	g.next++
	b := append(g.buf[:0], "goroutine "...)
	b = strconv.AppendInt(b, int64(g.next+100), 10)
	b = append(b, " ["...)
	b = append(b, shapes[i].state...)
	if m := g.next % 7; m > 0 {
		b = append(b, ", "...)
		b = strconv.AppendInt(b, int64(m+1), 10)
		b = append(b, " minutes"...)
	}
	b = append(b, "]:\n"...)
	at := len(b)
	b = append(b, g.bodies[i].text...)
	for _, hole := range g.bodies[i].holes {
		own(b[at+hole:], g.next)
	}
	g.buf, g.rest = b, b
}

// own writes the number of a goroutine into one of its pointers.
func own(b []byte, n int) {
	for i := len(pointer) - 2; n > 0; i-- {
		b[i] = "0123456789abcdef"[n&15]
		n >>= 4
	}
}
