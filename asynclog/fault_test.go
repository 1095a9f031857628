package asynclog

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Tests with real faults run in real time. Their waits are long enough for any
// machine, and end as soon as what they wait for has happened.
const patience = time.Minute

var faultOptions = Options{
	Report:       ReportJSON,
	StallAfter:   100 * time.Millisecond,
	CloseTimeout: patience,
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	require.Eventually(t, f, patience, 5*time.Millisecond, what)
}

// keptError wants an error of the sink. It need not be the last one: on a loaded
// machine any call can be taken for a stall besides.
func keptError(t *testing.T, s Stats, want error) {
	t.Helper()
	require.True(t, slices.ContainsFunc(s.Errors, func(e SinkError) bool {
		return errors.Is(e.Err, want)
	}), "%v", s.Errors)
}

func flushed(t *testing.T, w *Writer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, w.Flush(ctx))
}

// readAll returns what all the files hold, in that order.
func readAll(t *testing.T, paths ...string) []byte {
	t.Helper()
	var all []byte
	for _, p := range paths {
		b, err := os.ReadFile(p)
		require.NoError(t, err)
		all = append(all, b...)
	}
	return all
}

func TestFaultFileRenamedUnderLoad(t *testing.T) {
	movable(t)
	f, path := openFile(t)
	w := New(f, faultOptions)
	l := newLedger(4)
	var old []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 20 {
			to := path + "." + string(rune('a'+i))
			if !assert.NoError(t, os.Rename(path, to)) {
				return
			}
			old = append(old, to)
			if i%2 == 0 {
				assert.NoError(t, f.Reopen())
			}
			for exists := false; !exists; { // until it has been noticed
				time.Sleep(time.Millisecond)
				_ = l.write(w, 3)
				_, err := os.Stat(path)
				exists = err == nil
			}
		}
	}()
	l3 := *l
	l3.producers = l.producers[:3]
	l3.flood(t, w, 4000, 10*time.Microsecond)
	<-done
	require.NoError(t, w.Close())
	for _, p := range old {
		l.read(t, readAll(t, p)) // no line is torn between two files
	}
	l.settle(t, w, readAll(t, append(old, path)...))
}

func TestFaultFileRemovedUnderLoad(t *testing.T) {
	movable(t)
	f, path := openFile(t)
	w := New(f, faultOptions)
	l := newLedger(2)
	var stream []byte
	for range 10 {
		l.flood(t, w, 500, 0)
		// The file's bytes go with it, unless somebody has it open.
		held, err := os.Open(path)
		require.NoError(t, err)
		require.NoError(t, os.Remove(path))
		l.flood(t, w, 500, 0)
		flushed(t, w)
		b, err := io.ReadAll(held)
		require.NoError(t, err)
		require.NoError(t, held.Close())
		stream = append(stream, b...)
	}
	require.NoError(t, w.Close())
	l.settle(t, w, append(stream, readAll(t, path)...))
}

func TestFaultFileCannotBeOpenedForAWhile(t *testing.T) {
	movable(t)
	f, path := openFile(t)
	w := New(f, faultOptions)
	l := newLedger(2)
	l.flood(t, w, 100, 0)
	flushed(t, w)
	// A directory in its place stops root as well, which a mode would not.
	require.NoError(t, os.Rename(path, path+".1"))
	require.NoError(t, os.Mkdir(path, 0o700))
	l.flood(t, w, 1000, 0)
	for range 3 { // each batch is written to the old file, and is an error
		flushed(t, w)
		l.flood(t, w, 1, 0)
	}
	keptError(t, w.Stats(), syscall.EISDIR)
	require.GreaterOrEqual(t, w.Stats().SinkErrors, uint64(3))
	l.read(t, readAll(t, path+".1"))
	require.NoError(t, os.Remove(path))
	l.flood(t, w, 47, 0)
	require.NoError(t, w.Close())
	r := l.settle(t, w, readAll(t, path+".1", path))
	require.EqualValues(t, 2300, r.records.Records, "nothing is lost")
}

func TestFaultDirectoryVanishesAndComesBack(t *testing.T) {
	movable(t)
	dir := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.Mkdir(dir, 0o700))
	f, path := openFileIn(t, dir)
	opts := faultOptions
	opts.Budget = 64 << 10
	w := New(f, opts)
	l := newLedger(2)
	l.flood(t, w, 100, 0)
	flushed(t, w)
	before := readAll(t, path)
	require.NoError(t, os.RemoveAll(dir))
	l.flood(t, w, 5000, 0) // more than the budget holds
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, w.Close())
	r := l.settle(t, w, append(before, readAll(t, path)...))
	require.NotZero(t, r.reported.Records)
	// Whoever was faster may have been evicted by the other one.
	require.True(t, slices.Contains(r.order, "p0 n5099") ||
		slices.Contains(r.order, "p1 n5099"), "the latest news")
}

// dialer is the simplest sink that comes back: it dials when it has to.
type dialer struct {
	addr string
	mu   sync.Mutex
	conn net.Conn
}

