package chanxhttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx"
	"example.com/chanx/chanxhttp"
	"example.com/chanx/internal/leakgate"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

var errBoom = errors.New("boom")

// answer is the documented shape of the body.
type answer struct {
	Code    int      `json:"-"`
	Status  string   `json:"status"`
	Reason  string   `json:"reason"`
	Workers []worker `json:"workers"`
	Omitted int      `json:"omitted"`
}

type worker struct {
	Name         string     `json:"name"`
	State        string     `json:"state"`
	Restarts     int        `json:"restarts"`
	CrashLooping bool       `json:"crash_looping"`
	Since        *time.Time `json:"since"`
	LastBeat     *time.Time `json:"last_beat"`
	MissedEvents uint64     `json:"missed_events"`
	Exits        []exit     `json:"exits"`
	OmittedExits int        `json:"omitted_exits"`

	ExitCounts chanx.ExitCounts `json:"exit_counts"`
}

type exit struct {
	Error    string    `json:"error"`
	Stack    string    `json:"stack"`
	Started  time.Time `json:"started"`
	Ran      string    `json:"ran"`
	Restarts int       `json:"restarts"`
	Backoff  string    `json:"backoff"`
	Final    bool      `json:"final"`
}

func get(h http.Handler, url string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, url, nil))
	return rec
}

// ask returns the answer of h, and checks what is true of every answer.
func ask(t *testing.T, h http.Handler, url string) answer {
	t.Helper()
	rec := get(h, url)
	assert.Equal(t, "application/json", rec.Header().Get("Content-Type"))
	assert.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
	assert.Equal(t, strconv.Itoa(rec.Body.Len()), rec.Header().Get("Content-Length"))
	got := answer{Code: rec.Code}
	dec := json.NewDecoder(rec.Body)
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&got))
	assert.Equal(t, got.Status == "ok", got.Code == http.StatusOK)
	assert.Equal(t, got.Status == "unavailable", got.Code == http.StatusServiceUnavailable)
	assert.NotNil(t, got.Workers, "an empty list, not null")
	return got
}

// probed is what both probes say of s, in short: the codes, the reason, and the
// workers that are not simply running.
func probed(t *testing.T, s *chanx.Supervisor) string {
	t.Helper()
	live, ready := ask(t, chanxhttp.Live(s), "/"), ask(t, chanxhttp.Ready(s), "/")
	assert.Equal(t, ready, ask(t, chanxhttp.Health(s), "/"))
	assert.Equal(t, ready.Workers, live.Workers)
	said := fmt.Sprint(live.Code, " ", ready.Code)
	if ready.Reason != "" {
		said += " (" + ready.Reason + ")"
	}
	for _, w := range ready.Workers {
		switch {
		case w.CrashLooping:
			said += ", " + w.Name + " crash-looping"
		case w.State != "running":
			said += ", " + w.Name + " " + w.State
		}
		assert.Nil(t, w.Exits)
		assert.Nil(t, w.Since)
	}
	return said
}

// steps is a worker that beats or exits as it is told.
type steps chan error

var errBeat = errors.New("beat")

var atOnce = chanx.RestartPolicy{MinBackoff: -1}

func (c steps) work(ctx context.Context) error {
	for {
		select {
		case err := <-c:
			if err != errBeat {
				return err
			}
			chanx.Beat(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

func (c steps) step(err error) {
	c <- err
	synctest.Wait()
}

func start(s *chanx.Supervisor) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- s.Run(ctx) }()
	synctest.Wait()
	return func() error { cancel(); return <-result }
}

// pause advances the clock, and lets all that is due happen.
func pause(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func every(d time.Duration) chanx.RestartPolicy {
	return chanx.RestartPolicy{MinBackoff: d, MaxBackoff: d}
}

func TestProbesPanicOnNil(t *testing.T) {
	for _, probe := range []func(*chanx.Supervisor) http.Handler{
		chanxhttp.Live, chanxhttp.Ready, chanxhttp.Health,
	} {
		assert.PanicsWithValue(t, "chanxhttp: nil supervisor", func() { probe(nil) })
	}
}

func TestProbesOfALife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		assert.Equal(t, "200 503 (not started)", probed(t, s))
		a, b := make(steps), make(steps)
		policy := every(time.Second)
		policy.Heartbeat = 5 * time.Minute
		require.NoError(t, s.Add("a", a.work, policy))
		require.NoError(t, s.Add("b", b.work, chanx.RestartPolicy{
			Restart: chanx.RestartNever,
		}))
		assert.Equal(t, "200 503 (not started), a starting, b starting", probed(t, s))
		stop := start(s)
		assert.Equal(t, "200 200", probed(t, s))

		for _, grace := range []time.Duration{10 * time.Second, time.Minute, time.Minute} {
			a.step(errBoom)
			assert.Equal(t, "200 503, a backing off", probed(t, s))
			pause(time.Second - 1)
			assert.Equal(t, "200 503, a backing off", probed(t, s))
			pause(1)
			assert.Equal(t, "200 503, a crash-looping", probed(t, s))
			pause(grace - 1)
			assert.Equal(t, "200 503, a crash-looping", probed(t, s))
			if grace < time.Minute {
				pause(1)
				assert.Equal(t, "200 200", probed(t, s))
			}
		}
		pause(time.Hour)
		assert.Equal(t, "503 503, a stalled", probed(t, s))
		a.step(errBeat)
		assert.Equal(t, "200 200", probed(t, s))

		b.step(nil)
		assert.Equal(t, "200 200, b stopped", probed(t, s), "ended in order")
		assert.Equal(t, context.Canceled, stop())
		assert.Equal(t, "200 503 (stopped), a stopped, b stopped", probed(t, s))
	})
}

