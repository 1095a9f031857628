package report

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// About is what one must know to read the figures.
type About struct {
	Command, Commit, CPU string
	Date                 time.Time
	Took                 time.Duration
}

// Here describes this machine, and the repository in dir.
func Here(dir, command string) About {
	return About{Command: command, Commit: commit(dir), CPU: cpu(),
		Date: time.Now().UTC()}
}

// commit names what was measured; "-dirty" says that it was not quite that.
func commit(dir string) string {
	out, err := exec.Command("git", "-C", dir, "describe", "--always",
		"--dirty", "--abbrev=12").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// cpu is the processor's name where the system tells it in a file.
func cpu() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok &&
			strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

func (a About) write(w io.Writer) {
	fmt.Fprintf(w, `# Benchmarks

Written by the command below; edits are lost.

| | |
|---|---|
| machine | %s, %d processors, %s/%s |
| Go | %s |
| commit | %s |
| command | %s |
| date | %s |
| took | %s |

`, a.CPU, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(),
		a.Commit, "`"+a.Command+"`", a.Date.Format("2 January 2006 15:04 UTC"),
		a.Took.Round(time.Second))
	fmt.Fprint(w, caveats)
}

const caveats = `Read ratios, not nanoseconds: another machine has other figures, and
with another number of processors other ratios too. Within each
table all rivals ran in turn, round by round and every other round the other way
about, in one process; a figure is the median over the rounds, and ± tells how
far these lay apart. Differences below that, or below a tenth, are noise. Each
rival is used as its documentation shows; nobody here is an expert in all of them, and
corrections are welcome. A cell with – could not be filled; the notes under the
table say why.
`
