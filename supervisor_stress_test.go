package chanx_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

var (
	crowd = flag.Int("crowd", 5_000, "workers in the test of many workers")
	fire  = flag.Int("fire", 34_000, "calls for each strategy in TestSetUnderFire")
)

var errGoexit, errPanic = errors.New("call Goexit"), errors.New("panic")

// stage is what a storm of calls happens to: a dozen names, of which each
// must have at most one live worker.
type stage struct {
	*chanx.Supervisor
	t     *testing.T
	poke  chan error // makes some worker exit
	live  [12]atomic.Int32
	runs  atomic.Int64
	exits atomic.Int64
	stop  atomic.Pointer[context.CancelFunc]
	ended atomic.Bool
}

func (s *stage) worker(i int) func(context.Context) error {
	return func(ctx context.Context) error {
		s.runs.Add(1)
		if n := s.live[i].Add(1); n != 1 {
			s.t.Errorf("w%d: %d live", i, n)
		}
		defer func() {
			s.live[i].Add(-1)
			s.exits.Add(1)
		}()
		for range rand.IntN(100) { // not at the same time as its siblings
			runtime.Gosched()
		}
		if rand.IntN(4) == 0 {
			return errSet
		}
		select {
		case err := <-s.poke:
			switch err {
			case errGoexit:
				runtime.Goexit()
			case errPanic:
				panic(err)
			}
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// perform calls Run again and again, and looks whether anybody outlives it.
func (s *stage) perform() (times int) {
	for ; !s.ended.Load(); times++ {
		ctx, cancel := context.WithCancel(context.Background())
		s.stop.Store(&cancel)
		err := s.Run(ctx)
		if err != nil && err != context.Canceled {
			s.t.Errorf("Run: %v", err)
		}
		for i := range s.live {
			if n := s.live[i].Load(); n != 0 {
				s.t.Errorf("w%d: %d live after Run has returned", i, n)
			}
		}
		if n, m := s.runs.Load(), s.exits.Load(); n != m {
			s.t.Errorf("%d runs, %d exits", n, m)
		}
		cancel()
	}
	return times
}

func (s *stage) disturb(r *rand.Rand) {
	i := r.IntN(len(s.live))
	name := fmt.Sprintf("w%d", i)
	switch n := r.IntN(400); {
	case n == 0:
		(*s.stop.Load())()
	case n < 80:
		policy := chanx.RestartPolicy{MinBackoff: -1}
		if n < 20 {
			policy = chanx.RestartPolicy{MinBackoff: 1, MaxBackoff: 2000}
		}
		if n%3 == 0 {
			policy.OnEvent = func(chanx.Event) {}
		}
		_ = s.Add(name, s.worker(i), policy) // taken, or stopping
	case n < 120:
		_ = s.Remove(context.Background(), name)
	case n < 140:
		ctx, cancel := context.WithCancel(context.Background())
		go cancel()
		_ = s.Remove(ctx, name)
	case n < 160:
		seen := make(map[string]bool)
		if h := s.Health(); h.Ready && h.Reason != "" {
			s.t.Errorf("ready, but %s", h.Reason)
		}
		for _, st := range s.Status() {
			if seen[st.Name] || len(st.Exits) > 2 {
				s.t.Errorf("status %+v", st)
			}
			seen[st.Name] = true
		}
	default:
		ends := []error{nil, errSet, errGoexit, errPanic, chanx.ErrStop}
		_ = chanx.SendTimeout(s.poke, ends[min(r.IntN(20), r.IntN(20), 4)],
			20*time.Microsecond)
	}
}

func TestSetUnderFire(t *testing.T) {
	old := runtime.GOMAXPROCS(4 * runtime.NumCPU())
	defer runtime.GOMAXPROCS(old)
	for _, strategy := range []chanx.Strategy{
		chanx.OneForOne, chanx.OneForAll, chanx.RestForOne,
	} {
		t.Run(strategy.String(), func(t *testing.T) {
			s := &stage{t: t, poke: make(chan error)}
			s.Supervisor = chanx.NewSupervisor(chanx.SupervisorOptions{
				Strategy: strategy, StopTimeout: time.Hour, KeepExits: 2,
			})
			nothing := context.CancelFunc(func() {})
			s.stop.Store(&nothing)
			done := make(chan int)
			go func() { done <- s.perform() }()
			const callers = 8
			var wg sync.WaitGroup
			for n := range callers {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(uint64(n), uint64(strategy)))
					for range *fire / callers {
						s.disturb(r)
					}
				})
			}
			wg.Wait()
			s.ended.Store(true)
			for {
				select {
				case times := <-done:
					t.Logf("%d Runs, %d runs of workers", times, s.runs.Load())
					return
				default:
					(*s.stop.Load())()
					runtime.Gosched()
				}
			}
		})
	}
}

