package asynclog

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// FileOptions are the optional arguments of [OpenFile]. The zero value is good.
type FileOptions struct {
	// Perm is the mode of a file that has to be created, before umask.
	// Zero: 0o644.
	Perm os.FileMode
}

// File is a sink that stays with a path, not with a file: what is written goes
// to the end of the file that has that path now. If the file was renamed or
// removed, by logrotate or by accident, the path is opened again; if that does
// not work, because the directory has vanished or the disk is full, Write
// returns the error, and a [Writer] tries again until it does.
//
// It looks before every Write whether the path still leads to its file, which
// takes a microsecond, and a Writer calls it with many records at once. What
// is written between such a look and the removal of the file is lost with it.
//
// A line that was begun in one file is finished there. A copy-and-truncate
// rotation works as well, since the file is opened for appending.
//
// All methods may be called by any number of goroutines. For rotation by size
// or age, use gopkg.in/natefinch/lumberjack.v2 as the sink instead.
type File struct {
	path string
	perm os.FileMode

	mu     sync.Mutex // held during a Write
	broken bool       // the last byte written was not the end of a line

	// Outside of mu, so that Close can end a Write that hangs, and Reopen need
	// not wait for it.
	file   atomic.Pointer[os.File]
	reopen atomic.Bool // before the next Write
	closed atomic.Bool
}

// OpenFile opens the file at path for appending and creates it if necessary,
// but not its directory: if that is missing, or anything else is wrong, it
// returns the error. A FIFO that nobody reads is an error as well, on Unix,
// and does not make it wait.
func OpenFile(path string, opts FileOptions) (*File, error) {
	if opts.Perm == 0 {
		opts.Perm = 0o644
	}
	f := &File{path: path, perm: opts.Perm}
	file, err := f.open()
	if err != nil {
		return nil, err
	}
	f.file.Store(file)
	return f, nil
}

func (f *File) open() (*os.File, error) {
	return os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|openFlags, f.perm)
}

// Write appends p to the file that has the path now. After Close it returns
// an error that wraps os.ErrClosed.
func (f *File) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed.Load() {
		return 0, f.closedError()
	}
	n := 0
	if f.reopen.Load() || f.moved() {
		var err error
		if n, err = f.finishLine(p); err != nil || f.broken {
			return n, err
		}
		if err := f.replace(); err != nil {
			return n, err
		}
	}
	m, err := f.append(p[n:])
	return n + m, err
}

// moved reports whether the path no longer leads to the open file. An error
// other than that of a missing file does not tell; then the file is good.
func (f *File) moved() bool {
	there, err := os.Stat(f.path)
	if err != nil {
		return os.IsNotExist(err)
	}
	here, err := f.file.Load().Stat()
	return err != nil || !os.SameFile(here, there)
}

// finishLine appends to the old file what belongs to a line begun there.
func (f *File) finishLine(p []byte) (int, error) {
	if !f.broken {
		return 0, nil
	}
	end := bytes.IndexByte(p, '\n') + 1
	if end == 0 {
		end = len(p)
	}
	return f.append(p[:end])
}

func (f *File) append(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := f.file.Load().Write(p)
	if n > 0 {
		f.broken = p[n-1] != '\n'
	}
	return n, err
}

// replace opens the path anew, between two lines. If that fails the old file is
// kept, but the next Write tries again.
func (f *File) replace() error {
	f.reopen.Store(false) // first: a Reopen from now on is another one
	file, err := f.open()
	if err != nil {
		f.reopen.Store(true)
		return err
	}
	old := f.file.Swap(file)
	// A failed close may mean that the file system could not keep its word
	// about earlier writes; nothing can be done about them here.
	_ = old.Close()
	if f.closed.Load() { // Close may have come before the Swap
		_ = file.Close()
		return f.closedError()
	}
	return nil
}

// Reopen opens the path again, whether or not the file has moved; for SIGHUP,
// and for what logrotate calls postrotate. An error means that it will be tried
// again at the next Write, which returns the error if it fails again.
//
// It never waits for a Write, which may hang. If one is under way, Reopen
// returns nil, and the next Write opens the path before it writes. So it is
// when a line is broken off because the disk is full: the next Write finishes
// it before it turns to the new file.
func (f *File) Reopen() error {
	if f.closed.Load() {
		return f.closedError()
	}
	f.reopen.Store(true)
	if !f.mu.TryLock() {
		return nil
	}
	defer f.mu.Unlock()
	if f.broken {
		return nil
	}
	return f.replace()
}

// Close closes the file. It does not wait for a Write: one that hangs in a
// pipe or a terminal is ended by it. Further calls return an error that wraps
// os.ErrClosed.
func (f *File) Close() error {
	if f.closed.Swap(true) {
		return f.closedError()
	}
	return f.file.Load().Close()
}

func (f *File) closedError() error {
	return fmt.Errorf("asynclog: %s: %w", f.path, os.ErrClosed)
}
