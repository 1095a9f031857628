package asynclog

import (
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func jsonHandler(out io.Writer) slog.Handler {
	return slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})
}

func textHandler(out io.Writer) slog.Handler {
	return slog.NewTextHandler(out, nil)
}

func TestHandler_conforms_to_slogtest(t *testing.T) {
	var s *tape
	var w *Writer
	slogtest.Run(t, func(t *testing.T) slog.Handler {
		s = &tape{}
		w = New(s, Options{})
		t.Cleanup(func() { w.Close() })
		return NewHandler(w, jsonHandler)
	}, func(t *testing.T) map[string]any {
		require.NoError(t, w.Flush(t.Context()))
		var m map[string]any
		require.NoError(t, json.Unmarshal([]byte(s.String()), &m))
		return m
	})
}

func TestHandler_uses_the_level(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		s := &tape{do: func(_ int, p []byte) (int, error) { return h.Write(p) }}
		w := New(s, Options{Budget: 8192})
		log := slog.New(NewHandler(w, jsonHandler)).With("service", "x").WithGroup("g")
		log.Info("first")
		synctest.Wait()
		for range 100 {
			log.Debug("d")
			log.Info("i")
			log.Warn("w")
		}
		log.Error("e")
		log.Log(t.Context(), slog.LevelError+2, "worse")
		for range 100 {
			log.Info("i", "k", "v")
		}
		st := w.Stats()
		lawful(t, st)
		require.Zero(t, st.DroppedByLevel.Error)
		require.Zero(t, st.DroppedByLevel.Unknown)
		require.EqualValues(t, 100, st.DroppedByLevel.Debug)
		require.EqualValues(t, 100, st.DroppedByLevel.Warn)
		close(h)
		require.NoError(t, w.Close())
		out := s.String()
		require.Contains(t, out, `"msg":"e","service":"x"}`)
		require.Contains(t, out, `"msg":"worse"`)
		require.Contains(t, out, `"g":{"k":"v"}`)
		require.Contains(t, out, `"levels":{"debug":100,`)
		for line := range strings.Lines(out) { // the report, too
			require.True(t, json.Valid([]byte(line)), line)
		}
	})
}

func TestHandler_every_level_goes_to_the_right_lane(t *testing.T) {
	for reserve := slog.Level(-12); reserve <= 14; reserve++ {
		w := New(io.Discard, Options{ReserveLevel: reserve, Budget: 4096})
		h := NewHandler(w, jsonHandler)
		lanes := make(map[int]bool)
		for l := slog.Level(-20); l <= 20; l++ {
			lanes[h.lane(l)] = true
			inner := h.inner[h.lane(l)]
			require.NotNil(t, inner, "level %d, reserve %d", l, reserve)
			require.Equal(t, l >= slog.LevelDebug, h.Enabled(t.Context(), l))
			require.Equal(t, classOf(l), class(h.lane(l)/2))
			require.Equal(t, l >= reserve, h.lane(l)%2 == 1)
		}
		made := 0
		for _, inner := range h.inner {
			if inner != nil {
				made++
			}
		}
		require.Len(t, lanes, made)
		require.LessOrEqual(t, made, 5)
		require.NoError(t, w.Close())
	}
}

func TestHandler_reports_look_like_the_records(t *testing.T) {
	for name, c := range map[string]struct {
		newHandler func(io.Writer) slog.Handler
		want       string
	}{
		"json": {jsonHandler, `"level":"WARN","msg":"log records lost","records":`},
		"text": {textHandler, `level=WARN msg="log records lost" records=`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := make(hung)
				s := &tape{do: func(_ int, p []byte) (int, error) { return h.Write(p) }}
				w := New(s, Options{Budget: 4096})
				log := slog.New(NewHandler(w, c.newHandler))
				for range 200 {
					log.Info("hello")
				}
				close(h)
				require.NoError(t, w.Close())
				require.Contains(t, s.String(), c.want)
			})
		})
	}
}

func TestNewHandler_panics_at_the_door(t *testing.T) {
	w := New(io.Discard, Options{})
	defer w.Close()
	nothing := "asynclog: nil Writer or constructor of a handler"
	require.PanicsWithValue(t, nothing, func() { NewHandler(nil, jsonHandler) })
	require.PanicsWithValue(t, nothing, func() { NewHandler(w, nil) })
	require.PanicsWithValue(t, "asynclog: the constructor returned a nil handler", func() {
		NewHandler(w, func(io.Writer) slog.Handler { return nil })
	})
}

func TestHandler_after_close(t *testing.T) {
	w := New(io.Discard, Options{})
	h := NewHandler(w, jsonHandler)
	require.NoError(t, w.Close())
	require.Error(t, h.Handle(t.Context(), slog.Record{}))
}
