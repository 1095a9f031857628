package asynczerolog_test

import (
	"os"

	"github.com/rs/zerolog"

	"example.com/chanx/asynclog"
	"example.com/chanx/asynclog/asynczerolog"
)

func Example() {
	w := asynclog.New(os.Stdout, asynclog.Options{Fallback: os.Stderr})
	defer w.Close()

	logger := zerolog.New(asynczerolog.Writer{w})
	logger.Info().Str("service", "app").Msg("started")
	// Output: {"level":"info","service":"app","message":"started"}
}
