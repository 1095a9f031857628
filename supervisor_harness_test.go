package chanx_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx"
)

// harness is a Supervisor in a synctest bubble, with a log of the starts and
// stops of its workers, in virtual time.
type harness struct {
	*chanx.Supervisor
	t      *testing.T
	born   time.Time
	ctx    context.Context
	cancel context.CancelCauseFunc
	result chan error

	mu  sync.Mutex
	log []logEntry
}

type logEntry struct {
	at   time.Duration
	what string
}

func newHarness(t *testing.T, opts chanx.SupervisorOptions) *harness {
	h := &harness{
		Supervisor: chanx.NewSupervisor(opts),
		t:          t,
		born:       time.Now(),
		result:     make(chan error, 1),
	}
	h.ctx, h.cancel = context.WithCancelCause(context.Background())
	return h
}

// start calls Run, and returns when the bubble is idle.
func (h *harness) start() {
	go func() { h.result <- h.Run(h.ctx) }()
	synctest.Wait()
}

// end cancels Run and returns its result.
func (h *harness) end() error {
	h.cancel(nil)
	return <-h.result
}

// over reports whether Run has returned, and with what.
func (h *harness) over() (err error, over bool) {
	synctest.Wait()
	select {
	case err := <-h.result:
		return err, true
	default:
		return nil, false
	}
}

func (h *harness) note(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log = append(h.log, logEntry{time.Since(h.born), what})
}

// played returns the log since its last call, with one line for each
// moment: "+a" is a start, "-a" a stop. Consecutive starts at one moment are
// sorted, since their order is not specified.
func (h *harness) played() []string {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	lines := []string{}
	for i := 0; i < len(h.log); {
		at, whats := h.log[i].at, []string(nil)
		for ; i < len(h.log) && h.log[i].at == at; i++ {
			whats = append(whats, h.log[i].what)
		}
		sortStarts(whats)
		lines = append(lines, fmt.Sprintf("%v %s", at, strings.Join(whats, " ")))
	}
	h.log = nil
	return lines
}

func sortStarts(whats []string) {
	for i := 0; i < len(whats); {
		j := i
		for j < len(whats) && whats[j][0] == '+' {
			j++
		}
		slices.Sort(whats[i:j])
		i = max(i+1, j)
	}
}

func (h *harness) status(name string) chanx.WorkerStatus {
	for _, st := range h.Status() {
		if st.Name == name {
			return st
		}
	}
	h.t.Fatalf("no worker %q", name)
	panic("unreachable")
}

func (h *harness) states() string {
	var all []string
	for _, st := range h.Status() {
		all = append(all, st.Name+" "+st.State.String())
	}
	return strings.Join(all, ", ")
}

// scriptedWorker is a worker that runs the functions it is sent. Cancelled, it
// lingers, and returns quit; a deaf one returns only from a function.
type scriptedWorker struct {
	h      *harness
	name   string
	orders chan func(context.Context) error
	linger time.Duration
	deaf   bool
	quit   error

	runs, live, most atomic.Int32
	cause            atomic.Pointer[error]
}

// stoppedFor is the cause with which the context of a run was cancelled.
func (w *scriptedWorker) stoppedFor() error { return *w.cause.Load() }

func (h *harness) worker(name string) *scriptedWorker {
	return &scriptedWorker{h: h, name: name, orders: make(chan func(context.Context) error)}
}

// add adds workers with the same policy.
func (h *harness) add(policy chanx.RestartPolicy, workers ...*scriptedWorker) {
	h.t.Helper()
	for _, w := range workers {
		if err := h.Add(w.name, w.work, policy); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *harness) workers(policy chanx.RestartPolicy, names string) (all []*scriptedWorker) {
	for _, name := range strings.Fields(names) {
		all = append(all, h.worker(name))
	}
	h.add(policy, all...)
	return all
}

func (w *scriptedWorker) work(ctx context.Context) error {
	w.runs.Add(1)
	for n, most := w.live.Add(1), w.most.Load(); n > most; most = w.most.Load() {
		w.most.CompareAndSwap(most, n)
	}
	w.h.note("+" + w.name)
	defer func() {
		w.live.Add(-1)
		w.h.note("-" + w.name)
	}()
	stop := ctx.Done()
	if w.deaf {
		stop = nil
	}
	for {
		select {
		case order := <-w.orders:
			if err := order(ctx); err != errGoOn {
				return err
			}
		case <-stop:
			cause := context.Cause(ctx)
			w.cause.Store(&cause)
			time.Sleep(w.linger)
			return w.quit
		}
	}
}

var errGoOn = fmt.Errorf("no exit: go on")

// do makes the running worker call f. The worker exits with the result of f,
// unless that is errGoOn.
func (w *scriptedWorker) do(f func(context.Context) error) {
	w.orders <- f
	synctest.Wait()
}

func (w *scriptedWorker) exit(err error) {
	w.do(func(context.Context) error { return err })
}

func (w *scriptedWorker) panic(value any) {
	w.do(func(context.Context) error { panic(value) })
}

func (w *scriptedWorker) beat() {
	w.do(func(ctx context.Context) error {
		chanx.Beat(ctx)
		return errGoOn
	})
}

// pause advances the clock, and waits until the bubble is idle.
func pause(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// everyOne is the policy of a worker that is always restarted d after an exit.
func everyOne(d time.Duration) chanx.RestartPolicy {
	return chanx.RestartPolicy{MinBackoff: d, MaxBackoff: d}
}

var atOnce = chanx.RestartPolicy{MinBackoff: -1}
