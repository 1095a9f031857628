package producers

import (
	"io"
	"log/slog"
	"testing"

	"example.com/chanx/asynclog"
)

// jsonHandler leaves the time out, as it would be different each time.
func jsonHandler(out io.Writer) slog.Handler {
	return slog.NewJSONHandler(out, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})
}

func TestSlog(t *testing.T) {
	flood(t, func(w *asynclog.Writer) func(string) {
		logger := slog.New(asynclog.NewHandler(w, jsonHandler))
		return func(msg string) { logger.Info(msg) }
	})
}
