package asynclog

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// ledger is a sink that reads the numbered lines it is given. It is slow now
// and then, so that a writer that drops has to.
type ledger struct {
	rest            []byte
	received        int
	torn, disorder  int
	last            [lawProducers]int
	calls           int
	mu              sync.Mutex // only against a writer that calls it twice at a time
	receivedLastOne bool
}

const lawProducers = 4

func newLedger() *ledger {
	l := &ledger{}
	for i := range l.last {
		l.last[i] = -1
	}
	return l
}

func (l *ledger) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls++; l.calls%100 == 0 {
		time.Sleep(time.Millisecond)
	}
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		l.take(line)
		l.rest = rest
	}
}

// numbered is a line of a producer: its number, the count, and the count again
// at the end, so that two halves of different lines are told from one line.
func numbered(b []byte, producer, n int) []byte {
	return fmt.Appendf(b[:0], "#%d %08d %0*d\n", producer, n,
		lineLen-len("#0 00000000 \n"), n)
}

// take counts a line as received, or as torn. What does not begin as ours do,
// such as the report of a loss, is not ours.
func (l *ledger) take(line []byte) {
	if string(line) == lastWord {
		l.receivedLastOne = true
		return
	}
	if len(line) == 0 || line[0] != '#' {
		return
	}
	f := bytes.Fields(line[1:])
	if len(line) != lineLen-1 || len(f) != 3 {
		l.torn++
		return
	}
	p, e1 := strconv.Atoi(string(f[0]))
	n, e2 := strconv.Atoi(string(f[1]))
	again, e3 := strconv.Atoi(string(f[2]))
	if e1 != nil || e2 != nil || e3 != nil || n != again || p >= lawProducers {
		l.torn++
		return
	}
	if n <= l.last[p] {
		l.disorder++
	}
	l.last[p] = max(n, l.last[p])
	l.received++
}

// lastWord is written after the writer was closed.
const lastWord = "after close"

// verdict is what the check of the law found out about a writer.
type verdict struct {
	sent, received, torn, disorder int
	told                           float64
	afterClose                     string
}

// holds says that what was sent and not received is what the writer says.
func (v verdict) holds() bool {
	return v.torn == 0 && v.disorder == 0 &&
		(v.told != untold && v.sent == v.received+int(v.told) ||
			v.told == untold && v.sent == v.received)
}

// law has producers write numbered lines, each from a buffer that it uses again,
// as io.Writer allows, and compares what arrives with what was sent.
func law(p peer, each int) verdict {
	l := newLedger()
	w, finish := p.open(sink{Writer: l})
	var all sync.WaitGroup
	for i := range lawProducers {
		all.Go(func() {
			var b []byte
			for n := range each {
				b = numbered(b, i, n)
				_, _ = w.Write(b)
			}
		})
	}
	all.Wait()
	told := finish()
	after := lateWrite(func() error {
		_, err := w.Write([]byte(lastWord + "\n"))
		return err
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.receivedLastOne {
		after = "written"
	}
	return verdict{
		lawProducers * each, l.received, l.torn, l.disorder, told, after,
	}
}

// lateWrite says how a writer that is closed answers.
func lateWrite(write func() error) (answer string) {
	defer func() {
		if v := recover(); v != nil {
			answer = "panics"
		}
	}()
	if err := write(); err != nil {
		return "error"
	}
	return "accepted, lost"
}
