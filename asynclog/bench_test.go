package asynclog

import (
	"bufio"
	"bytes"
	"io"
	"sync"
	"testing"
)

func line190() []byte {
	return append(bytes.Repeat([]byte("x"), 189), '\n')
}

// hung is a sink that takes nothing until it is let go.
type hung chan struct{}

func (h hung) Write(p []byte) (int, error) {
	<-h
	return len(p), nil
}

func BenchmarkWriteStalled(b *testing.B) {
	h := make(hung)
	w := New(h, Options{})
	line := line190()
	for range 40000 { // until it is full
		w.Write(line)
	}
	b.ReportAllocs()
	for b.Loop() {
		w.Write(line)
	}
	close(h)
	w.Close()
}

// BenchmarkFlood compares with the plain solution on the same sink.
func BenchmarkFlood(b *testing.B) {
	line := line190()
	flood := func(b *testing.B, w io.Writer) {
		b.SetParallelism(16)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				_, _ = w.Write(line)
			}
		})
	}
	for full := DropOldest; full <= Wait; full++ {
		b.Run([]string{"DropOldest", "DropNewest", "Wait"}[full], func(b *testing.B) {
			w := New(io.Discard, Options{Full: full})
			flood(b, w)
			_ = w.Close()
		})
	}
	b.Run("mutex", func(b *testing.B) {
		flood(b, &guarded{b: bufio.NewWriterSize(io.Discard, 256<<10)})
	})
}

type guarded struct {
	mu sync.Mutex
	b  *bufio.Writer
}

func (g *guarded) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.Write(p)
}
