package asynclog

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fileRun drives a File through random renames, reopenings and full disks, as
// a Writer does it: the bytes that an error has left are written again.
type fileRun struct {
	t       *testing.T
	rng     *rand.Rand
	f       *File
	path    string
	end     string // of a record
	pending []byte
	next    int // number of a record
	failed  int // in a row
	old     []string
}

func (r *fileRun) step() {
	switch op := r.rng.IntN(20); {
	case op == 0:
		to := fmt.Sprint(r.path, ".", len(r.old))
		if os.Rename(r.path, to) == nil {
			r.old = append(r.old, to)
		}
	case op == 1:
		_ = r.f.Reopen() // for lack of room, perhaps
	case op == 2:
		r.fill()
	case op == 3 || r.failed > maxFinishes/2:
		require.NoError(r.t, os.RemoveAll(r.ballast()))
	default:
		r.write()
	}
}

func (r *fileRun) ballast() string {
	return filepath.Join(filepath.Dir(r.path), "ballast")
}

// fill leaves the disk with less than a page.
func (r *fileRun) fill() {
	f, err := os.Create(r.ballast())
	require.NoError(r.t, err)
	for err == nil {
		_, err = f.Write(make([]byte, 1000))
	}
	require.NoError(r.t, f.Close())
}

func (r *fileRun) write() {
	for range r.rng.IntN(10) {
		r.pending = fmt.Appendf(r.pending, "record %d %s%s", r.next,
			strings.Repeat("x", r.rng.IntN(200)), r.end)
		r.next++
	}
	n, err := r.f.Write(r.pending)
	r.pending = r.pending[n:]
	if r.failed++; err == nil {
		require.Empty(r.t, r.pending)
		r.failed = 0
	}
}

// check reads all the files, oldest first: each has whole records, and they
// are all there, in order.
func (r *fileRun) check() {
	require.NoError(r.t, os.RemoveAll(r.ballast()))
	for range 3 {
		r.write()
	}
	require.NoError(r.t, r.f.Close())
	next := 0
	for _, path := range append(r.old, r.path) {
		b, err := os.ReadFile(path)
		require.NoError(r.t, err)
		for len(b) > 0 {
			record, rest, found := bytes.Cut(b, []byte(r.end))
			require.True(r.t, found, "%s ends in %q", path, record)
			var n int
			_, err := fmt.Sscanf(string(record), "record %d", &n)
			require.NoError(r.t, err, "%s: %q", path, record)
			require.Equal(r.t, next, n)
			next++
			b = rest
		}
	}
	require.Equal(r.t, r.next, next)
}

func TestFileRandomRotationsAndFullDisks(t *testing.T) {
	for name, end := range map[string]string{"lines": "\n", "NUL": "\x00"} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(30) {
				f, path := openFileIn(t, smallDisk(t))
				r := &fileRun{t: t, f: f, path: path, end: end,
					rng: rand.New(rand.NewPCG(seed, 1))}
				for range 300 {
					r.step()
				}
				r.check()
			}
		})
	}
}
