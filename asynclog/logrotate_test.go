//go:build unix

package asynclog

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The real logrotate, several times while the log is written. Without create
// the File makes the new file, like the old one.
func TestLogrotate(t *testing.T) {
	tool, err := exec.LookPath("logrotate")
	if err != nil {
		t.Skip("logrotate is not installed")
	}
	for name, directives := range map[string]string{
		"create":           "create 0600",
		"nocreate":         "nocreate",
		"reopen":           "nocreate", // as a postrotate script has it done
		"delayed compress": "nocreate\ncompress\ndelaycompress",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			f, path := openFileIn(t, dir)
			require.NoError(t, os.Chmod(path, 0o600))
			w := New(f, faultOptions)
			l := newLedger(2)
			for range 4 {
				done := make(chan struct{})
				go func() {
					defer close(done)
					l.flood(t, w, 1500, 10*time.Microsecond)
				}()
				rotate(t, tool, path, directives)
				if name == "reopen" {
					require.NoError(t, f.Reopen())
				}
				<-done
			}
			require.NoError(t, w.Close())
			require.Equal(t, os.FileMode(0o600), mode(t, path))
			l.settle(t, w, logs(t, l, path))
		})
	}
}

func rotate(t *testing.T, tool, path, directives string) {
	t.Helper()
	conf := path + ".conf"
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil,
		"%s {\n\trotate 20\n\t%s\n}\n", path, directives), 0o600))
	out, err := exec.Command(tool, "-f", "-s", path+".state", conf).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// logs returns the log and the rotated ones, oldest first, each with whole
// lines only.
func logs(t *testing.T, l *ledger, path string) []byte {
	t.Helper()
	files, err := filepath.Glob(path + ".[0-9]*")
	require.NoError(t, err)
	age := func(file string) (n int) { // service.log.2.gz
		_, err := fmt.Sscanf(file[len(path):], ".%d", &n)
		require.NoError(t, err)
		return n
	}
	slices.SortFunc(files, func(a, b string) int { return age(b) - age(a) })
	var all []byte
	for _, file := range append(files, path) {
		b := readAll(t, file)
		if strings.HasSuffix(file, ".gz") {
			b, err = exec.Command("gzip", "-dc", file).Output()
			require.NoError(t, err)
		}
		l.read(t, b)
		all = append(all, b...)
	}
	return all
}
