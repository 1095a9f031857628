package asynclog

import (
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The last line before death: each way to die is a recipe for a program, run
// many times, and the line must be in the file every time.
const (
	deaths    = 20
	lastWords = "the last line"
)

// dying returns a Writer as a program would make it that loses no last line.
func dying() (*Writer, *slog.Logger) {
	f, err := OpenFile(os.Getenv(exitFile), FileOptions{})
	if err != nil {
		panic(err)
	}
	w := New(f, Options{SyncLevel: slog.LevelError})
	logger := slog.New(NewHandler(w, jsonHandler))
	for i := range 100 {
		logger.Info("at work", "i", i)
	}
	return w, logger
}

func init() {
	exits["slog.Error and os.Exit"] = func(*Writer, *ledger) {
		_, logger := dying()
		logger.Error(lastWords)
		os.Exit(1)
	}
	exits["os.Exit after Close of an Info"] = func(*Writer, *ledger) {
		w, logger := dying()
		logger.Info(lastWords)
		_ = w.Close()
		os.Exit(1)
	}
	// The standard log has no levels, so all of its lines get one.
	exits["log.Fatal"] = func(*Writer, *ledger) {
		_, logger := dying()
		std := slog.NewLogLogger(logger.Handler(), slog.LevelError)
		log.SetFlags(0)
		log.SetOutput(std.Writer())
		log.Fatal(lastWords)
	}
	exits["panic in main"] = func(*Writer, *ledger) {
		w, logger := dying()
		defer w.Close()
		logger.Info(lastWords)
		panic("on purpose")
	}
	// No deferred function of main runs. The goroutine's own can write the
	// panic, and with it all that was logged before.
	exits["panic in another goroutine"] = func(*Writer, *ledger) {
		_, logger := dying()
		go func() {
			defer func() {
				if v := recover(); v != nil {
					logger.Error(lastWords, "panic", v, "stack", string(debug.Stack()))
					panic(v)
				}
			}()
			panic("on purpose")
		}()
		select {}
	}
	// In a goroutine of somebody else that is not possible. What the runtime
	// prints can be kept; what is in the buffer at that moment is lost.
	exits["panic in a goroutine of a library"] = func(*Writer, *ledger) {
		_, logger := dying()
		crash, err := os.OpenFile(os.Getenv(exitFile),
			os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			panic(err)
		}
		if err := debug.SetCrashOutput(crash, debug.CrashOptions{}); err != nil {
			panic(err)
		}
		logger.Error("an error is written before Error returns")
		go func() { panic(lastWords) }()
		select {}
	}
}

func TestLastLine(t *testing.T) {
	for how, code := range map[string]int{
		"slog.Error and os.Exit":            1,
		"os.Exit after Close of an Info":    1,
		"log.Fatal":                         1,
		"panic in main":                     2,
		"panic in another goroutine":        2,
		"panic in a goroutine of a library": 2,
	} {
		t.Run(how, func(t *testing.T) {
			lastLines(t, how, func(cmd *exec.Cmd) {
				out, _ := cmd.CombinedOutput()
				require.Equal(t, code, cmd.ProcessState.ExitCode(), "%s", out)
			})
		})
	}
}

// lastLines lets a program die many times, by die, and counts the last lines.
func lastLines(t *testing.T, how string, die func(*exec.Cmd)) {
	t.Helper()
	found := 0
	for range deaths {
		cmd, path := child(t, how)
		die(cmd)
		out := content(t, path)
		if strings.Contains(out, lastWords) {
			found++
		}
		if strings.Contains(how, "library") {
			require.Contains(t, out, "is written before")
		} else {
			require.Equal(t, 100, countOf(out, "at work"))
		}
	}
	require.Equal(t, fmt.Sprint(deaths, " of ", deaths),
		fmt.Sprint(found, " of ", deaths))
}
