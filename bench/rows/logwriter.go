package rows

import (
	"bufio"
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/phuslu/log"
	"github.com/rs/zerolog/diode"
	"go.uber.org/zap/zapcore"

	"example.com/chanx/asynclog"
)

const (
	lineLen = 190

	// logLines and logBytes are the same memory in two measures: what each
	// writer may hold. Those without a buffer hold nothing.
	logLines = 10_000
	logBytes = logLines * (lineLen + 4)

	// fileSize is where a file starts over or is rotated: memory is finite.
	fileSize = 128 << 20
)

// A target is where the lines go: a file in memory, or a sink that hangs.
type target struct {
	io.Writer
	path string // for a writer that opens its file itself; empty: cannot
}

// A logWriter stands between a logger and its target.
type logWriter struct {
	name string

	// open returns the writer and how to close it, which returns how many
	// lines it says it has lost: NaN if it does not say.
	open func(to target) (w io.Writer, finish func() (told float64))

	needsPath bool
}

func (w logWriter) title() string { return w.name }

func untold(f func() error) func() float64 {
	return func() float64 {
		_ = f()
		return math.NaN()
	}
}

func asyncWriter(name string, full asynclog.FullPolicy) logWriter {
	return logWriter{name: name, open: func(to target) (io.Writer, func() float64) {
		w := asynclog.New(to, asynclog.Options{Budget: logBytes, Reserve: -1,
			Full: full, MaxWait: time.Minute, CloseTimeout: time.Minute})
		return w, func() float64 {
			_ = w.Close()
			return float64(w.Stats().Dropped.Records)
		}
	}}
}

var logWriters = []logWriter{
	asyncWriter("asynclog", asynclog.DropOldest),
	asyncWriter("asynclog, Wait", asynclog.Wait),
	{name: "zerolog diode", open: func(to target) (io.Writer, func() float64) {
		var told atomic.Int64
		// A sink that can be closed would be closed by the diode. Without the
		// poll interval of the documentation, wake-ups get lost.
		w := diode.NewWriter(struct{ io.Writer }{to}, logLines,
			10*time.Millisecond, func(missed int) { told.Add(int64(missed)) })
		return w, func() float64 {
			_ = w.Close()
			return float64(told.Load())
		}
	}},
	{name: "phuslu, async file", needsPath: true,
		open: func(to target) (io.Writer, func() float64) {
			return phuslu(&log.FileWriter{Filename: to.path, MaxSize: fileSize,
				MaxBackups: 1})
		}},
	{name: "phuslu, async writer", open: func(to target) (io.Writer, func() float64) {
		return phuslu(log.IOWriter{Writer: to})
	}},
	{name: "zap buffered", open: func(to target) (io.Writer, func() float64) {
		w := &zapcore.BufferedWriteSyncer{WS: zapcore.AddSync(to), Size: logBytes}
		return w, untold(w.Stop)
	}},
	{name: "mutex and bufio", open: func(to target) (io.Writer, func() float64) {
		b := bufio.NewWriterSize(to, logBytes)
		return &locked{w: b}, untold(b.Flush)
	}},
	{name: "plain file", open: func(to target) (io.Writer, func() float64) {
		return &locked{w: to}, untold(func() error { return nil })
	}},
}

// locked is a writer under a mutex.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// messenger writes with phuslu's own logger: AsyncWriter.Write keeps the slice
// it is given. The line with its time is as long as the others.
//
// WriteEntry reads the length of an entry that its worker may have handed to
// another goroutine by then: the race detector reports it.
type messenger struct{ log.Logger }

func phuslu(to log.Writer) (io.Writer, func() float64) {
	w := &log.AsyncWriter{ChannelSize: logLines, Writer: to}
	m := &messenger{log.Logger{Writer: w, TimeLocation: time.UTC}}
	return m, untold(w.Close)
}

var message = string(bytes.Repeat([]byte("x"),
	lineLen-len(`{"time":"2006-01-02T15:04:05.999Z","message":""}`+"\n")))

func (m *messenger) Write(p []byte) (int, error) {
	m.Log().Msg(message)
	return len(p), nil
}

// counting counts lines, and starts a file over before memory ends.
type counting struct {
	*os.File
	at    int64
	lines int
}

func (c *counting) Write(p []byte) (int, error) {
	if c.at += int64(len(p)); c.at > fileSize {
		if _, err := c.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
		c.at = 0
	}
	c.lines += bytes.Count(p, []byte("\n"))
	return c.File.Write(p)
}

// withFile calls f with a file in memory, where the system has that, so that
// the speed of the disk does not count.
func withFile(f func(to target, c *counting) []float64) ([]float64, error) {
	dir, err := os.MkdirTemp("/dev/shm", "chanx-bench")
	if err != nil {
		if dir, err = os.MkdirTemp("", "chanx-bench"); err != nil {
			return nil, err
		}
	}
	defer os.RemoveAll(dir)
	file, err := os.Create(filepath.Join(dir, "lines"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	c := &counting{File: file}
	return f(target{c, filepath.Join(dir, "opened")}, c), nil
}
