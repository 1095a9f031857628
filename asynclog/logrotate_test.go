//go:build unix

package asynclog

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
			require.NoError(t, l.write(w, 0)) // after the last rotation
			require.NoError(t, w.Close())
			require.Equal(t, os.FileMode(0o600), mode(t, path))
			require.Equal(t, w.Stats().Accepted.Records, recordsIn(t, l, path))
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

// recordsIn counts the records, written or reported as lost, in the log and in
// all that logrotate made of it. Each file has whole lines only.
func recordsIn(t *testing.T, l *ledger, path string) (n uint64) {
	t.Helper()
	rotated, err := filepath.Glob(path + ".[0-9]*")
	require.NoError(t, err)
	backups, err := filepath.Glob(path + "*.backup")
	require.NoError(t, err)
	for _, file := range append(append(rotated, backups...), path) {
		b := readAll(t, file)
		if strings.HasSuffix(file, ".gz") {
			b, err = exec.Command("gzip", "-dc", file).Output()
			require.NoError(t, err)
		}
		r := l.read(t, b)
		n += r.records.Records + r.reported.Records
	}
	return n
}