// TestReadyAfterResetAfter, if that is less than the grace periods.
func TestReadyAfterResetAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		a := make(steps)
		require.NoError(t, s.Add("a", a.work, chanx.RestartPolicy{
			MinBackoff: -1, ResetAfter: 3 * time.Second,
		}))
		stop := start(s)
		for range 3 {
			a.step(nil) // a nil return is no way out for a worker still needed
			pause(3*time.Second - 1)
			assert.Equal(t, "200 503, a crash-looping", probed(t, s))
		}
		pause(1)
		assert.Equal(t, "200 200", probed(t, s))
		stop()
	})
}

// TestCrashLoopIsNeverReady, sampled while the worker runs, too.
func TestCrashLoopIsNeverReady(t *testing.T) {
	for _, lasts := range []time.Duration{
		0, 499 * time.Millisecond, 9 * time.Second, 59 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := chanx.NewSupervisor(chanx.SupervisorOptions{})
			require.NoError(t, s.Add("a", func(ctx context.Context) error {
				select {
				case <-time.After(lasts):
				case <-ctx.Done():
				}
				return errBoom
			}, chanx.RestartPolicy{}))
			stop := start(s)
			pause(3 * time.Minute) // the first two failures
			running := 0
			for range 60 {
				pause(1009 * time.Millisecond)
				got := ask(t, chanxhttp.Ready(s), "/")
				assert.Equal(t, http.StatusServiceUnavailable, got.Code)
				if got.Workers[0].CrashLooping {
					running++
				}
				assert.Equal(t, http.StatusOK, get(chanxhttp.Live(s), "/").Code)
			}
			assert.Equal(t, lasts > time.Second, running > 10)
			stop()
		})
	}
}

// TestReadyWhileDraining is over as soon as the set begins to stop, and Live is
// not.
func TestReadyWhileDraining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		require.NoError(t, s.Add("drains", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(5 * time.Second)
			return ctx.Err()
		}, chanx.RestartPolicy{}))
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- s.Run(ctx) }()
		synctest.Wait()
		assert.Equal(t, "200 200", probed(t, s))
		cancel()
		synctest.Wait()
		assert.Equal(t, "200 503 (stopping)", probed(t, s))
		pause(4 * time.Second)
		assert.Equal(t, "200 503 (stopping)", probed(t, s))
		assert.Equal(t, context.Canceled, <-result)
		assert.Equal(t, "200 503 (stopped), drains stopped", probed(t, s))
	})
}

func TestProbesOfAFailedWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		a, b := make(steps), make(steps)
		require.NoError(t, s.Add("a", a.work, chanx.RestartPolicy{}))
		require.NoError(t, s.Add("b", b.work, chanx.RestartPolicy{
			Restart: chanx.RestartNever,
		}))
		stop := start(s)
		b.step(errBoom)
		assert.Equal(t, "503 503, b failed", probed(t, s))
		stop()
	})
}

// TestProbesOfASetThatGaveUp, by a limit of its own, while its other worker
// takes its time to stop, and afterwards.
func TestProbesOfASetThatGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{MaxRestarts: 1})
		a := make(steps)
		require.NoError(t, s.Add("slow", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			return nil
		}, chanx.RestartPolicy{}))
		require.NoError(t, s.Add("a", a.work, atOnce))
		stop := start(s)
		a.step(errBoom)
		a.step(errBoom)
		assert.Equal(t, "503 503 (gave up), a failed", probed(t, s))
		assert.ErrorIs(t, stop(), errBoom)
		assert.Equal(t, "503 503 (gave up), a failed, slow stopped", probed(t, s))
	})
}

