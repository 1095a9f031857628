package asynczap

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"

	"example.com/chanx/asynclog"
)

// gate is a sink that hangs until it is opened.
type gate struct {
	open chan struct{}
	mu   sync.Mutex
	buf  bytes.Buffer
}

func opened() *gate {
	g := &gate{open: make(chan struct{})}
	close(g.open)
	return g
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

func encoder() zapcore.Encoder {
	return zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "msg",
		LevelKey: "level", EncodeLevel: zapcore.LowercaseLevelEncoder})
}

func TestLevel(t *testing.T) {
	for l, want := range map[zapcore.Level]slog.Level{
		zap.DebugLevel: slog.LevelDebug, zap.InfoLevel: slog.LevelInfo,
		zap.WarnLevel: slog.LevelWarn, zap.ErrorLevel: slog.LevelError,
		zap.DPanicLevel: 12, zap.PanicLevel: 16, zap.FatalLevel: 20,
	} {
		require.Equal(t, want, Level(l), l.String())
	}
}

func TestCorePassesLevels(t *testing.T) {
	g := &gate{open: make(chan struct{})}
	w := asynclog.New(g, asynclog.Options{Budget: 64 << 10})
	logger := zap.New(NewCore(encoder(), w, zap.InfoLevel)).With(zap.Int("n", 1))
	logger.Debug("disabled")
	for i := range 5000 {
		logger.Info("info")
		if i%1000 == 0 {
			logger.Error("an error")
		}
	}
	s := w.Stats()
	require.NotZero(t, s.DroppedByLevel.Info)
	require.Zero(t, s.DroppedByLevel.Error, "the reserve is for them")
	require.Zero(t, s.DroppedByLevel.Unknown)
	close(g.open)
	require.NoError(t, w.Close())
	require.Equal(t, 5, strings.Count(g.String(), `{"level":"error","msg":"an error","n":1}`))
	require.NotContains(t, g.String(), "disabled")
	require.NotContains(t, g.String(), "debug\"")
}

func TestCoreWithLeavesItsParentAsItWas(t *testing.T) {
	g := opened()
	w := asynclog.New(g, asynclog.Options{})
	parent := zap.New(NewCore(encoder(), w, zap.InfoLevel))
	parent.With(zap.String("k", "v")).Info("child")
	parent.Info("parent")
	require.NoError(t, parent.Sync())
	require.Equal(t, `{"level":"info","msg":"child","k":"v"}`+"\n"+
		`{"level":"info","msg":"parent"}`+"\n", g.String())
	require.Equal(t, zap.InfoLevel, zapcore.LevelOf(parent.Core()))
	require.NoError(t, w.Close())
}

func TestCoreSyncsAboveError(t *testing.T) {
	g := opened()
	w := asynclog.New(g, asynclog.Options{})
	logger := zap.New(NewCore(encoder(), w, zap.InfoLevel),
		zap.WithFatalHook(zapcore.WriteThenPanic))
	require.Panics(t, func() { logger.Panic("at the end") })
	require.Contains(t, g.String(), "at the end")
	require.Panics(t, func() { logger.Fatal("at last") })
	require.Contains(t, g.String(), "at last")
	require.NoError(t, w.Close())
}

func TestCoreSyncLevel(t *testing.T) {
	g := opened()
	w := asynclog.New(g, asynclog.Options{SyncLevel: slog.LevelError})
	logger := zap.New(NewCore(encoder(), w, zap.InfoLevel))
	logger.Error("is written")
	require.Contains(t, g.String(), "is written")
	require.NoError(t, w.Close())
}

func TestCoreReturnsTheErrors(t *testing.T) {
	w := asynclog.New(io.Discard, asynclog.Options{})
	c := NewCore(encoder(), w, zap.InfoLevel)
	require.NoError(t, w.Close())
	require.Error(t, c.Write(zapcore.Entry{}, nil))
	bad := zapcore.NewJSONEncoder(zapcore.EncoderConfig{})
	c = NewCore(brokenEncoder{bad}, w, zap.InfoLevel)
	require.ErrorIs(t, c.Write(zapcore.Entry{}, nil), io.ErrNoProgress)
}

type brokenEncoder struct{ zapcore.Encoder }

func (brokenEncoder) EncodeEntry(zapcore.Entry, []zapcore.Field) (*buffer.Buffer, error) {
	return nil, io.ErrNoProgress
}

func TestNewCoreRefusesNil(t *testing.T) {
	w := asynclog.New(io.Discard, asynclog.Options{})
	require.Panics(t, func() { NewCore(nil, w, zap.InfoLevel) })
	require.Panics(t, func() { NewCore(encoder(), nil, zap.InfoLevel) })
	require.Panics(t, func() { NewCore(encoder(), w, nil) })
	require.NoError(t, w.Close())
}