// Every start has its exit, in each of the ways in which starts and exits are
// told: by the workers, in Exits, and in Restarts.
func TestEveryStartHasItsExit(t *testing.T) {
	old := runtime.GOMAXPROCS(4 * runtime.NumCPU())
	defer runtime.GOMAXPROCS(old)
	for _, strategy := range []chanx.Strategy{
		chanx.OneForOne, chanx.OneForAll, chanx.RestForOne,
	} {
		const workers, want, most = 4, 5_000, 1 << 20
		s := chanx.NewSupervisor(chanx.SupervisorOptions{
			Strategy: strategy, KeepExits: most,
		})
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var starts [workers]atomic.Int64
		var failures atomic.Int64
		for i := range workers {
			name := fmt.Sprint(i)
			require.NoError(t, s.Add(name, func(ctx context.Context) error {
				starts[i].Add(1)
				for range rand.IntN(8) {
					runtime.Gosched()
				}
				if ctx.Err() != nil {
					return nil
				}
				if failures.Add(1) == want {
					cancel()
				}
				return errSet
			}, atOnce))
		}
		require.Equal(t, context.Canceled, s.Run(ctx))
		for i, st := range s.Status() {
			assert.EqualValues(t, starts[i].Load(), len(st.Exits), strategy)
			assert.Equal(t, len(st.Exits), st.Restarts+1, strategy)
			for n, e := range st.Exits[:len(st.Exits)-1] {
				assert.False(t, e.Final, "%v: exit %d", strategy, n)
			}
			assert.Equal(t, chanx.StateStopped, st.State)
		}
	}
}

// Many workers come and go, and leave neither goroutines nor memory behind:
// the second crowd finds room where the first one was.
func TestManyWorkers(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	_, first := comeAndGo(t)
	peak, second := comeAndGo(t)
	assert.Less(t, second, first+(peak-first)/10, "peak %d", peak)
	for runtime.NumGoroutine() > goroutines { // the last may not have ended
		time.Sleep(time.Millisecond) // the test's timeout is the bound
	}
}

func comeAndGo(t *testing.T) (peak, after uint64) {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{StopTimeout: time.Hour})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var started atomic.Int64
	for i := range *crowd {
		require.NoError(t, s.Add(fmt.Sprint(i), func(ctx context.Context) error {
			if started.Add(1) == int64(*crowd) {
				cancel()
			}
			<-ctx.Done()
			return nil
		}, chanx.RestartPolicy{OnEvent: func(chanx.Event) {}}))
	}
	require.Equal(t, context.Canceled, s.Run(ctx))
	require.Len(t, s.Status(), *crowd)
	peak = heap()
	for i := range *crowd {
		name := fmt.Sprint(i)
		require.NoError(t, s.Remove(context.Background(), name))
	}
	require.Empty(t, s.Status())
	after = heap()
	runtime.KeepAlive(s) // it is the workers that must be gone
	return peak, after
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A worker that was backing off for hours is not kept for as long.
func TestARemovedWorkerIsNotKept(t *testing.T) {
	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	for range 64 { // so many that the runtime does not tidy up its timers
		defer time.AfterFunc(time.Hour, func() {}).Stop()
	}
	for _, strategy := range []chanx.Strategy{chanx.OneForOne, chanx.OneForAll} {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{Strategy: strategy})
		ctx, cancel := context.WithCancel(context.Background())
		result := make(chan error)
		go func() { result <- s.Run(ctx) }()
		collected := make(chan struct{})
		addFailing(t, s, collected)
		for s.Status()[0].State != chanx.StateBackingOff {
			runtime.Gosched()
		}
		require.NoError(t, s.Remove(context.Background(), "a"))
		for gone := false; !gone; { // the test's timeout is the bound
			runtime.GC()
			select {
			case <-collected:
				gone = true
			case <-time.After(time.Millisecond):
			}
		}
		cancel()
		require.Equal(t, context.Canceled, <-result)
	}
}

func addFailing(t *testing.T, s *chanx.Supervisor, collected chan struct{}) {
	big := new([1 << 20]byte)
	runtime.AddCleanup(big, func(c chan struct{}) { close(c) }, collected)
	require.NoError(t, s.Add("a", func(context.Context) error {
		big[0]++
		return errSet
	}, everyOne(24*time.Hour)))
}

// FuzzSupervisor adds, removes and ends workers of a set in any order, in
// virtual time, and holds Status and what Run returns against a model that was
// written from the documentation.
func FuzzSupervisor(f *testing.F) {
	for strategy := range uint8(3) {
		f.Add(strategy, uint8(3), []byte{0, 1, 2, 70, 71, 6, 7, 8, 100, 40, 6, 130, 101, 3, 200})
		f.Add(strategy, uint8(0), bytes.Repeat([]byte{0, 37, 74, 6, 43, 80, 5, 100, 0, 41}, 12))
		f.Add(strategy, uint8(9), []byte{4, 40, 76, 4, 5, 100, 3, 39, 75, 3, 101, 2, 1, 0})
	}
	f.Fuzz(func(t *testing.T, strategy, before uint8, program []byte) {
		program = program[:min(len(program), 200)]
		synctest.Test(t, func(t *testing.T) {
			m := newSetModel(chanx.Strategy(strategy % 3))
			for i, op := range program {
				if i == int(before%16) {
					m.run(t)
				}
				m.step(t, op)
				m.check(t)
			}
			m.end(t)
		})
	})
}

