package asynclog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// open opens the path for appending, as a file that it has to create only if
// there is none.
func (f *File) open() (*os.File, error) {
	file, err := f.openExisting(os.O_WRONLY | os.O_APPEND)
	for range 3 { // another process may create or remove it meanwhile
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
		if file, err = f.create(); !errors.Is(err, fs.ErrExist) {
			break
		}
		file, err = f.openExisting(os.O_WRONLY | os.O_APPEND)
	}
	if err != nil {
		return nil, f.explain(err)
	}
	return file, nil
}

// openExisting does not follow a symbolic link unless there always was one.
func (f *File) openExisting(flag int) (*os.File, error) {
	flag |= openFlags
	if f.link {
		return os.OpenFile(f.path, flag, 0)
	}
	if noFollow == 0 { // the best that can be done
		st, err := os.Lstat(f.path)
		if err == nil && st.Mode()&os.ModeSymlink != 0 {
			return nil, &fs.PathError{Op: "open", Path: f.path, Err: errLink}
		}
	}
	return os.OpenFile(f.path, flag|noFollow, 0)
}

var errLink = errors.New("a symbolic link has taken the place of the file")

// create creates the file, like the one that had the path before.
func (f *File) create() (*os.File, error) {
	if f.opts.DirPerm != 0 {
		if err := os.MkdirAll(filepath.Dir(f.path), f.opts.DirPerm); err != nil {
			return nil, err
		}
	}
	perm := f.opts.Perm
	like := perm == 0 && f.last != nil && f.last.Mode().IsRegular()
	switch {
	case like:
		perm = f.lastPerm()
	case perm == 0:
		perm = 0o644
	}
	flag := os.O_WRONLY | os.O_APPEND | os.O_CREATE | openFlags
	if !f.link { // the target of a link may be missing: that is created
		flag |= os.O_EXCL
	}
	file, err := os.OpenFile(f.path, flag, perm)
	if err == nil && like {
		own(file, f.last) // before the mode, which it may restrict
		_ = file.Chmod(perm)
	}
	return file, err
}

// lastPerm is the mode that the old file had under the path, without the
// permissions removed since. The mode may have changed before the rename,
// unseen, or after it, for the rotated file alone. The owner can always write.
func (f *File) lastPerm() os.FileMode {
	perm := f.last.Mode().Perm()
	if now, err := f.file.Load().Stat(); err == nil {
		perm &= now.Mode().Perm() | 0o200
	}
	return perm
}

// explain adds the cause to an err whose errno hides it.
func (f *File) explain(err error) error {
	if isLoop(err) && !f.link {
		return fmt.Errorf("asynclog: %w (%w)", errLink, err)
	}
	if f.isStandardStream() {
		return fmt.Errorf("asynclog: %w (use os.Stdout or os.Stderr as the sink: "+
			"a socket, or a pipe of another user, cannot be opened again)", err)
	}
	return fmt.Errorf("asynclog: %w", err)
}

// isStandardStream reports whether the path leads to an open descriptor.
func (f *File) isStandardStream() bool {
	for _, dir := range []string{"/dev/std", "/dev/fd/", "/proc/"} {
		if strings.HasPrefix(f.path, dir) {
			return true
		}
	}
	to, err := os.Readlink(f.path) // as in images of containers
	return err == nil && strings.HasPrefix(to, "/dev/std")
}

// endsInsideLine reports whether the last byte of the file is known and not
// "\n". The caller may not have the right to read it.
func (f *File) endsInsideLine() bool {
	if f.last == nil || !f.last.Mode().IsRegular() || f.last.Size() == 0 {
		return false
	}
	file, err := f.openExisting(os.O_RDONLY)
	if err != nil {
		return false
	}
	defer file.Close()
	var b [1]byte
	st, err := file.Stat()
	if err != nil || !os.SameFile(st, f.last) {
		return false
	}
	_, err = file.ReadAt(b[:], f.last.Size()-1)
	return err == nil && b[0] != '\n'
}