// TestProbesOfAGroupThatDoesNotStop: the set gives up without a failed worker.
func TestProbesOfAGroupThatDoesNotStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{
			Strategy: chanx.OneForAll, StopTimeout: time.Second,
		})
		a, never := make(steps), make(chan struct{})
		require.NoError(t, s.Add("deaf", func(context.Context) error {
			<-never
			return nil
		}, chanx.RestartPolicy{}))
		require.NoError(t, s.Add("a", a.work, atOnce))
		stop := start(s)
		a.step(errBoom)
		assert.Equal(t, "200 503, a backing off", probed(t, s))
		pause(time.Second)
		got := probed(t, s)
		assert.Contains(t, got, "503 503 (gave up)")
		close(never)
		stop()
	})
}

func TestProbesOfATree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := chanx.NewSupervisor(chanx.SupervisorOptions{})
		child := chanx.NewSupervisor(chanx.SupervisorOptions{MaxRestarts: 1})
		low := chanx.NewSupervisor(chanx.SupervisorOptions{})
		a, b, c := make(steps), make(steps), make(steps)
		require.NoError(t, top.Add("child", child.Run, every(time.Minute)))
		require.NoError(t, child.Add("slow", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			return nil
		}, chanx.RestartPolicy{}))
		require.NoError(t, child.Add("a", a.work, every(time.Second)))
		require.NoError(t, child.Add("low", low.Run, chanx.RestartPolicy{}))
		require.NoError(t, low.Add("b", b.work, every(time.Hour)))
		require.NoError(t, low.Add("c", c.work, chanx.RestartPolicy{
			Restart: chanx.RestartNever,
		}))
		stop := start(top)
		assert.Equal(t, "200 200", probed(t, top))
		b.step(errBoom)
		a.step(errBoom)
		assert.Equal(t, "200 503, child/a backing off, child/low/b backing off",
			probed(t, top))
		c.step(errBoom)
		assert.Equal(t, "503 503, child/low/c failed, child/a backing off, "+
			"child/low/b backing off", probed(t, top), "the worst first")
		pause(time.Second)
		a.step(errBoom)
		assert.Equal(t, "200 503, child/a failed", strings.Split(
			probed(t, top), ", child/low")[0],
			"the set above decides what to do about a child that gave up")
		assert.Contains(t, probed(t, child), "503 503 (gave up)")
		pause(time.Second)
		assert.Equal(t, "200 503, child backing off", probed(t, top),
			"its workers are stopped with it")
		pause(time.Minute)
		assert.Equal(t, "200 503, child crash-looping", probed(t, top))
		pause(time.Minute)
		assert.Equal(t, "200 200", probed(t, top))
		stop()
	})
}

// TestChildThatIsOver, of a worker that goes on without it, is of no interest,
// whatever became of its workers.
func TestChildThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := chanx.NewSupervisor(chanx.SupervisorOptions{})
		warmUp := chanx.NewSupervisor(chanx.SupervisorOptions{})
		a := make(steps)
		require.NoError(t, warmUp.Add("a", a.work, chanx.RestartPolicy{
			Restart: chanx.RestartNever,
		}))
		require.NoError(t, top.Add("serves", func(ctx context.Context) error {
			_ = warmUp.Run(ctx)
			<-ctx.Done()
			return ctx.Err()
		}, chanx.RestartPolicy{}))
		stop := start(top)
		assert.Len(t, ask(t, chanxhttp.Ready(top), "/").Workers, 2)
		a.step(errBoom)
		assert.Equal(t, "200 200", probed(t, top))
		assert.Len(t, ask(t, chanxhttp.Ready(top), "/").Workers, 1)
		stop()
	})
}

