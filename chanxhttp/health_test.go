package chanxhttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
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
	Healthy bool     `json:"healthy"`
	Unwell  []string `json:"unwell"`
	Workers []worker `json:"workers"`
}

type worker struct {
	Name         string     `json:"name"`
	State        string     `json:"state"`
	Since        time.Time  `json:"since"`
	Restarts     int        `json:"restarts"`
	LastBeat     *time.Time `json:"last_beat"`
	MissedEvents uint64     `json:"missed_events"`
	Exits        []exit     `json:"exits"`
	Workers      []worker   `json:"workers"`
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

func ask(t *testing.T, h http.Handler) answer {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
	assert.Equal(t, "application/json", rec.Header().Get("Content-Type"))
	assert.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
	got := answer{Code: rec.Code}
	dec := json.NewDecoder(rec.Body)
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&got))
	assert.Equal(t, got.Healthy, got.Code == http.StatusOK)
	return got
}

// unwell returns what ails s, and checks the status code.
func unwell(t *testing.T, h http.Handler) []string {
	t.Helper()
	got := ask(t, h)
	want := http.StatusServiceUnavailable
	if len(got.Unwell) == 0 {
		want = http.StatusOK
	}
	assert.Equal(t, want, got.Code)
	return got.Unwell
}

// steps is a worker that beats or exits as it is told.
type steps chan error

var errBeat = errors.New("beat")

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

func every(d time.Duration) chanx.RestartPolicy {
	return chanx.RestartPolicy{MinBackoff: d, MaxBackoff: d}
}

func TestHealthPanicsOnNil(t *testing.T) {
	assert.PanicsWithValue(t, "chanx: nil supervisor", func() { chanxhttp.Health(nil) })
}

func TestHealthOfALife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		h := chanxhttp.Health(s)
		assert.Equal(t, []string{"no worker is running"}, unwell(t, h), "empty")
		a, b := make(steps), make(steps)
		policy := every(time.Second)
		policy.Heartbeat = time.Minute
		require.NoError(t, s.Add("a", a.work, policy))
		require.NoError(t, s.Add("b", b.work, chanx.RestartPolicy{
			Restart: chanx.RestartNever,
		}))
		assert.Equal(t, []string{"a: starting", "b: starting"}, unwell(t, h))
		stop := start(s)
		assert.Empty(t, unwell(t, h))

		a.step(errBoom)
		assert.Equal(t, []string{"a: backing off"}, unwell(t, h))
		time.Sleep(time.Second - 1)
		assert.Equal(t, []string{"a: backing off"}, unwell(t, h))
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		assert.Empty(t, unwell(t, h))

		time.Sleep(time.Minute)
		assert.Empty(t, unwell(t, h))
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		assert.Equal(t, []string{"a: stalled"}, unwell(t, h))
		a.step(errBeat)
		assert.Empty(t, unwell(t, h), "healthy again")

		b.step(nil)
		assert.Empty(t, unwell(t, h), "ended in order beside one that runs")
		assert.Equal(t, context.Canceled, stop())
		assert.Equal(t, []string{"no worker is running"}, unwell(t, h), "stopped")
	})
}

func TestHealthNamesTheFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		a, b := make(steps), make(steps)
		require.NoError(t, s.Add("a", a.work, chanx.RestartPolicy{}))
		require.NoError(t, s.Add("b", b.work, chanx.RestartPolicy{
			Restart: chanx.RestartNever,
		}))
		stop := start(s)
		b.step(errBoom)
		assert.Equal(t, []string{"b: failed"}, unwell(t, chanxhttp.Health(s)))
		stop()
	})
}

