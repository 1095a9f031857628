package asynczap_test

import (
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"example.com/chanx/asynclog"
	"example.com/chanx/asynclog/asynczap"
)

func Example() {
	w := asynclog.New(os.Stdout, asynclog.Options{Fallback: os.Stderr})
	defer w.Close()

	enc := zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "msg"})
	logger := zap.New(asynczap.NewCore(enc, w, zap.InfoLevel))
	logger.Info("started", zap.String("service", "app"))
	// Output: {"msg":"started","service":"app"}
}
