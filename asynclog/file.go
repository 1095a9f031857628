package asynclog

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// FileOptions are the optional arguments of [OpenFile]. The zero value uses the
// defaults.
type FileOptions struct {
	// Perm is the mode of a file that has to be created, before umask. Zero means
	// 0o644 in OpenFile, and later the mode of the file that had the path before,
	// regardless of umask but without permissions removed since, with its owner
	// and group as far as the system allows the process to set them.
	Perm os.FileMode

	// DirPerm is the mode of directories of the path that are missing and have
	// to be created, in OpenFile and later, before umask. Zero means that a
	// missing directory is an error.
	DirPerm os.FileMode
}

// File is a sink that stays with a path rather than with a file: it writes to
// the end of the file that has the path now. When the file was renamed or
// removed, by logrotate or by accident, File opens the path again and creates
// the file if necessary.
//
// If that fails, because a directory has the path or the permission is missing,
// Write appends to the old file as long as that has a name, and returns the
// error as well, so that Stats.SinkErrors counts it. If the old file was
// removed, Write takes nothing and returns the error; a [Writer] keeps the
// records and tries again. After an error of a write, too, the next Write opens
// the path: a network file system may have made the descriptor unusable.
//
// Each Write first compares the path with the open file, which takes about a
// microsecond; a Writer passes many records in one Write. Records written
// between this comparison and the removal of the file are lost with it.
//
// A Write is one or more whole records. If a full disk cuts a record, the rest
// of it goes to the same file even when the path has moved on, in up to 16
// attempts; if the file was removed, the rest is dropped, as its beginning is
// gone. A line of text written in several calls is kept together likewise, up
// to 64 KiB. If the file ends in an incomplete line when OpenFile opens it, as
// after a crash, the first record is preceded by "\n", provided that it is a
// line of text.
//
// With logrotate, nocreate fits best, as File creates the file: with create,
// logrotate renames a file that File was faster to create to one that ends in
// ".backup". Copy-and-truncate rotation works, since the file is opened for
// appending; lines written between the copy and the truncation are lost.
//
// Opening the path again does not follow a symbolic link that has taken the
// place of the file: a user with the right to write to the directory could
// otherwise direct the records of a process with more rights to any file
// (CVE-2016-1247). A path that was a symbolic link in OpenFile is followed
// wherever it leads. Only Unix refuses the link without a race.
//
// All methods may be called by any number of goroutines. Two Writers with the
// same File, or two Files with the same path, mix whole batches of records; but
// the rest of a record cut by a full disk may then follow a record of the
// other, so prefer one Writer. For rotation by size or age, use a rotating
// writer as the sink instead, see the package documentation.
type File struct {
	path string // absolute: the working directory may change
	opts FileOptions
	link bool // the path was a symbolic link in OpenFile

	mu   sync.Mutex // held during a Write
	cut  cut
	last fs.FileInfo // of the file, the last time that the path led to it

	// Held while the path is opened, so that no file is created once Close
	// has returned. A channel, as Close waits with a bound.
	opening chan struct{}

	// Outside of mu, so that Close can end a Write that hangs, and Reopen does
	// not have to wait for it.
	file   atomic.Pointer[os.File]
	reopen atomic.Bool // before the next Write
	closed atomic.Bool
}

// OpenFile opens the file at path for appending and creates it if necessary. A
// relative path is made absolute, so that a later change of the working
// directory has no effect. Anything that cannot be opened for writing is an
// error: a directory, a socket, and, on Unix, a FIFO without a reader, for
// which OpenFile does not wait. /dev/stdout is a socket in many services run by
// systemd: use os.Stdout as the sink instead.
func OpenFile(path string, opts FileOptions) (*File, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("asynclog: %w", err)
	}
	f := &File{path: path, opts: opts, opening: make(chan struct{}, 1)}
	st, err := os.Lstat(path)
	f.link = err == nil && st.Mode()&os.ModeSymlink != 0
	if err := f.replace(); err != nil {
		return nil, err
	}
	return f, nil
}

// Write appends p to the file that has the path now. After Close it returns
// an error that wraps os.ErrClosed. See [File] for what happens if the path
// cannot be opened; then Write may return both len(p) and an error.
func (f *File) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed.Load() {
		return 0, f.closedError()
	}
	f.cut.learn(p)
	n := f.cut.dropLost(p)
	moved := f.moved()
	if moved {
		m, err := f.finish(p[n:])
		n += m
		if err != nil || f.cut.waits() {
			return n, err
		}
	}
	var stuck error
	if moved || f.reopen.Load() {
		if stuck = f.replace(); stuck != nil && !f.named() {
			return n, stuck
		}
	}
	m, err := f.append(p[n:])
	if err == nil {
		err = stuck
	}
	return n + m, err
}

