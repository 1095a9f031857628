package chanx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

const ringLogBeat = time.Second

var errRingLogDisk = errors.New("no space left on device")

// A ringLogDisk has files in memory, and a fault that strikes at opening and
// at writing.
type ringLogDisk struct {
	mu     sync.Mutex
	struck bool
	fault  func(*ringLogFile, []byte) (int, error) // of a write
	files  []*ringLogFile
}

type ringLogFile struct {
	bytes.Buffer
	disk *ringLogDisk
}

func (d *ringLogDisk) open() (io.WriteCloser, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.struck && rand.N(2) == 0 {
		return nil, errRingLogDisk
	}
	f := &ringLogFile{disk: d}
	d.files = append(d.files, f)
	return f, nil
}

func (d *ringLogDisk) strike(struck bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.struck = struck
}

func (f *ringLogFile) Write(p []byte) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.struck {
		return f.disk.fault(f, p)
	}
	return f.Buffer.Write(p)
}

func (f *ringLogFile) Close() error { return nil }

// lines returns the whole lines in the files, none of which is there twice.
func (d *ringLogDisk) lines(t *testing.T) (all []string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	seen := map[string]bool{}
	for _, f := range d.files {
		for line := range strings.Lines(f.String()) {
			if !strings.HasSuffix(line, "\n") {
				continue // cut
			}
			require.False(t, seen[line], "twice: %s", line)
			seen[line] = true
			all = append(all, strings.TrimSuffix(line, "\n"))
		}
	}
	return all
}

var ringLogFaults = map[string]func(*ringLogFile, []byte) (int, error){
	"error": func(*ringLogFile, []byte) (int, error) { return 0, errRingLogDisk },
	"short": func(f *ringLogFile, p []byte) (int, error) {
		n, _ := f.Buffer.Write(p[:rand.N(len(p))])
		return n, errRingLogDisk
	},
	"panic": func(*ringLogFile, []byte) (int, error) { panic("disk") },
	"goexit": func(*ringLogFile, []byte) (int, error) {
		runtime.Goexit()
		return 0, nil
	},
}

// Faults come and go while eight goroutines log: every line is written once,
// or dropped, and counted.
func TestSupervisedLogThroughFaults(t *testing.T) {
	for name, fault := range ringLogFaults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ringLogThrough(t, &ringLogDisk{fault: fault})
			})
		})
	}
}

func ringLogThrough(t *testing.T, d *ringLogDisk) {
	const senders, each = 8, 2500
	l := newRingLog(64, ringLogBeat, d.open)
	var sending sync.WaitGroup
	for s := range senders {
		sending.Go(func() {
			for i := range each {
				assert.True(t, l.Log(fmt.Sprintf("%d of %d", i, s)))
				if i%20 == 0 {
					time.Sleep(rand.N(10 * time.Millisecond))
				}
			}
		})
	}
	for range 20 {
		time.Sleep(rand.N(50 * time.Millisecond))
		d.strike(true)
		l.Rotate()
		time.Sleep(rand.N(50 * time.Millisecond))
		d.strike(false)
		a := l.account()
		assert.Equal(t, a.sent, a.written+a.dropped+a.waiting)
	}
	sending.Wait()
	require.NoError(t, l.Shutdown(t.Context()))
	a := l.account()
	assert.EqualValues(t, senders*each, a.sent)
	assert.Zero(t, a.waiting)
	assert.Equal(t, a.sent, a.written+a.dropped)
	assert.EqualValues(t, a.written, len(d.lines(t)))
	assert.False(t, l.Log("late"))
}

// Writes are cut anywhere: a line counts as written if its newline was.
func TestSupervisedLogShortWrites(t *testing.T) {
	for range 200 {
		l := &ringLog{ring: chanx.NewRing[string](64)}
		d := &ringLogDisk{fault: ringLogFaults["short"]}
		n := rand.N(64)
		for i := range n {
			l.ring.Send(fmt.Sprint(i))
		}
		for range 5 { // whole, cut, or with nothing left
			d.struck = false // for open
			file, err := d.open()
			require.NoError(t, err)
			left := l.account().waiting > 0
			d.struck = left && rand.N(4) > 0
			assert.Equal(t, d.struck, l.write(file) == errRingLogDisk)
			require.EqualValues(t, len(d.lines(t)), l.account().written)
		}
		assert.EqualValues(t, n, l.account().written+l.account().waiting)
		assert.NoError(t, l.write(new(bytes.Buffer)))
		assert.Zero(t, l.account().waiting)
		l.ring.Close()
		assert.Equal(t, chanx.ErrStop, l.write(nil))
	}
}

// A ringLogHang is a file whose writes hang until told how to end.
type ringLogHang struct {
	ringLogFile
	ends chan func(*bytes.Buffer, []byte) (int, error)
}

func (f *ringLogHang) Write(p []byte) (int, error) {
	return (<-f.ends)(&f.Buffer, p)
}

