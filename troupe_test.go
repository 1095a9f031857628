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

// troupe is a Supervisor in a synctest bubble, with a log of who was started
// and stopped, when, in virtual time.
type troupe struct {
	*chanx.Supervisor
	t      *testing.T
	born   time.Time
	ctx    context.Context
	cancel context.CancelCauseFunc
	result chan error

	mu  sync.Mutex
	log []entry
}

type entry struct {
	at   time.Duration
	what string
}

func newTroupe(t *testing.T, opts chanx.SupervisorOptions) *troupe {
	tr := &troupe{
		Supervisor: chanx.NewSupervisor(opts),
		t:          t,
		born:       time.Now(),
		result:     make(chan error, 1),
	}
	tr.ctx, tr.cancel = context.WithCancelCause(context.Background())
	return tr
}

// start calls Run, and returns when all that follows at once has happened.
func (tr *troupe) start() {
	go func() { tr.result <- tr.Run(tr.ctx) }()
	synctest.Wait()
}

// end cancels Run and returns its result.
func (tr *troupe) end() error {
	tr.cancel(nil)
	return <-tr.result
}

// result must be there at once.
func (tr *troupe) over() (err error, over bool) {
	synctest.Wait()
	select {
	case err := <-tr.result:
		return err, true
	default:
		return nil, false
	}
}

func (tr *troupe) note(what string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.log = append(tr.log, entry{time.Since(tr.born), what})
}

// played returns what has happened since it was last called, a line for each
// moment: "+a" is a start, "-a" a stop. Starts that follow each other at one
// moment are sorted, since they were not waiting for each other.
func (tr *troupe) played() []string {
	synctest.Wait()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	lines := []string{}
	for i := 0; i < len(tr.log); {
		at, whats := tr.log[i].at, []string(nil)
		for ; i < len(tr.log) && tr.log[i].at == at; i++ {
			whats = append(whats, tr.log[i].what)
		}
		sortStarts(whats)
		lines = append(lines, fmt.Sprintf("%v %s", at, strings.Join(whats, " ")))
	}
	tr.log = nil
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

func (tr *troupe) status(name string) chanx.WorkerStatus {
	for _, st := range tr.Status() {
		if st.Name == name {
			return st
		}
	}
	tr.t.Fatalf("no worker %q", name)
	panic("unreachable")
}

func (tr *troupe) states() string {
	var all []string
	for _, st := range tr.Status() {
		all = append(all, st.Name+" "+st.State.String())
	}
	return strings.Join(all, ", ")
}

// actor is a worker that does what it is told. Cancelled, it lingers, and
// returns quit; a deaf one returns only when it is told to.
type actor struct {
	tr     *troupe
	name   string
	orders chan func(context.Context) error
	linger time.Duration
	deaf   bool
	quit   error

	runs, live, most atomic.Int32
	cause            atomic.Pointer[error]
}

// stoppedFor is the cause with which the context of a run was cancelled.
func (a *actor) stoppedFor() error { return *a.cause.Load() }

func (tr *troupe) actor(name string) *actor {
	return &actor{tr: tr, name: name, orders: make(chan func(context.Context) error)}
}

// add adds actors with the same policy.
func (tr *troupe) add(policy chanx.RestartPolicy, actors ...*actor) {
	tr.t.Helper()
	for _, a := range actors {
		if err := tr.Add(a.name, a.work, policy); err != nil {
			tr.t.Fatal(err)
		}
	}
}

func (tr *troupe) cast(policy chanx.RestartPolicy, names string) (all []*actor) {
	for _, name := range strings.Fields(names) {
		all = append(all, tr.actor(name))
	}
	tr.add(policy, all...)
	return all
}

func (a *actor) work(ctx context.Context) error {
	a.runs.Add(1)
	for n, most := a.live.Add(1), a.most.Load(); n > most; most = a.most.Load() {
		a.most.CompareAndSwap(most, n)
	}
	a.tr.note("+" + a.name)
	defer func() {
		a.live.Add(-1)
		a.tr.note("-" + a.name)
	}()
	stop := ctx.Done()
	if a.deaf {
		stop = nil
	}
	for {
		select {
		case order := <-a.orders:
			if err := order(ctx); err != errGoOn {
				return err
			}
		case <-stop:
			cause := context.Cause(ctx)
			a.cause.Store(&cause)
			time.Sleep(a.linger)
			return a.quit
		}
	}
}

var errGoOn = fmt.Errorf("no exit: go on")

// do has the running worker do f. The worker exits with the result of f,
// unless that is errGoOn.
func (a *actor) do(f func(context.Context) error) {
	a.orders <- f
	synctest.Wait()
}

func (a *actor) exit(err error) {
	a.do(func(context.Context) error { return err })
}

func (a *actor) panic(value any) {
	a.do(func(context.Context) error { panic(value) })
}

func (a *actor) beat() {
	a.do(func(ctx context.Context) error {
		chanx.Beat(ctx)
		return errGoOn
	})
}

// pause advances the clock, and lets all that is due happen.
func pause(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// every is the policy of a worker that is always restarted d after an exit.
func everyOne(d time.Duration) chanx.RestartPolicy {
	return chanx.RestartPolicy{MinBackoff: d, MaxBackoff: d}
}

var atOnce = chanx.RestartPolicy{MinBackoff: -1}
