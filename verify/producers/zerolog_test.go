package producers

import (
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"example.com/chanx/asynclog"
	"example.com/chanx/asynclog/asynczerolog"
)

func TestZerolog(t *testing.T) {
	flood(t, func(w *asynclog.Writer) func(string) {
		logger := zerolog.New(w)
		return func(msg string) { logger.Info().Msg(msg) }
	})
}

func TestZerologLevels(t *testing.T) {
	g := &gate{open: make(chan struct{})}
	w := asynclog.New(g, asynclog.Options{Budget: 64 << 10})
	logger := zerolog.New(asynczerolog.Writer{Writer: w})
	for i := range 5000 {
		logger.Info().Msg(message(i))
		if i%1000 == 0 {
			logger.Error().Msg("an error")
		}
	}
	s := w.Stats()
	require.NotZero(t, s.DroppedByLevel.Info)
	require.Zero(t, s.DroppedByLevel.Error)
	require.Zero(t, s.DroppedByLevel.Unknown)
	close(g.open)
	require.NoError(t, w.Close())
}
