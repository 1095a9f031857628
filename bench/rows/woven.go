package rows

import (
	"encoding/json"
	"errors"
	"expvar"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// The counters are woven into a copy of lock.go; the library itself has none.
// Only the path of a goroutine that has found the lock held is changed, so a
// free lock costs the same as ever.
const (
	heldCounter   = "chanx.lock.held"
	waitedCounter = "chanx.lock.waited"
)

var counters = [][2]string{
	{`import "sync"`, `import ("expvar"; "sync"; "time")
var held = expvar.NewInt("` + heldCounter + `")
var waited = expvar.NewInt("` + waitedCounter + `")`},
	{"func (l *lock) wait() {", `func (l *lock) wait() {
	held.Add(1)
	defer func(began time.Time) { waited.Add(int64(time.Since(began))) }(time.Now())`},
}

// weave returns the source of lock.go with the counters.
func weave(source string) (string, error) {
	for _, c := range counters {
		if strings.Count(source, c[0]) != 1 {
			return "", fmt.Errorf("lock.go has not one %q", c[0])
		}
		source = strings.Replace(source, c[0], c[1], 1)
	}
	return source, nil
}

// A program is built when it is needed first, in a temporary directory.
type program struct {
	once sync.Once
	path string
	err  error
}

// build has the go command in dir of the library build the program.
func (p *program) build(dir string, env []string, args func(root, tmp string) ([]string, error)) error {
	p.once.Do(func() {
		root, err := Root()
		if err != nil {
			p.err = err
			return
		}
		tmp, err := os.MkdirTemp("", "chanx-bench-*")
		if err != nil {
			p.err = err
			return
		}
		built = append(built, tmp)
		p.path = filepath.Join(tmp, "program.exe")
		all, err := args(root, tmp)
		if err != nil {
			p.err = err
			return
		}
		cmd := exec.Command("go", append(all, "-o", p.path, ".")...)
		cmd.Dir, cmd.Env = filepath.Join(root, dir), append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			p.err = fmt.Errorf("%v: %w\n%s", cmd, err, out)
		}
	})
	return p.err
}

var built []string

// Clean removes the programs that the contests have built.
func Clean() {
	for _, dir := range built {
		os.RemoveAll(dir)
	}
}

var woven program

// writeOverlay returns the file that tells the compiler to read woven source.
func writeOverlay(dir, lock string) (string, error) {
	source, err := os.ReadFile(lock)
	if err != nil {
		return "", err
	}
	text, err := weave(string(source))
	if err != nil {
		return "", err
	}
	replacement := filepath.Join(dir, "lock.go")
	overlay := filepath.Join(dir, "overlay.json")
	content, err := json.Marshal(map[string]map[string]string{
		"Replace": {lock: replacement}})
	return overlay, errors.Join(err,
		os.WriteFile(replacement, []byte(text), 0o600),
		os.WriteFile(overlay, content, 0o600))
}

// wovenFlood runs the flood in a child process that counts.
func wovenFlood(l load) (o outcome, err error) {
	err = woven.build("bench", nil, func(root, tmp string) ([]string, error) {
		overlay, err := writeOverlay(tmp, filepath.Join(root, "lock.go"))
		return []string{"build", "-overlay", overlay}, err
	})
	if err != nil {
		return o, err
	}
	err = runChild([]string{woven.path}, job{Flood: &l}, &o)
	return o, err
}

// countedFlood is the work of the child. It fails in a child that is not woven.
func countedFlood(l load) (o outcome, err error) {
	held, ok := expvar.Get(heldCounter).(*expvar.Int)
	waited, ok2 := expvar.Get(waitedCounter).(*expvar.Int)
	if !ok || !ok2 {
		return o, errors.New("no counters in lock.go")
	}
	o = flood(l)
	o.Held, o.Waited = int(held.Value()), int(waited.Value())
	return o, nil
}

// Root returns the directory of the library, wherever this program runs.
func Root() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}",
		"example.com/chanx").Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w (start it with go -C bench run .)", err)
	}
	return strings.TrimSpace(string(out)), nil
}
