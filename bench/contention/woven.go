package contention

import (
	"encoding/json"
	"expvar"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"example.com/chanx/bench/plan"
)

// woven is a program whose chanx counts and times lock.wait. The library
// itself carries no counters. Only the path of a sender that has found the lock
// held is changed, so a free lock costs the same as ever.
//
// Rejected: Send written out with counters in a benchmark of package chanx. It
// is as long, and says nothing about Send once the two differ.
type woven struct{ dir, program string }

// The names of the counters.
const (
	heldCounter   = "chanx.lock.held"
	parkedCounter = "chanx.lock.parked"
	waitedCounter = "chanx.lock.waited"
)

var counters = [][2]string{
	{`import "sync"`, `import ("expvar"; "sync"; "time")
var held = expvar.NewInt("` + heldCounter + `")
var parked = expvar.NewInt("` + parkedCounter + `")
var waited = expvar.NewInt("` + waitedCounter + `")`},
	{"func (l *lock) wait() {", `func (l *lock) wait() {
	held.Add(1)
	defer func(began time.Time) { waited.Add(int64(time.Since(began))) }(time.Now())`},
	{"\tl.Mutex.Lock()", "\tparked.Add(1); l.Mutex.Lock()"},
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

// buildWoven compiles the test program of this package: it has no other.
func buildWoven() (w woven, err error) {
	root, err := plan.Root()
	if err != nil {
		return w, err
	}
	if w.dir, err = os.MkdirTemp("", "chanx-woven-*"); err != nil {
		return w, err
	}
	w.program = filepath.Join(w.dir, "woven.exe")
	overlay, err := writeOverlay(w.dir, filepath.Join(root, "lock.go"))
	if err != nil {
		w.remove()
		return w, err
	}
	build := exec.Command("go", "test", "-c", "-overlay", overlay,
		"-o", w.program, "./contention")
	build.Dir = filepath.Join(root, "bench")
	if out, err := build.CombinedOutput(); err != nil {
		w.remove()
		return w, fmt.Errorf("%v: %w\n%s", build, err, out)
	}
	return w, nil
}

func (w woven) remove() { os.RemoveAll(w.dir) }

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
	if err := os.WriteFile(replacement, []byte(text), 0o600); err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	content, err := json.Marshal(map[string]map[string]string{
		"Replace": {lock: replacement}})
	if err != nil {
		return "", err
	}
	return overlay, os.WriteFile(overlay, content, 0o600)
}

func (w woven) flood(l load) (r outcome, err error) {
	err = runChild(w.program, job{Flood: &l}, &r)
	return r, err
}

// countedFlood is flood with the counts from inside. Held and Parked
// are -1 for a channel, whose lock only the runtime could count.
func countedFlood(l load) outcome {
	before := runtimeWaited()
	r := flood(l)
	r.Held, r.Parked, r.Waited = -1, -1, runtimeWaited()-before
	if l.Way == ring.name {
		r.Held, r.Parked = counter(heldCounter), counter(parkedCounter)
		r.Waited = counter(waitedCounter)
	}
	return r
}

func counter(name string) int64 {
	if v, ok := expvar.Get(name).(*expvar.Int); ok {
		return v.Value()
	}
	return -1
}
