package chanx_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/chanx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
