// Package producers checks that the loggers people use can write to an
// asynclog.Writer as they are, and that the Writer can write to the rotating
// file people use as it is. Each logger has an example of how to set it up, and
// is then put through a flood into a sink that hangs.
package producers

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx/asynclog"
)

// gate is a sink that hangs until it is opened.
type gate struct {
	open chan struct{}
	buf  bytes.Buffer
}

func (g *gate) Write(p []byte) (int, error) {
	<-g.open
	return g.buf.Write(p)
}

// flood logs n messages from each of four goroutines while the sink hangs,
// opens it, and checks that every message is in the stream or in a report.
// setUp returns what logs a message to w.
func flood(t *testing.T, setUp func(w *asynclog.Writer) (log func(msg string))) {
	t.Helper()
	const producers, each = 4, 5000
	g := &gate{open: make(chan struct{})}
	w := asynclog.New(g, asynclog.Options{Budget: 256 << 10, CloseTimeout: time.Minute})
	log := setUp(w)
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := range each {
				log(message(p*each + i))
			}
		})
	}
	wg.Wait()
	require.NotZero(t, w.Stats().Dropped.Records)
	close(g.open)
	require.NoError(t, w.Close())

	s := w.Stats()
	require.EqualValues(t, producers*each, s.Accepted.Records, "one Write is one record")
	require.Equal(t, s.Accepted.Records, s.Written.Records+s.Dropped.Records)
	seen := map[string]bool{}
	reports := 0
	for line := range strings.Lines(g.buf.String()) {
		require.True(t, strings.HasSuffix(line, "\n"))
		if strings.Contains(line, "log records lost") {
			reports++
			continue
		}
		_, number, ok := strings.Cut(line, "number-")
		require.True(t, ok, "not a whole line: %q", line)
		number = number[:5]
		require.False(t, seen[number], "twice: %q", line)
		seen[number] = true
	}
	require.EqualValues(t, s.Written.Records, len(seen))
	require.NotZero(t, reports)
}

func message(i int) string { return fmt.Sprintf("number-%05d", i) }