func TestVerbose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		block := make(chan struct{})
		policy := every(time.Second)
		policy.OnEvent = func(chanx.Event) { <-block }
		errs := make(chan func() error)
		require.NoError(t, s.Add("a", func(ctx context.Context) error {
			select {
			case f := <-errs:
				return f()
			case <-ctx.Done():
				return nil
			}
		}, policy))
		begin := time.Now()
		stop := start(s)
		for _, f := range []func() error{
			func() error { return nil },
			func() error { panic(errBoom) },
			func() error {
				return fmt.Errorf("wrapped: %w", &chanx.PanicError{
					Value: "v", Stack: []byte("the stack"),
				})
			},
		} {
			time.Sleep(time.Second)
			errs <- f
			time.Sleep(time.Second)
			synctest.Wait()
		}
		pause(time.Hour)
		got := ask(t, chanxhttp.Ready(s), "/readyz?verbose")
		assert.Equal(t, "ok", got.Status)
		require.Len(t, got.Workers, 1)
		w := got.Workers[0]
		assert.Equal(t, "a", w.Name)
		assert.Equal(t, "running", w.State)
		assert.Equal(t, 3, w.Restarts)
		assert.True(t, begin.Add(6*time.Second).Equal(*w.Since))
		assert.True(t, begin.Add(6*time.Second).Equal(*w.LastBeat))
		assert.Zero(t, w.MissedEvents)
		require.Len(t, w.Exits, 3)
		assert.Zero(t, w.OmittedExits)
		assert.Equal(t, chanx.ExitCounts{Nil: 1, Error: 1, Panic: 1}, w.ExitCounts)
		assert.True(t, begin.Add(2*time.Second).Equal(w.Exits[1].Started))
		w.Exits[0].Started = time.Time{}
		assert.Equal(t, exit{Ran: "1s", Backoff: "1s"}, w.Exits[0])
		assert.Regexp(t, `^panic: boom, at chanxhttp/health_test\.go:\d+$`, w.Exits[1].Error)
		assert.Contains(t, w.Exits[1].Stack, "chanxhttp_test.TestVerbose")
		assert.Equal(t, 1, w.Exits[1].Restarts)
		assert.Equal(t, "wrapped: panic: v", w.Exits[2].Error)
		assert.Equal(t, "the stack", w.Exits[2].Stack)
		short := get(chanxhttp.Ready(s), "/readyz").Body.String()
		assert.Equal(t, `{"status":"ok","workers":[{"name":"a",`+
			`"state":"running","restarts":3}]}`+"\n", short, "and no text of an error")
		close(block)
		stop()
		got = ask(t, chanxhttp.Ready(s), "/readyz?verbose")
		assert.True(t, got.Workers[0].Exits[3].Final, "readable afterwards")
	})
}

func TestVerboseMissedEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		a := make(steps)
		require.NoError(t, s.Add("a", a.work, chanx.RestartPolicy{
			MinBackoff: -1, OnEvent: func(chanx.Event) { panic("hook") },
		}))
		stop := start(s)
		a.step(errBoom)
		got := ask(t, chanxhttp.Ready(s), "/?verbose").Workers[0]
		assert.GreaterOrEqual(t, got.MissedEvents, uint64(2))
		stop()
	})
}

// rogue is an error whose text is what its function does.
type rogue func() string

func (r rogue) Error() string { return r() }

// TestProbesCallNoForeignCode: the text of an error is what it was at the exit.
func TestProbesCallNoForeignCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		a, calls := make(steps), 0
		require.NoError(t, s.Add("a", a.work, every(time.Second)))
		stop := start(s)
		a.step(rogue(func() string {
			if calls++; calls > 1 {
				select {} // forever
			}
			return "once"
		}))
		got := ask(t, chanxhttp.Ready(s), "/?verbose")
		assert.Equal(t, "once", got.Workers[0].Exits[0].Error)
		pause(time.Second)
		var none *chanx.PanicError
		a.step(errors.Join(errBoom, none))
		got = ask(t, chanxhttp.Ready(s), "/?verbose")
		assert.Equal(t, "boom\npanic: <nil>", got.Workers[0].Exits[1].Error)
		stop()
	})
}

// TestBodyIsBounded, whatever there is: 10,000 workers with 8 panics of long
// texts each, and long names.
func TestBodyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, name := range []string{"worker", strings.Repeat("\x01", 1000), strings.Repeat("\u00e9", 200)} {
			const workers = 2_000
			s := crowd(t, workers, name)
			bad := make(steps)
			require.NoError(t, s.Add("bad", bad.work, chanx.RestartPolicy{
				Restart: chanx.RestartNever,
			}))
			stop := start(s)
			pause(time.Hour)
			bad.step(errBoom)
			short := get(chanxhttp.Ready(s), "/")
			assert.LessOrEqual(t, short.Body.Len(), 64<<10)
			got := ask(t, chanxhttp.Ready(s), "/")
			assert.Equal(t, "bad", got.Workers[0].Name, "the worst first")
			assert.LessOrEqual(t, len(got.Workers), 100)
			assert.GreaterOrEqual(t, len(got.Workers), 30)
			assert.Equal(t, workers+1, len(got.Workers)+got.Omitted)

			verbose := get(chanxhttp.Ready(s), "/?verbose")
			assert.LessOrEqual(t, verbose.Body.Len(), 1<<20)
			assert.Greater(t, verbose.Body.Len(), 1<<19)
			got = ask(t, chanxhttp.Ready(s), "/?verbose")
			assert.Equal(t, workers+1, len(got.Workers)+got.Omitted)
			shown := 0
			for _, w := range got.Workers[1:] {
				shown += len(w.Exits)
				assert.Equal(t, 8, len(w.Exits)+w.OmittedExits)
				assert.LessOrEqual(t, len(w.Name), 256)
			}
			assert.Positive(t, shown)
			stop()
		}
	})
}

