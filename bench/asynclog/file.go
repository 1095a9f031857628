package asynclog

import (
	"io"
	"os"
	"path/filepath"
)

// fileSize is where a file starts over, or is rotated: memory is finite.
const fileSize = 128 << 20

// file is a sink that counts the bytes it takes.
type file struct {
	*os.File
	written, at int64
}

func (f *file) Write(p []byte) (int, error) {
	if f.at += int64(len(p)); f.at > fileSize {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
		f.at = 0
	}
	n, err := f.File.Write(p)
	f.written += int64(n)
	return n, err
}

// inMemory makes a directory for files, where the system has one in memory, so
// that the disk is not what is measured.
func inMemory() (string, error) {
	dir, err := os.MkdirTemp("/dev/shm", "chanx-bench")
	if err != nil {
		return os.MkdirTemp("", "chanx-bench")
	}
	return dir, nil
}

// openFile returns a sink in dir, and its file. The path is for a writer that
// opens one itself.
func openFile(dir string) (sink, *file, error) {
	f, err := os.Create(filepath.Join(dir, "sink"))
	if err != nil {
		return sink{}, nil, err
	}
	counting := &file{File: f}
	return sink{counting, filepath.Join(dir, "rotated")}, counting, nil
}
