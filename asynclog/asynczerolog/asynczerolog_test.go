package asynczerolog

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"example.com/chanx/asynclog"
)

// gate is a sink that hangs until it is opened.
type gate struct {
	open chan struct{}
	mu   sync.Mutex
	buf  bytes.Buffer
}

func (g *gate) Write(p []byte) (int, error) {
	<-g.open
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.buf.Write(p)
}

func (g *gate) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.buf.String()
}

func TestLevel(t *testing.T) {
	for l, want := range map[zerolog.Level]slog.Level{
		zerolog.TraceLevel: -8, zerolog.DebugLevel: slog.LevelDebug,
		zerolog.InfoLevel: slog.LevelInfo, zerolog.WarnLevel: slog.LevelWarn,
		zerolog.ErrorLevel: slog.LevelError, zerolog.FatalLevel: 12,
		zerolog.PanicLevel: 16,
	} {
		require.Equal(t, want, Level(l), l.String())
	}
}

func TestWriterPassesLevels(t *testing.T) {
	g := &gate{open: make(chan struct{})}
	w := asynclog.New(g, asynclog.Options{Budget: 64 << 10})
	logger := zerolog.New(Writer{w}).With().Int("n", 1).Logger()
	for i := range 5000 {
		logger.Info().Msg("info")
		if i%1000 == 0 {
			logger.Error().Msg("an error")
		}
	}
	s := w.Stats()
	require.NotZero(t, s.DroppedByLevel.Info)
	require.Zero(t, s.DroppedByLevel.Error, "the reserve is for them")
	require.Zero(t, s.DroppedByLevel.Unknown)
	for range 5000 {
		logger.Log().Msg("no level")
	}
	require.NotZero(t, w.Stats().DroppedByLevel.Unknown)
	close(g.open)
	require.NoError(t, w.Close())
	require.Equal(t, 5, strings.Count(g.String(),
		`{"level":"error","n":1,"message":"an error"}`))
}

func TestWriterSyncLevel(t *testing.T) {
	g := &gate{open: make(chan struct{})}
	close(g.open)
	w := asynclog.New(g, asynclog.Options{SyncLevel: slog.LevelError})
	logger := zerolog.New(Writer{w})
	logger.Error().Msg("is written")
	require.Contains(t, g.String(), "is written")
	require.Panics(t, func() { logger.Panic().Msg("panic") })
	require.Contains(t, g.String(), `"panic"}`)
	require.NoError(t, w.Close())
}

// zerolog closes the writer before it exits.
func TestWriterFatal(t *testing.T) {
	g := &gate{open: make(chan struct{})}
	close(g.open)
	w := asynclog.New(g, asynclog.Options{})
	exited := false
	zerolog.FatalExitFunc = func() {
		exited = true
		require.Contains(t, g.String(), `"the last"}`)
	}
	defer func() { zerolog.FatalExitFunc = nil }()
	logger := zerolog.New(Writer{w})
	logger.Fatal().Msg("the last")
	require.True(t, exited)
	_, err := io.WriteString(w, "x")
	require.Error(t, err, "it is closed")
}