// setModel is what a Supervisor should be doing. Every restart waits a second.
type setModel struct {
	set      *chanx.Supervisor
	strategy chanx.Strategy
	stop     context.CancelFunc
	result   chan error // nil before Run
	finished bool       // Run has returned
	workers  []*modelWorker
}

type modelWorker struct {
	name     string
	mode     chanx.RestartMode
	orders   chan func() error
	state    chanx.WorkerState
	over     bool
	restarts int
	due      time.Time // while it is backing off
}

func newSetModel(s chanx.Strategy) *setModel {
	return &setModel{
		strategy: s,
		set:      chanx.NewSupervisor(chanx.SupervisorOptions{Strategy: s}),
	}
}

func (m *setModel) run(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m.stop, m.result = cancel, make(chan error, 1)
	go func() { m.result <- m.set.Run(ctx) }()
	for _, w := range m.workers {
		w.state = chanx.StateRunning
	}
	synctest.Wait()
}

func (m *setModel) running() bool { return m.result != nil && !m.finished }

// step does one operation on one of six names.
func (m *setModel) step(t *testing.T, op byte) {
	name, what := string(rune('a'+op%6)), int(op/6)
	i := slices.IndexFunc(m.workers, func(w *modelWorker) bool { return w.name == name })
	switch {
	case what < 9:
		m.add(t, i, name, chanx.RestartMode(what%3))
	case what < 15 && i < 0:
		require.Error(t, m.set.Remove(t.Context(), name))
	case what < 15:
		require.NoError(t, m.set.Remove(t.Context(), name))
		m.workers = slices.Delete(m.workers, i, i+1)
	case what < 35 && i >= 0 && m.workers[i].state == chanx.StateRunning:
		m.fail(i, what%5)
	default:
		time.Sleep(time.Duration(what) * 50 * time.Millisecond)
	}
	synctest.Wait()
	m.advance()
}

func (m *setModel) add(t *testing.T, taken int, name string, mode chanx.RestartMode) {
	w := &modelWorker{name: name, mode: mode, orders: make(chan func() error)}
	err := m.set.Add(name, w.work, chanx.RestartPolicy{
		Restart: mode, MinBackoff: time.Second, MaxBackoff: time.Second,
	})
	if taken >= 0 || m.finished {
		require.Error(t, err)
		return
	}
	require.NoError(t, err)
	if m.running() {
		w.state = chanx.StateRunning
	}
	m.workers = append(m.workers, w)
}

func (w *modelWorker) work(ctx context.Context) error {
	select {
	case way := <-w.orders:
		return way()
	case <-ctx.Done():
		return ctx.Err()
	}
}

var setEnds = [5]func() error{
	func() error { return nil },
	func() error { return errors.New("boom") },
	func() error { panic("boom") },
	func() error { runtime.Goexit(); return nil },
	func() error { return chanx.ErrStop },
}

// fail ends a running worker, and returns the expected consequence.
func (m *setModel) fail(i, way int) {
	w := m.workers[i]
	w.orders <- setEnds[way]
	clean := way == 0 || way == 4
	switch {
	case way == 4, clean && w.mode != chanx.RestartAlways:
		w.over, w.state = true, chanx.StateStopped
		return
	case w.mode == chanx.RestartNever:
		w.over, w.state = true, chanx.StateFailed
		return
	}
	w.backOff()
	switch m.strategy {
	case chanx.OneForAll:
		backOffAll(m.workers)
	case chanx.RestForOne:
		backOffAll(m.workers[i:])
	}
}

func backOffAll(group []*modelWorker) {
	for _, w := range group {
		switch {
		case w.over:
		case w.mode == chanx.RestartNever:
			w.over, w.state = true, chanx.StateStopped
		default:
			w.backOff()
		}
	}
}

func (w *modelWorker) backOff() {
	w.state, w.due = chanx.StateBackingOff, time.Now().Add(time.Second)
}

// advance starts the due workers, and ends the set when it is over.
func (m *setModel) advance() {
	if !m.running() {
		return
	}
	over := len(m.workers) > 0
	for _, w := range m.workers {
		if w.state == chanx.StateBackingOff && !w.due.After(time.Now()) {
			w.state = chanx.StateRunning
			w.restarts++
		}
		over = over && w.over
	}
	m.finished = over
}

func (m *setModel) check(t *testing.T) {
	all := m.set.Status()
	require.Len(t, all, len(m.workers))
	for i, w := range m.workers {
		require.Equal(t, w.name, all[i].Name)
		require.Equal(t, w.state, all[i].State, "%s", w.name)
		require.Equal(t, w.restarts, all[i].Restarts, "%s", w.name)
	}
	if m.result != nil {
		require.Equal(t, m.finished, len(m.result) == 1)
	}
}

func (m *setModel) end(t *testing.T) {
	if m.result == nil {
		m.run(t)
	}
	m.advance()
	m.stop()
	want := context.Canceled
	if m.finished {
		want = nil
	}
	require.Equal(t, want, <-m.result)
	for _, w := range m.set.Status() {
		require.Contains(t, []chanx.WorkerState{
			chanx.StateStopped, chanx.StateFailed,
		}, w.State)
	}
}
