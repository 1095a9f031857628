package asynclog

import (
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
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

func TestHandlerConformsToSlogtest(t *testing.T) {
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

func TestHandlerUsesTheLevel(t *testing.T) {
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

func TestHandlerEveryLevelGoesToTheRightLane(t *testing.T) {
	for reserve := slog.Level(-12); reserve <= 14; reserve++ {
		for sync := slog.Level(-12); sync <= 16; sync += 2 {
			opts := Options{ReserveLevel: reserve, Budget: 4096}
			if sync <= 14 {
				opts.SyncLevel = sync
			}
			w := New(io.Discard, opts)
			h := NewHandler(w, func(out io.Writer) slog.Handler {
				return &keptWriter{jsonHandler(out), out.(*leveled)}
			})
			lanes := make(map[*leveled]bool)
			for l := slog.Level(-20); l <= 20; l++ {
				require.Equal(t, l >= slog.LevelDebug, h.Enabled(t.Context(), l))
				to := h.lane(l).(*keptWriter).out
				lanes[to] = true
				require.Equal(t, severity{
					class:  classOf(l),
					urgent: map[bool]mark{true: urgent}[l >= reserve],
					sync:   sync <= 14 && l >= sync,
				}, to.severity, "level %d, reserve %d, sync %d", l, reserve, sync)
			}
			require.Len(t, lanes, len(h.lanes), "none is made in vain")
			require.LessOrEqual(t, len(h.lanes), 6)
			require.NoError(t, w.Close())
		}
	}
}

// keptWriter is a handler that shows the writer it was made with.
type keptWriter struct {
	slog.Handler
	out *leveled
}

// counted is a LogValuer that resolves to another value each time.
type counted struct{ n *atomic.Int64 }

func (c counted) LogValue() slog.Value { return slog.Int64Value(c.n.Add(1)) }

// grouped is one that resolves to a group with another in it.
type grouped struct{ c counted }

func (g grouped) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("in", g.c), slog.Any("b", g.c))
}

func TestHandlerWithAttrsResolvesALogValuerOnce(t *testing.T) {
	s := &tape{}
	w := New(s, Options{SyncLevel: slog.LevelWarn + 1})
	var n atomic.Int64
	c := counted{&n}
	log := slog.New(NewHandler(w, jsonHandler)).With("a", c,
		slog.Group("g", "b", c, slog.Group("h", "c", c))).WithGroup("z").
		With("d", grouped{c})
	require.EqualValues(t, 5, n.Load())
	for _, l := range []slog.Level{-4, 0, 4, 5, 8, 12} {
		log.Log(t.Context(), l, "m")
	}
	require.NoError(t, w.Close())
	require.EqualValues(t, 5, n.Load())
	const want = `"a":1,"g":{"b":2,"h":{"c":3}},"z":{"d":{"in":4,"b":5}}}`
	require.Equal(t, 6, countOf(s.String(), want), s.String())
}

func TestHandlerWithAttrsDoesNotChangeTheCallersAttributes(t *testing.T) {
	w := New(io.Discard, Options{})
	var n atomic.Int64
	in := []slog.Attr{slog.Any("k", counted{&n})}
	group := []slog.Attr{slog.Attr{Key: "g", Value: slog.GroupValue(in...)}}
	NewHandler(w, jsonHandler).WithAttrs(group)
	require.Equal(t, slog.KindLogValuer, in[0].Value.Kind())
	require.Equal(t, slog.KindLogValuer, group[0].Value.Group()[0].Value.Kind())
	require.NoError(t, w.Close())
}

func TestHandlerWithNothingIsTheSame(t *testing.T) {
	w := New(io.Discard, Options{})
	h := NewHandler(w, jsonHandler)
	require.Same(t, h, h.WithAttrs(nil))
	require.Same(t, h, h.WithGroup(""))
	require.NoError(t, w.Close())
}

func TestHandlerReportsLookLikeTheRecords(t *testing.T) {
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

func TestNewHandlerPanicsAtTheDoor(t *testing.T) {
	w := New(io.Discard, Options{})
	defer w.Close()
	nothing := "asynclog: nil Writer or constructor of a handler"
	require.PanicsWithValue(t, nothing, func() { NewHandler(nil, jsonHandler) })
	require.PanicsWithValue(t, nothing, func() { NewHandler(w, nil) })
	require.PanicsWithValue(t, "asynclog: the constructor returned a nil handler", func() {
		NewHandler(w, func(io.Writer) slog.Handler { return nil })
	})
}

func TestHandlerAfterClose(t *testing.T) {
	w := New(io.Discard, Options{})
	h := NewHandler(w, jsonHandler)
	require.NoError(t, w.Close())
	require.Error(t, h.Handle(t.Context(), slog.Record{}))
}
