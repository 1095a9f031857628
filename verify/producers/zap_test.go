package producers

import (
	"os"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"example.com/chanx/asynclog"
)

// zap: instead of its BufferedWriteSyncer, and without levels; asynczap passes
// these on. A Writer is a zapcore.WriteSyncer.
func Example_zap() {
	w := asynclog.New(os.Stdout, asynclog.Options{})
	defer w.Close()

	encoder := zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "msg"})
	core := zapcore.NewCore(encoder, w, zap.InfoLevel)
	logger := zap.New(core)
	logger.Info("started", zap.String("service", "app"))
	// Output: {"msg":"started","service":"app"}
}

func TestZap(t *testing.T) {
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	flood(t, func(w *asynclog.Writer) func(string) {
		core := zapcore.NewCore(encoder, w, zap.InfoLevel)
		logger := zap.New(core)
		return func(msg string) { logger.Info(msg) }
	})
}
