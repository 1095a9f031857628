package producers

import (
	"log/slog"
	"os"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"example.com/chanx/asynclog"
)

// leveled passes zerolog's levels on, for the reserve and the counts by level.
type leveled struct{ *asynclog.Writer }

// WriteLevel makes it a zerolog.LevelWriter. zerolog counts Info as 1 and one
// for each level, slog as 0 and four.
func (l leveled) WriteLevel(level zerolog.Level, p []byte) (int, error) {
	return l.Writer.WriteLeveled(4*slog.Level(level-zerolog.InfoLevel), p)
}

// zerolog: instead of its diode writer.
func Example_zerolog() {
	w := asynclog.New(os.Stdout, asynclog.Options{Report: asynclog.ReportJSON})
	defer w.Close()

	logger := zerolog.New(leveled{w})
	logger.Info().Str("service", "app").Msg("started")
	// Output: {"level":"info","service":"app","message":"started"}
}

func TestZerolog(t *testing.T) {
	flood(t, func(w *asynclog.Writer) func(string) {
		logger := zerolog.New(w)
		return func(msg string) { logger.Info().Msg(msg) }
	})
}

func TestZerolog_levels(t *testing.T) {
	g := &gate{open: make(chan struct{})}
	w := asynclog.New(g, asynclog.Options{Budget: 64 << 10})
	logger := zerolog.New(leveled{w})
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
