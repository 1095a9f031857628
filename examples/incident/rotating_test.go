package main

import (
	"context"
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newRotating(t *testing.T, f fault) *rotating {
	s := &rotating{disk: newDisk(t, f), labels: context.Background()}
	t.Cleanup(func() { assert.NoError(t, s.rotate()) })
	return s
}

// written returns what the files of d hold, one after the other.
func written(t *testing.T, d *disk) string {
	t.Helper()
	var all strings.Builder
	for n := 1; n <= d.opened; n++ {
		text, err := os.ReadFile(d.path(n))
		require.NoError(t, err)
		all.Write(text)
	}
	return all.String()
}

// TestRotatingUnderLoad rotates beside the writes, and finds each line once, in
// order, in one piece. The rotator is asked to, as one that never rests would
// let nobody open a file on one processor.
func TestRotatingUnderLoad(t *testing.T) {
	s := newRotating(t, full)
	ask := make(chan struct{})
	var rotator sync.WaitGroup
	rotator.Go(func() {
		for range ask {
			assert.NoError(t, s.rotate())
		}
	})
	var want strings.Builder
	for i := range 2000 {
		if i%5 == 0 {
			ask <- struct{}{} // taken when the last rotation is over
		}
		line := fmt.Sprintf("number %d\n", i)
		m, err := s.Write([]byte(line))
		require.NoError(t, err)
		require.Equal(t, len(line), m)
		want.WriteString(line)
	}
	close(ask)
	rotator.Wait()
	got := strings.ReplaceAll(written(t, s.disk), "# a new file\n", "")
	assert.Equal(t, want.String(), got)
	assert.Greater(t, s.disk.opened, 1)
}

// TestRotatingEndsAHang has a write that hangs, for as long as the fault lasts
// and longer, and goes on in a new file when the log is rotated.
func TestRotatingEndsAHang(t *testing.T) {
	s := newRotating(t, stall)
	s.disk.strike()
	type result struct {
		n   int
		err error
	}
	wrote := make(chan result, 1)
	go func() {
		n, err := s.Write([]byte("a line\n"))
		wrote <- result{n, err}
	}()
	eventually(t, "the file is opened", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.file != nil
	})
	s.disk.lift()
	assert.Empty(t, wrote)
	assert.NoError(t, s.rotate())
	assert.Equal(t, result{7, nil}, recv(t, "the write ends", wrote))
	assert.Equal(t, "# a new file\na line\n", written(t, s.disk))
	s.disk.release()
}

// TestRotatingFails has each rotation fail while the disk is full, with the
// error of the first line, and the next one work.
func TestRotatingFails(t *testing.T) {
	s := newRotating(t, full)
	for range 3 {
		s.disk.strike()
		require.NoError(t, s.rotate())
		for range 3 {
			n, err := s.Write([]byte("a line\n"))
			assert.Zero(t, n)
			assert.True(t, full.caused(err), "%v", err)
			assert.Nil(t, s.file, "another one is tried")
		}
		s.disk.lift()
		n, err := s.Write([]byte("a line\n"))
		assert.NoError(t, err)
		assert.Equal(t, 7, n)
	}
	assert.Equal(t, strings.Repeat("# a new file\na line\n", 3),
		written(t, s.disk))
	s.disk.dir += "-missing"
	require.NoError(t, s.rotate())
	_, err := s.Write([]byte("a line\n"))
	assert.ErrorIs(t, err, os.ErrNotExist)
	s.disk.opened = 0
}

// TestRotatingWhileOpening has a rotation between the decision to open a file
// and the file: it may be one that the rotation was to get rid of.
func TestRotatingWhileOpening(t *testing.T) {
	s := newRotating(t, full)
	rotations := s.rotations
	require.NoError(t, s.rotate())
	_, err := s.open(rotations)
	assert.ErrorIs(t, err, os.ErrClosed)
	assert.Nil(t, s.file)
	_, err = s.open(s.rotations)
	assert.NoError(t, err)
	assert.NotNil(t, s.file)
}

// TestRotatingLabels has a goroutine without labels, as a restarted one is,
// found under the label of its server.
func TestRotatingLabels(t *testing.T) {
	s := newRotating(t, stall)
	s.labels = pprof.WithLabels(context.Background(), pprof.Labels(labelKey, "mine"))
	s.disk.strike()
	wrote := make(chan error, 1)
	go func() {
		_, err := s.Write([]byte("a line\n"))
		wrote <- err
	}()
	eventually(t, "the goroutine is labelled", func() bool {
		all, err := profileAll()
		require.NoError(t, err)
		return all["mine"].Now > 0 // the disk's own is under it too
	})
	s.disk.release()
	require.NoError(t, s.rotate())
	// It had got stuck or not; either way the write has ended.
	_ = recv(t, "the write ends", wrote)
}