// moved reports whether the path does not lead to the open file, or cannot be
// seen to. An error may be temporary; opening the path tells.
func (f *File) moved() bool {
	stat := os.Lstat
	if f.link {
		stat = os.Stat
	}
	there, err := stat(f.path)
	if err != nil {
		return true
	}
	here, err := f.file.Load().Stat()
	if err != nil || !os.SameFile(here, there) {
		return true
	}
	f.last = here
	return false
}

// named reports whether the open file has a name in any directory.
func (f *File) named() bool {
	st, err := f.file.Load().Stat()
	return err == nil && links(st) > 0
}

// finish appends the rest of a cut record to the old file, or drops it if that
// file was removed. It returns how much of p that was. The number of attempts
// is limited, as the new file may be on a disk with more room.
func (f *File) finish(p []byte) (int, error) {
	n := f.cut.rest(p)
	if n == 0 {
		return 0, nil
	}
	if !f.named() {
		return f.cut.drop(p[:n]), nil
	}
	m, err := f.file.Load().Write(p[:n])
	f.cut.finished(p[:n], m)
	if f.cut.giveUp() {
		return m, nil
	}
	return m, err
}

func (f *File) append(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	file := f.file.Load()
	// The second look is for a line that another process was just writing.
	if f.cut.needsNewline() && f.endsInsideLine() {
		if _, err := file.Write([]byte("\n")); err != nil {
			return 0, err
		}
	}
	f.cut.after = false
	n, err := file.Write(p)
	f.cut.wrote(p, n)
	if err != nil { // the descriptor may be unusable, but the path well
		f.reopen.Store(true)
	}
	return n, err
}

// replace opens the path. If that fails the old file is kept, and the next
// Write tries again. It is also kept if a record in it is still to be finished.
func (f *File) replace() error {
	f.reopen.Store(false) // first: a Reopen from now on is another one
	f.opening <- struct{}{}
	defer func() { <-f.opening }()
	if f.closed.Load() {
		return f.closedError()
	}
	file, err := f.open()
	if err != nil {
		f.reopen.Store(true)
		return err
	}
	if f.closed.Load() { // Close did not wait
		_ = file.Close()
		return f.closedError()
	}
	if !f.opened(file) {
		f.reopen.Store(true)
		return file.Close()
	}
	if old := f.file.Swap(file); old != nil {
		// A failed close may mean that the file system could not keep its
		// word about earlier writes; nothing can be done about them here.
		_ = old.Close()
	}
	return nil
}

// opened notes which file was opened, and reports whether it is to be used. It
// may be the one that was open before.
func (f *File) opened(file *os.File) bool {
	st, err := file.Stat()
	if err == nil && f.last != nil && os.SameFile(st, f.last) {
		return true
	}
	if f.cut.waits() && !f.cut.lost {
		return false
	}
	f.last = st // nil after an error
	f.cut.begin(f.file.Load() == nil && f.endsInsideLine())
	return true
}

// Reopen opens the path again, whether or not the file has moved; for SIGHUP,
// and for the postrotate script of logrotate. After an error the old file is
// kept, and each Write tries again.
//
// It never waits for a Write, which may hang. If one is in progress, Reopen
// returns nil, and the next Write opens the path before it writes. If a full
// disk has cut a record, Reopen returns nil as well, and the next Write
// finishes the record before it turns to another file. If the file was removed
// there is nothing to be finished, and Reopen gives its space back.
func (f *File) Reopen() error {
	if f.closed.Load() {
		return f.closedError()
	}
	f.reopen.Store(true)
	if !f.mu.TryLock() {
		return nil
	}
	defer f.mu.Unlock()
	f.cut.lost = f.cut.waits() && !f.named()
	return f.replace()
}

// Sync commits the file to stable storage, as [os.File.Sync] does;
// [Writer.Flush] calls it. It does not wait for a Write. A FIFO or a device is
// not synced. The file that had the path before is not synced either.
func (f *File) Sync() error {
	for {
		file := f.file.Load()
		if f.closed.Load() {
			return f.closedError()
		}
		if !syncable(file) {
			return nil
		}
		err := file.Sync()
		if err == nil || f.file.Load() == file {
			return err
		} // it was replaced and closed meanwhile
	}
}

// Close closes the file. It does not wait for a Write: one that hangs in a
// pipe or a terminal is ended by it. Only while the path is being opened it
// waits for that, for up to a second, so that the file is not created again
// after Close. Further calls return an error that wraps os.ErrClosed.
func (f *File) Close() error {
	if f.closed.Swap(true) {
		return f.closedError()
	}
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case f.opening <- struct{}{}:
		defer func() { <-f.opening }()
	case <-timer.C: // a network file system hangs
	}
	return f.file.Load().Close()
}

func (f *File) closedError() error {
	return fmt.Errorf("asynclog: %s: %w", f.path, os.ErrClosed)
}