// stalledRingLog returns a log whose first consumer hangs with two lines, and
// has been replaced for that, not a nanosecond early.
func stalledRingLog(t *testing.T) (*ringLog, *ringLogHang, *ringLogDisk) {
	hung := &ringLogHang{ends: make(chan func(*bytes.Buffer, []byte) (int, error))}
	d := &ringLogDisk{}
	first, logged := true, make(chan struct{})
	l := newRingLog(64, ringLogBeat, func() (io.WriteCloser, error) {
		if first {
			first = false
			<-logged // or it might take only one of the lines
			return hung, nil
		}
		return d.open()
	})
	l.Log("a")
	l.Log("b")
	close(logged)
	synctest.Wait()
	l.Log("c")
	time.Sleep(ringLogBeat)
	synctest.Wait()
	require.Empty(t, d.lines(t))
	time.Sleep(ringLogBeat) // the successor's backoff is shorter
	synctest.Wait()
	require.Equal(t, []string{"c"}, d.lines(t))
	require.Equal(t, account{sent: 3, written: 1, waiting: 2}, l.account())
	return l, hung, d
}

// A write that hangs is replaced, and the lines that it has are written by the
// successor only if it fails after all.
func TestSupervisedLogStalls(t *testing.T) {
	for name, c := range map[string]struct {
		takes int // bytes
		err   error
		late  []string
	}{
		"fails":         {0, errRingLogDisk, []string{"c", "a", "b"}},
		"is cut":        {3, errRingLogDisk, []string{"c", "b"}},
		"works, late":   {4, nil, []string{"c"}},
		"takes one, ok": {2, io.ErrShortWrite, []string{"c", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, hung, d := stalledRingLog(t)
				time.Sleep(time.Hour)
				hung.ends <- func(b *bytes.Buffer, p []byte) (int, error) {
					b.Write(p[:c.takes])
					return c.takes, c.err
				}
				time.Sleep(ringLogBeat / 4)
				synctest.Wait()
				assert.Equal(t, c.late, d.lines(t))
				assert.Equal(t, account{sent: 3, written: 3}, l.account())
				assert.Equal(t, "a\nb\n"[:c.takes], hung.String())
				assert.NoError(t, l.Shutdown(t.Context()))
			})
		})
	}
}

// A consumer that was replaced takes no more lines when it comes back: they
// would be written to its old file.
func TestSupervisedLogReplacedTakesNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 20 {
			l, hung, d := stalledRingLog(t)
			hung.ends <- func(b *bytes.Buffer, p []byte) (int, error) {
				for i := range 50 {
					l.Log(fmt.Sprint(i))
				}
				return b.Write(p)
			}
			synctest.Wait() // both have written what they take
			require.NoError(t, l.Shutdown(t.Context()))
			require.Equal(t, "a\nb\n", hung.String())
			require.Len(t, d.lines(t), 51)
		}
	})
}

// Word of a rotation that a consumer finds which was replaced is for its
// successor. Taken, it once sent the wrong one to a disk that hung.
func TestSupervisedLogReplacedLeavesRotation(t *testing.T) {
	d := &ringLogDisk{}
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		l := &ringLog{open: d.open, ring: chanx.NewRing[string](4),
			rot: make(chan struct{}, 1), beat: ringLogBeat}
		l.ring.Send("a line")
		l.Rotate()
		l.open = func() (io.WriteCloser, error) {
			return ringLogCanceller{cancel}, nil
		}
		assert.ErrorIs(t, l.fill(ctx), context.Canceled)
		require.Len(t, l.rot, 1)
	}
}

// A ringLogCanceller replaces the consumer while it writes.
type ringLogCanceller struct{ cancel context.CancelFunc }

func (c ringLogCanceller) Close() error { return nil }
func (c ringLogCanceller) Write(p []byte) (int, error) {
	c.cancel()
	return len(p), nil
}

// A rotation while all is well is a new file, and no restart.
func TestSupervisedLogRotates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &ringLogDisk{}
		l := newRingLog(64, ringLogBeat, d.open)
		for i := range 5 {
			l.Log(fmt.Sprint(i))
			synctest.Wait()
			l.Rotate()
			synctest.Wait()
		}
		require.NoError(t, l.Shutdown(t.Context()))
		require.Len(t, d.files, 6)
		for i := range 5 {
			assert.Equal(t, fmt.Sprintln(i), d.files[i].String())
		}
	})
}

// Shutdown gives up when its ctx does, and says what is left.
func TestSupervisedLogCannotShutDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newRingLog(64, ringLogBeat, func() (io.WriteCloser, error) {
			return nil, errRingLogDisk
		})
		for range 3 {
			l.Log("a line")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		err := l.Shutdown(ctx)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "3 lines left")
		assert.Equal(t, time.Minute, time.Since(start))
		assert.Equal(t, account{sent: 3, waiting: 3}, l.account())
		<-l.done // the consumer has ended, not only been told to
	})
}

// Shutdown does not wait for a write that was given up, and tells of its lines.
func TestSupervisedLogShutsDownBesideAHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, hung, d := stalledRingLog(t)
		start := time.Now()
		assert.EqualError(t, l.Shutdown(t.Context()), "2 lines left")
		assert.Zero(t, time.Since(start))
		assert.Equal(t, []string{"c"}, d.lines(t))
		hung.ends <- func(*bytes.Buffer, []byte) (int, error) {
			return 0, errRingLogDisk
		}
	})
}
