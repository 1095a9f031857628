package rows

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A quota is a control group that may use half a processor.
type quota struct{ dir string }

// groups are where control groups of version 2 and 1 have their files.
var groups = []struct{ dir, limit, value string }{
	{"/sys/fs/cgroup", "cpu.max", "50000 100000"},
	{"/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "50000"}, // of 100 ms
}

var errNoQuota = errors.New("this machine does not allow a quota")

func newQuota() (q quota, err error) {
	for _, g := range groups {
		q.dir = filepath.Join(g.dir, fmt.Sprintf("chanx-bench-%d", os.Getpid()))
		if os.Mkdir(q.dir, 0o755) != nil {
			continue
		}
		if q.write(g.limit, g.value) == nil {
			return q, nil
		}
		q.remove()
	}
	return q, errNoQuota
}

// write does not create: a directory that is no control group has no limit.
func (q quota) write(file, value string) error {
	f, err := os.OpenFile(filepath.Join(q.dir, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

func (q quota) remove() { _ = os.Remove(q.dir) }

// throttled returns how many periods of 100 ms have run out of quota.
func (q quota) throttled() float64 {
	text, err := os.ReadFile(filepath.Join(q.dir, "cpu.stat"))
	if err != nil {
		return math.NaN()
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "nr_throttled "); ok {
			v, _ := strconv.ParseFloat(strings.TrimSpace(n), 64)
			return v
		}
	}
	return math.NaN()
}

// quotaRate is 40 % of half a processor, at 30 µs a request.
const quotaRate = 6500

// quotaContest has the service run within a quota. With procs 0 the runtime
// chooses GOMAXPROCS.
func quotaContest(e Effort, procs int) Contest {
	names := []string{"no send", "channel", "TrySend", "Ring"}
	label := "default"
	var env []string
	if procs > 0 {
		label = strconv.Itoa(procs)
		env = []string{"GOMAXPROCS=" + label}
	}
	c := Contest{
		Group: "short of CPU", Names: names, Rounds: e.rounds(3),
		Name: "service in a quota of half a CPU, GOMAXPROCS " + label,
		Figures: tailFigures(Figure{"lost", Percent},
			Figure{"throttled periods", Plain}),
		Notes: []string{"The service of the section above at 40 % of the quota. " +
			"Its generator sleeps until a request is due, which the timer " +
			"rounds up to a millisecond."},
	}
	c.Measure = func(i int) ([]float64, error) {
		s := served{Service: names[i], Rate: quotaRate, Sleeps: true,
			For: e.time(1500 * time.Millisecond)}
		r, throttled, err := s.within(env)
		if errors.Is(err, errNoQuota) {
			none := math.NaN()
			return []float64{none, none, none, none, none, none, none}, nil
		}
		return append(r.Tail, s.lost(r), throttled), err
	}
	return c
}

// within runs the service in a child that has entered the group before its
// runtime chooses GOMAXPROCS.
func (s served) within(env []string) (r serving, throttled float64, err error) {
	q, err := newQuota()
	if err != nil {
		return r, 0, err
	}
	defer q.remove()
	self, err := os.Executable()
	if err != nil {
		return r, 0, err
	}
	enter := `echo $$ >"$0/cgroup.procs" && exec "$1"`
	err = runChild([]string{"sh", "-c", enter, q.dir, self},
		job{Served: &s}, &r, env...)
	return r, q.throttled(), err
}