func TestHealthOfATree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := chanx.NewSupervisor(chanx.SupervisorOptions{})
		child := chanx.NewSupervisor(chanx.SupervisorOptions{MaxRestarts: 1})
		low := chanx.NewSupervisor(chanx.SupervisorOptions{})
		h := chanxhttp.Health(top)
		a, b := make(steps), make(steps)
		require.NoError(t, top.Add("child", child.Run, every(time.Minute)))
		require.NoError(t, child.Add("a", a.work, every(time.Second)))
		require.NoError(t, child.Add("low", low.Run, chanx.RestartPolicy{}))
		require.NoError(t, low.Add("b", b.work, every(time.Hour)))
		stop := start(top)
		assert.Empty(t, unwell(t, h))
		b.step(errBoom)
		a.step(errBoom)
		assert.Equal(t, []string{"child/a: backing off", "child/low/b: backing off"},
			unwell(t, h))
		got := ask(t, h)
		require.Len(t, got.Workers, 1)
		require.Len(t, got.Workers[0].Workers, 2)
		assert.Equal(t, "b", got.Workers[0].Workers[1].Workers[0].Name)
		time.Sleep(time.Second)
		synctest.Wait()
		a.step(errBoom)
		assert.Equal(t, []string{"child: backing off"}, unwell(t, h),
			"its workers are stopped with it")
		assert.Equal(t, "failed", ask(t, h).Workers[0].Workers[0].State)
		stop()
	})
}

func TestHealthBody(t *testing.T) {
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
		got := ask(t, chanxhttp.Health(s))
		assert.True(t, got.Healthy)
		assert.NotNil(t, got.Unwell, "an empty list, not null")
		require.Len(t, got.Workers, 1)
		w := got.Workers[0]
		assert.Equal(t, "a", w.Name)
		assert.Equal(t, "running", w.State)
		assert.Equal(t, 3, w.Restarts)
		assert.True(t, begin.Add(6*time.Second).Equal(w.Since))
		assert.True(t, begin.Add(6*time.Second).Equal(*w.LastBeat))
		assert.Zero(t, w.MissedEvents)
		require.Len(t, w.Exits, 3)
		assert.True(t, begin.Add(2*time.Second).Equal(w.Exits[1].Started))
		w.Exits[0].Started = time.Time{}
		assert.Equal(t, exit{Ran: "1s", Backoff: "1s"}, w.Exits[0])
		assert.Equal(t, "panic: boom", w.Exits[1].Error, "the stack is beside it")
		assert.Contains(t, w.Exits[1].Stack, "chanxhttp_test.TestHealthBody")
		assert.Equal(t, 1, w.Exits[1].Restarts)
		assert.Contains(t, w.Exits[2].Error, "wrapped: panic: v")
		assert.Equal(t, "the stack", w.Exits[2].Stack)
		close(block)
		stop()
		got = ask(t, chanxhttp.Health(s))
		assert.True(t, got.Workers[0].Exits[3].Final, "readable afterwards")
	})
}

func TestHealthOfMissedEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		a := make(steps)
		require.NoError(t, s.Add("a", a.work, chanx.RestartPolicy{
			MinBackoff: -1, OnEvent: func(chanx.Event) { panic("hook") },
		}))
		stop := start(s)
		a.step(errBoom)
		assert.EqualValues(t, 2, ask(t, chanxhttp.Health(s)).Workers[0].MissedEvents)
		stop()
	})
}

func TestHealthMethods(t *testing.T) {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		rec := httptest.NewRecorder()
		chanxhttp.Health(s).ServeHTTP(rec, httptest.NewRequest(method, "/", nil))
		assert.Equal(t, http.StatusMethodNotAllowed, rec.Code, method)
		assert.Equal(t, "GET, HEAD", rec.Header().Get("Allow"))
	}
}

// Over loopback, while the worker hangs in a send that nobody receives, its
// hook hangs, and a group restart waits for it: the incident.
func TestHealthWhileEverythingHangs(t *testing.T) {
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
		req, err := http.NewRequest(method, srv.URL, nil)
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
		assert.Equal(t, []string{"fails: backing off"}, got.Unwell)
		assert.Equal(t, "boom", got.Workers[1].Exits[0].Error)
	}
	srv.Close()
	srv.Client().CloseIdleConnections()
	<-never
	close(hook)
	cancel()
	assert.Equal(t, context.Canceled, <-result)
}
