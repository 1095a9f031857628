package producers

import (
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"example.com/chanx/asynclog"
)

// As documented at Unbatched, zerolog.ConsoleWriter as the sink shows only the
// first record of a call.
func TestConsoleWriterNeedsUnbatched(t *testing.T) {
	shown := func(unbatched bool) int {
		var out strings.Builder
		g := &held{to: zerolog.ConsoleWriter{Out: &out, NoColor: true}}
		g.mu.Lock()
		w := asynclog.New(g, asynclog.Options{Unbatched: unbatched})
		logger := zerolog.New(w)
		for i := range 500 {
			logger.Info().Msg(message(i))
		}
		g.mu.Unlock()
		require.NoError(t, w.Close())
		return strings.Count(out.String(), "number-")
	}
	require.Equal(t, 500, shown(true))
	require.Less(t, shown(false), 5)
}

// held is a sink that waits while its lock is held.
type held struct {
	mu sync.Mutex
	to zerolog.ConsoleWriter
}

func (h *held) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.to.Write(p)
}
