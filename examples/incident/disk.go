package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"example.com/chanx"
)

// fault is what goes wrong when a log is rotated. Each of the four ends a
// consumer written like that of the outage, or holds it forever. Which of them
// it was there is unknown: the only witness was the log.
type fault string

const (
	full      fault = "full"  // the new file cannot be written
	exit      fault = "exit"  // runtime.Goexit: no error and no panic
	panicking fault = "panic" // in the rotation
	stall     fault = "stall" // a write never returns, as on a lost network share
)

var faults = []fault{exit, panicking, stall, full}

// caused reports whether err, kept by a log, is due to this fault.
func (f fault) caused(err error) bool {
	switch f {
	case exit:
		return errors.Is(err, chanx.ErrGoexit)
	case panicking:
		_, panicked := err.(*chanx.PanicError)
		return panicked
	case stall:
		return errors.Is(err, chanx.ErrStalled)
	}
	var path *fs.PathError
	return errors.As(err, &path) && path.Op == "write"
}

// disk holds the log files of one server, and the fault.
type disk struct {
	dir   string
	fault fault

	mu     sync.Mutex
	broken bool       // by the fault, for the files opened from now on
	opened int        // log files created so far
	hung   []*os.File // the read ends of the pipes that take no write
}

// open returns a new log file. With the fault full it is a file to which every
// write fails: the device that is always full, or where the system has none, a
// file opened for reading.
func (d *disk) open() (*os.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.broken {
		d.opened++
		return os.Create(filepath.Join(d.dir, fmt.Sprintf("%04d.log", d.opened)))
	}
	switch d.fault {
	case exit:
		runtime.Goexit()
	case panicking:
		panic("no file to rotate to")
	case stall:
		return d.hang()
	}
	if f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0); err == nil {
		return f, nil
	}
	return os.OpenFile(filepath.Join(d.dir, "read-only"), os.O_CREATE, 0o666)
}

// hang returns a file on which no write returns before release: a pipe that
// another write has filled. The byte that is read shows that it has begun, and
// so is in front of all others.
func (d *disk) hang() (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	d.hung = append(d.hung, r)
	go w.Write(make([]byte, 1<<22))
	_, err = r.Read(make([]byte, 1))
	return w, err
}

// strike begins or ends the fault. The writes that hang go on hanging: a handle
// to a share that was lost does not come back with the share.
func (d *disk) strike(broken bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = broken
}

// release ends the fault and fails the writes that hang.
func (d *disk) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = false
	for _, r := range d.hung {
		r.Close()
	}
	d.hung = nil
}

// lostMark begins the lines in which a log reports the number of lost lines.
const lostMark = "# records lost: "

// content counts the lines in the files of a log.
type content struct {
	lines  int64
	marked int   // of lines, those with the mark
	lost   int64 // according to the log itself
}

// read counts the lines in the files. A line without an end is not one. A file
// that cannot be read is missing from the counts, which then do not add up.
func (d *disk) read(mark string) (c content) {
	files, _ := filepath.Glob(filepath.Join(d.dir, "*.log"))
	for _, name := range files {
		text, _ := os.ReadFile(name)
		for line := range strings.Lines(string(text)) {
			var lost int64
			switch {
			case !strings.HasSuffix(line, "\n"):
			case strings.HasPrefix(line, "#"):
				_, _ = fmt.Sscanf(line, lostMark+"%d", &lost)
				c.lost += lost
			case strings.Contains(line, mark):
				c.marked++
				fallthrough
			default:
				c.lines++
			}
		}
	}
	return c
}
