package producers

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/rs/zerolog"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"k8s.io/klog/v2"

	"example.com/chanx/asynclog"
	"example.com/chanx/asynclog/asynczap"
	"example.com/chanx/asynclog/asynczerolog"
)

// The last line before death: the test runs this binary again, as a program
// that logs and dies.
const (
	dieHow  = "PRODUCERS_TEST_DIE"
	dieFile = "PRODUCERS_TEST_FILE"

	lastLine = "the last line"
)

func dying(path string, opts asynclog.Options) *asynclog.Writer {
	f, err := asynclog.OpenFile(path, asynclog.FileOptions{})
	if err != nil {
		panic(err)
	}
	return asynclog.New(f, opts)
}

func atWork(log func(string)) {
	for i := range 100 {
		log(fmt.Sprint("at work ", i))
	}
}

var zapEncoder = zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())

var deaths = map[string]func(path string){
	// A Writer is a zapcore.WriteSyncer: zap syncs it before Fatal exits.
	"zap.Fatal": func(path string) {
		w := dying(path, asynclog.Options{})
		logger := zap.New(zapcore.NewCore(zapEncoder, w, zap.InfoLevel))
		atWork(func(s string) { logger.Info(s) })
		logger.Fatal(lastLine)
	},
	"zap.Fatal, asynczap": func(path string) {
		w := dying(path, asynclog.Options{})
		logger := zap.New(asynczap.NewCore(zapEncoder, w, zap.InfoLevel))
		atWork(func(s string) { logger.Info(s) })
		logger.Fatal(lastLine)
	},
	"zap.Panic": func(path string) {
		w := dying(path, asynclog.Options{})
		logger := zap.New(asynczap.NewCore(zapEncoder, w, zap.InfoLevel))
		atWork(func(s string) { logger.Info(s) })
		go logger.Panic(lastLine)
		select {}
	},
	// zerolog closes its writer before Fatal exits.
	"zerolog.Fatal": func(path string) {
		w := dying(path, asynclog.Options{})
		logger := zerolog.New(w)
		atWork(func(s string) { logger.Info().Msg(s) })
		logger.Fatal().Msg(lastLine)
	},
	"zerolog.Fatal, asynczerolog": func(path string) {
		w := dying(path, asynclog.Options{})
		logger := zerolog.New(asynczerolog.Writer{Writer: w})
		atWork(func(s string) { logger.Info().Msg(s) })
		logger.Fatal().Msg(lastLine)
	},
	// But not before Panic, which needs SyncLevel.
	"zerolog.Panic": func(path string) {
		w := dying(path, asynclog.Options{SyncLevel: slog.LevelError})
		logger := zerolog.New(asynczerolog.Writer{Writer: w})
		atWork(func(s string) { logger.Info().Msg(s) })
		go logger.Panic().Msg(lastLine)
		select {}
	},
	"logrus.Fatal": func(path string) {
		w := dying(path, asynclog.Options{})
		logger := logrus.New()
		logger.SetOutput(w)
		logrus.RegisterExitHandler(func() { _ = w.Sync() })
		atWork(func(s string) { logger.Info(s) })
		logger.Fatal(lastLine)
	},
	"klog.Fatal": func(path string) {
		w := dying(path, asynclog.Options{})
		klogTo(w)
		klog.OsExit = func(code int) {
			_ = w.Close()
			os.Exit(code)
		}
		atWork(func(s string) { klog.Info(s) })
		klog.Fatal(lastLine)
	},
	// With levels: klog has a writer for each severity.
	"klog.Fatal, by severity": func(path string) {
		w := dying(path, asynclog.Options{SyncLevel: slog.LevelError})
		klogTo(w)
		for severity, level := range klogLevels {
			klog.SetOutputBySeverity(severity, leveled{w, level})
		}
		atWork(func(s string) { klog.Info(s) })
		klog.Fatal(lastLine)
	},
	// logr has no Fatal; its Error is one of slog's.
	"logr and os.Exit": func(path string) {
		w := dying(path, asynclog.Options{SyncLevel: slog.LevelError})
		logger := logr.FromSlogHandler(asynclog.NewHandler(w, jsonHandler))
		atWork(func(s string) { logger.Info(s) })
		logger.Error(os.ErrClosed, lastLine)
		os.Exit(1)
	},
}

var klogLevels = map[string]slog.Level{
	"INFO": slog.LevelInfo, "WARNING": slog.LevelWarn,
	"ERROR": slog.LevelError, "FATAL": slog.LevelError + 4,
}

// leveled is an io.Writer for records of one level.
type leveled struct {
	w     *asynclog.Writer
	level slog.Level
}

func (l leveled) Write(p []byte) (int, error) {
	return l.w.WriteLeveled(l.level, p)
}

func klogTo(w *asynclog.Writer) {
	var flags flag.FlagSet
	klog.InitFlags(&flags)
	_ = flags.Parse([]string{"-logtostderr=false", "-alsologtostderr=false",
		"-stderrthreshold=FATAL", "-one_output=true"})
	klog.SetOutput(w)
}

func TestLastLine(t *testing.T) {
	const times = 20
	for how := range deaths {
		t.Run(how, func(t *testing.T) {
			found := 0
			for i := range times {
				path := filepath.Join(t.TempDir(), fmt.Sprint(i))
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), dieHow+"="+how, dieFile+"="+path)
				out, err := cmd.CombinedOutput()
				var exit *exec.ExitError
				require.ErrorAs(t, err, &exit)
				require.NotEqual(t, 99, exit.ExitCode(), "%s", out)
				b, err := os.ReadFile(path)
				require.NoError(t, err)
				require.Equal(t, 100, strings.Count(string(b), "at work"))
				if strings.Contains(string(b), lastLine) {
					found++
				}
			}
			require.Equal(t, times, found)
		})
	}
}