func (d *dialer) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == nil {
		conn, err := net.Dial("tcp", d.addr)
		if err != nil {
			return 0, err
		}
		d.conn = conn
	}
	n, err := d.conn.Write(p)
	if err != nil {
		d.conn.Close()
		d.conn = nil
	}
	return n, err
}

func (d *dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		d.conn.Close()
	}
}

func TestFaultTcpStallsAndGoesOn(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	d := &dialer{addr: ln.Addr().String()}
	opts := faultOptions
	opts.Budget = 1 << 20
	w := New(d, opts)
	l := newLedger(4)
	require.NoError(t, l.write(w, 0))
	conn, err := ln.Accept()
	require.NoError(t, err)
	defer conn.Close()
	// Nobody reads: the buffers of the kernel fill up, and then ours.
	for !w.Stats().Stalled || w.Stats().Dropped.Records == 0 {
		l.flood(t, w, 20_000, 0)
	}
	received := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(conn)
		received <- b
	}()
	require.NoError(t, w.Close())
	d.close()
	r := l.settle(t, w, <-received)
	require.NotZero(t, r.reported.Records)
	require.NotZero(t, w.Stats().Stalls)
}

func TestFaultTcpIsResetAndComesBack(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := ln.Addr().String()
	d := &dialer{addr: addr}
	w := New(d, faultOptions)
	l := newLedger(2)
	var parts [][]byte
	for i := range 5 {
		// Read a little, and slam the door with more on the way.
		l.flood(t, w, 3000, 0)
		conn, err := ln.Accept()
		require.NoError(t, err)
		b := make([]byte, 50_000)
		n, err := io.ReadFull(conn, b)
		require.True(t, err == nil || errors.Is(err, io.ErrUnexpectedEOF))
		parts = append(parts, b[:n])
		require.NoError(t, conn.(*net.TCPConn).SetLinger(0))
		require.NoError(t, ln.Close())
		require.NoError(t, conn.Close())
		errs := w.Stats().SinkErrors
		for j := 0; w.Stats().SinkErrors == errs; j++ { // no server, no sink
			require.NoError(t, l.write(w, 0))
			time.Sleep(time.Millisecond)
			require.Less(t, j, 60_000)
		}
		ln, err = net.Listen("tcp", addr)
		require.NoError(t, err, "round %d", i)
	}
	defer ln.Close()
	last := make(chan []byte)
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			close(last)
			return
		}
		b, _ := io.ReadAll(conn)
		conn.Close()
		last <- b
	}()
	require.NoError(t, w.Close())
	d.close()
	parts = append(parts, <-last)
	checkConnections(t, l, w, parts)
}

// checkConnections checks what several readers got of one stream, of which
// bytes are missing where a connection broke: the sink had taken them.
func checkConnections(t *testing.T, l *ledger, w *Writer, parts [][]byte) {
	t.Helper()
	l.times(t)
	var whole []byte
	for i, b := range parts {
		if i > 0 { // a line that was begun in the connection before
			b = b[slices.Index(b, '\n')+1:]
		}
		end := len(b)
		for end > 0 && b[end-1] != '\n' {
			end--
		}
		whole = append(whole, b[:end]...)
	}
	r := l.read(t, whole) // whole lines, in order, nothing twice
	s := w.Stats()
	lawful(t, s)
	require.Zero(t, s.Buffered)
	require.LessOrEqual(t, r.records.Records, s.Written.Records)
	lost := int(s.Written.Records - r.records.Records)
	t.Logf("%d records went with the connections that broke, of %d written",
		lost, s.Written.Records)
	require.NotZero(t, r.records.Records)
}

func TestFaultRandomPartialWritesToAFile(t *testing.T) {
	f, path := openFile(t)
	rng := partly(9, errSink)
	w := New(sinkFunc(func(p []byte) (int, error) {
		n, err := rng(0, p)
		if m, ferr := f.Write(p[:n]); ferr != nil {
			return m, ferr
		}
		return n, err
	}), faultOptions)
	l := newLedger(4)
	l.flood(t, w, 2000, 0)
	require.NoError(t, w.Close())
	r := l.settle(t, w, readAll(t, path))
	require.EqualValues(t, 8000, r.records.Records)
}

type sinkFunc func([]byte) (int, error)

func (f sinkFunc) Write(p []byte) (int, error) { return f(p) }

func TestFaultASinkThatHangsForEver(t *testing.T) {
	h := make(hung)
	defer close(h)
	opts := faultOptions
	opts.CloseTimeout = 50 * time.Millisecond
	w := New(h, opts)
	l := newLedger(8)
	l.flood(t, w, 20_000, 0)
	eventually(t, "a stall", func() bool { return w.Stats().Stalled })
	var left *UnwrittenError
	require.ErrorAs(t, w.Close(), &left)
	l.times(t)
	st := w.Stats()
	lawful(t, st)
	require.Zero(t, st.Written)
	require.Equal(t, st.Buffered, left.Left)
	require.EqualValues(t, 160_000, st.Accepted.Records)
}