// crowd is a set of workers each of which panics 8 times and then runs.
func crowd(tb testing.TB, workers int, name string) *chanx.Supervisor {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	text := strings.Repeat("<panic>", 1000)
	for i := range workers {
		left := 8
		require.NoError(tb, s.Add(strconv.Itoa(i)+name, func(ctx context.Context) error {
			if left--; left >= 0 {
				panic(text)
			}
			<-ctx.Done()
			return nil
		}, atOnce))
	}
	return s
}

// BenchmarkReady is the cost of a poll of 10,000 workers that have all panicked.
func BenchmarkReady(b *testing.B) {
	s := crowd(b, 10_000, "worker")
	ctx, cancel := context.WithCancel(b.Context())
	result := make(chan error, 1)
	go func() { result <- s.Run(ctx) }()
	for settled := false; !settled; {
		settled = true
		for _, w := range s.Status() {
			settled = settled && w.State == chanx.StateRunning && w.Restarts == 8
		}
	}
	for name, url := range map[string]string{"short": "/", "verbose": "/?verbose"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				size = get(chanxhttp.Ready(s), url).Body.Len()
			}
			b.ReportMetric(float64(size), "B/body")
		})
	}
	cancel()
	<-result
}

func TestMethods(t *testing.T) {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		rec := httptest.NewRecorder()
		chanxhttp.Live(s).ServeHTTP(rec, httptest.NewRequest(method, "/", nil))
		assert.Equal(t, http.StatusMethodNotAllowed, rec.Code, method)
		assert.Equal(t, "GET, HEAD", rec.Header().Get("Allow"))
		assert.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
	}
	rec := httptest.NewRecorder()
	chanxhttp.Live(s).ServeHTTP(rec, httptest.NewRequest("HEAD", "/", nil))
	assert.Equal(t, http.StatusOK, rec.Code)
	assert.Empty(t, rec.Body.String())
	want := get(chanxhttp.Live(s), "/").Header()
	assert.Equal(t, want, rec.Header())
}

// Over loopback, while the worker hangs in a send that nobody receives, its
// hook hangs, and a group restart waits for it: the incident.
func TestProbeWhileEverythingHangs(t *testing.T) {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{
		Strategy: chanx.OneForAll, StopTimeout: time.Hour,
	})
	never, hook := make(chan int), make(chan struct{})
	in := make(chan struct{}, 2)
	require.NoError(t, s.Add("hangs", func(context.Context) error {
		in <- struct{}{}
		never <- 1
		return nil
	}, chanx.RestartPolicy{}))
	told := make(chan struct{})
	require.NoError(t, s.Add("fails", func(context.Context) error {
		in <- struct{}{}
		return errBoom
	}, chanx.RestartPolicy{OnEvent: func(chanx.Event) {
		close(told)
		<-hook
	}}))
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error)
	go func() { result <- s.Run(ctx) }()
	<-in
	<-in
	<-told
	srv := httptest.NewServer(chanxhttp.Health(s))
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		req, err := http.NewRequest(method, srv.URL+"/?verbose", nil)
		require.NoError(t, err)
		res, err := srv.Client().Do(req)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		assert.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
		assert.Equal(t, "application/json", res.Header.Get("Content-Type"))
		if method == http.MethodHead {
			assert.Empty(t, body)
			continue
		}
		var got answer
		require.NoError(t, json.Unmarshal(body, &got))
		assert.Equal(t, "fails", got.Workers[0].Name)
		assert.Equal(t, "backing off", got.Workers[0].State)
		assert.Equal(t, "boom", got.Workers[0].Exits[0].Error)
	}
	srv.Close()
	srv.Client().CloseIdleConnections()
	<-never
	close(hook)
	cancel()
	assert.Equal(t, context.Canceled, <-result)
}
