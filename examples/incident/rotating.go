package main

import (
	"context"
	"errors"
	"os"
	"runtime/pprof"
	"sync"
)

// rotating is the sink of after's log: the newest file of a disk. It opens a
// file when there is something to write into it, so that a rotation that fails
// is a call that fails: kept, and repeated, by the [asynclog.Writer]. It has no
// goroutine of its own that could end.
type rotating struct {
	disk   *disk
	labels context.Context // for the profile

	mu        sync.Mutex // not held while the disk is busy
	file      *logFile   // nil: the next Write opens one
	rotations int
}

// Write is called by one goroutine at a time. If the file is closed under it,
// by a rotation, it goes on to the next one: that is no error.
func (s *rotating) Write(p []byte) (int, error) {
	// A restarted worker is started by a timer, whose goroutines have none.
	pprof.SetGoroutineLabels(s.labels)
	for {
		n, err := s.append(p)
		if n > 0 || !errors.Is(err, os.ErrClosed) {
			return n, err
		}
	}
}

func (s *rotating) append(p []byte) (int, error) {
	s.mu.Lock()
	file, rotations := s.file, s.rotations
	s.mu.Unlock()
	if file == nil {
		var err error
		if file, err = s.open(rotations); err != nil {
			return 0, err
		}
	}
	return file.Write(p)
}

// open has the file in its place before the first line is written, or else
// nobody could end a write that hangs there. A file that did not take that
// line is of no use.
func (s *rotating) open(rotations int) (*logFile, error) {
	file, err := s.disk.create()
	if err != nil {
		return nil, err
	}
	if !s.install(file, rotations) {
		return nil, errors.Join(os.ErrClosed, file.Close())
	}
	if err := file.begin(); err != nil {
		_ = s.rotate() // it is err that tells
		return nil, err
	}
	return file, nil
}

// install makes file the one to write to, unless there was a rotation since it
// was decided to open it: the file may be from before the rotation then.
func (s *rotating) install(file *logFile, rotations int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rotations != rotations {
		return false
	}
	s.file = file
	return true
}

// rotate closes the file, and so ends a write to it that hangs. Where closing
// does not do that, because the system itself holds the write, the log goes on
// when the system lets go; nobody waits for it but its worker. A write that is
// well is finished first: no line is torn.
func (s *rotating) rotate() error {
	s.mu.Lock()
	file := s.file
	s.file = nil
	s.rotations++
	s.mu.Unlock()
	if file == nil {
		return nil
	}
	return file.Close()
}
