package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
)

// disk is where the log files of one server live, and what the fault strikes.
type disk struct {
	dir    string
	fault  fault
	device string // always full; empty: the system has none

	mu     sync.Mutex
	struck bool
	opened int        // log files made so far
	hung   []*os.File // the read ends of files that never take anything
}

// logFile is a file of a disk. A nil one is what the panicking fault hands out.
type logFile struct{ file *os.File }

func (f *logFile) Write(p []byte) (int, error) { return f.file.Write(p) }
func (f *logFile) Close() error                { return f.file.Close() }

// fullDevice returns a device on which every write finds no space left: Linux,
// FreeBSD and NetBSD have one.
func fullDevice() string {
	const path = "/dev/full"
	info, err := os.Stat(path)
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return ""
	}
	return path
}

// open returns a new file with its first line in it, as every rotation does:
// the outage too was found with a file that had been opened at midnight and
// held 0 bytes.
func (d *disk) open() (*logFile, error) {
	f, err := d.create()
	if err != nil {
		return nil, err
	}
	if err := f.begin(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// begin writes the first line.
func (f *logFile) begin() error {
	_, err := f.Write([]byte("# a new file\n"))
	return err
}

func (d *disk) create() (*logFile, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.struck {
		d.opened++
		return wrap(os.Create(d.path(d.opened)))
	}
	switch d.fault {
	case exit:
		runtime.Goexit()
	case panicking:
		return nil, nil
	case stall:
		return wrap(d.hang())
	}
	return wrap(d.unwritable())
}

func wrap(f *os.File, err error) (*logFile, error) {
	if err != nil {
		return nil, err
	}
	return &logFile{f}, nil
}

func (d *disk) path(n int) string {
	return filepath.Join(d.dir, fmt.Sprintf("%04d.log", n))
}

// unwritable returns a file on which the system fails every write, with
// nothing written: the full device, or else a file open for reading.
func (d *disk) unwritable() (*os.File, error) {
	if d.device != "" {
		return os.OpenFile(d.device, os.O_WRONLY, 0)
	}
	path := filepath.Join(d.dir, "read-only")
	return os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o666)
}

// hang returns a file on which no write returns before release: a pipe that
// nobody reads and that another write has filled. One byte of that is read,
// to know that it has begun, and so stands in front of all that follow.
func (d *disk) hang() (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	go func() { _, _ = w.Write(make([]byte, 1<<22)) }()
	if _, err := r.Read(make([]byte, 1)); err != nil {
		return nil, errors.Join(err, r.Close(), w.Close())
	}
	d.hung = append(d.hung, r)
	return w, nil
}

func (d *disk) strike() { d.set(true) }

// lift ends the fault for files opened from now on. Those that hang go on: a
// handle to a share that has gone does not come back with the share.
func (d *disk) lift() { d.set(false) }

func (d *disk) set(struck bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.struck = struck
}

// release lifts the fault and fails the writes that hang.
func (d *disk) release() {
	d.lift()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.hung {
		r.Close()
	}
	d.hung = nil
}

// lostMark begins the lines in which a log tells how many records it lost.
const lostMark = "# records lost: "

// content is what the files of a log have in them.
type content struct {
	records int
	marked  int // of those
	lost    int // according to the log itself
}

// lines reads the files and counts, of the records, those that have mark in
// them.
func (d *disk) lines(mark string) (c content, err error) {
	d.mu.Lock()
	opened := d.opened
	d.mu.Unlock()
	for n := 1; n <= opened; n++ {
		if err := c.read(d.path(n), []byte(mark)); err != nil {
			return content{}, err
		}
	}
	return c, nil
}

func (c *content) read(path string, mark []byte) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for in := bufio.NewReader(f); ; {
		line, err := in.ReadBytes('\n')
		switch {
		case err == io.EOF: // what has no newline is half a record
			return nil
		case err != nil:
			return err
		}
		if err := c.line(line, mark); err != nil {
			return err
		}
	}
}

func (c *content) line(line, mark []byte) error {
	if n, ok := bytes.CutPrefix(line, []byte(lostMark)); ok {
		number, _, _ := bytes.Cut(n, []byte(" "))
		lost, err := strconv.Atoi(string(number))
		c.lost += lost
		return err
	}
	if line[0] == '#' {
		return nil
	}
	c.records++
	if bytes.Contains(line, mark) {
		c.marked++
	}
	return nil
}
