package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"example.com/chanx/doctor"
)

// stuckDump has ten requests blocked on a channel.
var stuckDump = strings.Repeat(`goroutine 21 [chan send, 9 minutes]:
example.com/app/log.(*Writer).Write(0xc000010000)
	/src/app/log/writer.go:212 +0x5c
main.handle({0x6f2a40, 0xc00012c000}, 0xc00012a000)
	/src/app/main.go:30 +0x47
net/http.HandlerFunc.ServeHTTP(0x0?, {0x6f2a40?, 0xc00012c000?}, 0x0?)
	/usr/local/go/src/net/http/server.go:2286 +0x29
net/http.(*conn).serve(0xc000146000, {0x6f2d28, 0xc000111f80})
	/usr/local/go/src/net/http/server.go:2067 +0x6b0
created by net/http.(*Server).Serve in goroutine 1
	/usr/local/go/src/net/http/server.go:3464 +0x485

`, 1)

// requests is stuckDump n times, each a goroutine of its own.
func requests(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Replace(stuckDump, "21", number(100+i), 1))
	}
	return b.String()
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// text serves what pprof would, for any form.
func text(t *testing.T, dump string) string {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/debug/pprof/goroutine" {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, dump)
	})
}

// refused returns the URL of a port without a listener.
func refused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return "http://" + l.Addr().String()
}

// TestBadServers: one server that cannot be looked at is exit status 2, and
// the message says what to do.
func TestBadServers(t *testing.T) {
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		say     string
	}{
		"404": {http.NotFound, `import _ "net/http/pprof"`},
		"401": {status401, "-header"},
		"500": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
			"answered 500"},
		"empty": {func(http.ResponseWriter, *http.Request) {}, "empty"},
		"page": {func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "<!DOCTYPE html><h1>Welcome</h1>")
		}, "a web page"},
		"hangs": {func(_ http.ResponseWriter,
			r *http.Request) {
			<-r.Context().Done()
		}, "did not answer within 50ms"},
		"heap":      {heap, "not of goroutines"},
		"gzip half": {half, "fetch it again"},
	} {
		t.Run(name, func(t *testing.T) {
			timeout := "1m"
			if name == "hangs" {
				timeout = "50ms"
			}
			got := diagnose(t, "-timeout", timeout, serve(t, test.handler))
			require.Equal(t, exitTrouble, got.code)
			require.Empty(t, got.stdout)
			require.Contains(t, got.stderr, test.say)
			require.Contains(t, got.stderr, "http://127.0.0.1:")
			require.Equal(t, 1, strings.Count(got.stderr, "http://127"), got.stderr)
		})
	}
	got := diagnose(t, refused(t))
	require.Equal(t, exitTrouble, got.code)
	require.Contains(t, got.stderr, "cannot be reached")
}

func status401(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }

// half promises more than it sends, of a compressed profile.
func half(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	io.WriteString(w, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")
}

// TestHalfText: a dump cut short is better than none, and is said to be one.
func TestHalfText(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		dump := requests(12)
		w.Header().Set("Content-Length", "1000000")
		io.WriteString(w, dump[:len(dump)-100])
	})
	got := diagnose(t, url)
	require.Equal(t, exitFindings, got.code, got.stderr)
	require.Contains(t, got.stdout, "12 goroutines are blocked sending")
	require.Contains(t, got.stdout, "cut short")
}

// TestOtherWays: where else a dump may be, and how it may come.
func TestOtherWays(t *testing.T) {
	zipped := gzipped(t, requests(12))
	for path, h := range map[string]http.HandlerFunc{
		"/dumps/today.txt": func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, requests(12))
		},
		"/app": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/app/debug/pprof/goroutine" {
				http.NotFound(w, r)
				return
			}
			io.WriteString(w, requests(12))
		},
		"/encoded": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, zipped)
		},
		"/zipped": func(w http.ResponseWriter,
			r *http.Request) {
			io.WriteString(w, zipped)
		},
		"/moved": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/moved" {
				http.Redirect(w, r, "/here", http.StatusFound)
				return
			}
			io.WriteString(w, requests(12))
		},
	} {
		t.Run(path, func(t *testing.T) {
			got := diagnose(t, serve(t, h)+path)
			require.Equal(t, exitFindings, got.code, got.stderr)
			require.Contains(t, got.stdout, "12 goroutines are blocked sending")
		})
	}
}

// TestCredentials: sent, and never shown.
func TestCredentials(t *testing.T) {
	host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if (user != "ann" || password != "secret") &&
			r.Header.Get("Authorization") != "Bearer x" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		io.WriteString(w, requests(12))
	})
	with := strings.Replace(host, "http://", "http://ann:secret@", 1)
	got := diagnose(t, with)
	require.Equal(t, exitFindings, got.code, got.stderr)
	require.NotContains(t, got.stdout+got.stderr, "secret")
	require.Equal(t, exitFindings, diagnose(t, "-header",
		"Authorization: Bearer x", host).code)

	wrong := strings.Replace(host, "http://", "http://ann:secret2@", 1)
	got = diagnose(t, wrong)
	require.Equal(t, exitTrouble, got.code)
	require.NotContains(t, got.stdout+got.stderr, "secret")
}

// TestFleet merges by place, with counts per instance; the one that does not
// answer is a finding.
func TestFleet(t *testing.T) {
	a, b, idle := text(t, requests(12)), text(t, requests(30)), text(t, idleDump)
	dead := refused(t)
	got := diagnose(t, "-json", a, b, idle, dead)
	require.Equal(t, exitFindings, got.code, got.stderr)
	r := parse(t, got.stdout)
	require.ElementsMatch(t, []string{a, b, idle, dead}, r.Targets)
	require.Equal(t, 44, r.Goroutines)
	require.Len(t, r.Findings, 2)
	require.Equal(t, 42, r.Findings[0].Count)
	require.Equal(t, "unreachable", r.Findings[1].Operation)
	require.Equal(t, "critical", r.Findings[1].Severity)
	require.Contains(t, r.Findings[1].Sentence, dead)

	plain := diagnose(t, a, b, idle, dead).stdout
	require.Contains(t, plain, "12 on "+a)
	require.Contains(t, plain, "30 on "+b)

	// Without any other finding it still is one.
	require.Equal(t, exitFindings, diagnose(t, idle, dead).code)
	// One that says no is less than one that says nothing.
	no := diagnose(t, "-json", idle, serve(t, http.NotFound))
	require.Equal(t, exitFindings, no.code)
	require.Equal(t, "warning", parse(t, no.stdout).Findings[0].Severity)
	require.Equal(t, exitClean, diagnose(t, "-min-severity", "critical", idle,
		serve(t, http.NotFound)).code)
	// No server answers: nothing was looked at.
	require.Equal(t, exitTrouble, diagnose(t, dead, refused(t)).code)
}

// TestFleetHalfDown: servers with the same error are one finding, so that they
// do not hide the others'.
func TestFleetHalfDown(t *testing.T) {
	targets := []string{text(t, requests(12))}
	for range 5 {
		targets = append(targets, serve(t, http.NotFound))
	}
	got := diagnose(t, append([]string{"-json"}, targets...)...)
	r := parse(t, got.stdout)
	require.Len(t, r.Targets, 6)
	require.Len(t, r.Findings, 2)
	require.Equal(t, 12, r.Findings[0].Count)
	require.Contains(t, r.Findings[1].Sentence, "5 servers: answered 404")
	require.Len(t, r.Findings[1].Instances, 5)
	require.Zero(t, r.Findings[1].Count)
	plain := diagnose(t, targets...).stdout
	require.Contains(t, plain, "          - "+slices.Min(targets[1:])+"\n")
}

// TestEndlessBody: a server that never stops is left after maxBody, and the
// part until there is judged.
func TestEndlessBody(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, requests(12))
		noise := []byte(strings.Repeat("-", 1<<20) + "\n") // few lines are fast
		for {
			if _, err := w.Write(noise); err != nil {
				return
			}
		}
	})
	got := diagnose(t, url+"/debug/pprof/goroutine?debug=2")
	require.Equal(t, exitFindings, got.code, got.stderr)
	require.Contains(t, got.stdout, "12 goroutines are blocked sending")
	require.Contains(t, unwrapped(got.stdout), "more than 256 MB")
	require.Contains(t, got.stdout, "cut short")
}

// TestForms: a dump that stops the process is asked for only if it is small.
func TestForms(t *testing.T) {
	var asked []string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, path.Base(r.URL.Path)+" "+r.URL.RawQuery)
		io.WriteString(w, requests(12))
	})
	for stop, want := range map[string][]string{
		"11": {"goroutine debug=0", "goroutineleak debug=0"},
		"12": {"goroutine debug=0", "goroutineleak debug=0", "goroutine debug=2"},
	} {
		asked = nil
		require.Equal(t, exitFindings, diagnose(t, "-max-stop", stop, url).code)
		require.Equal(t, want, asked)
	}
	asked = nil
	diagnose(t, "-form", "2", url)
	require.Equal(t, []string{"goroutine debug=2", "goroutineleak debug=0"}, asked)
}

// TestNoSymbols: what the server cannot name stays unknown, and the report
// says why.
func TestNoSymbols(t *testing.T) {
	url := text(t, "goroutine profile: total 1\n1 @ 0x43e0c5 0x40a1b2\n"+
		"#\t0x40a1b1\texample.com/app.Run+0x55\t/src/app.go:7\n\n")
	got := diagnose(t, url)
	require.Equal(t, exitFindings, got.code, "not judged is not clean")
	require.Contains(t, got.stdout, "cannot tell for 1 of 1 goroutine")
	require.Contains(t, got.stderr, "-binary FILE")
	require.Contains(t, got.stdout, "have no names")
}

// fake answers without a network, so that time can be faked.
type fake func(*http.Request) (*http.Response, error)

func (f fake) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// patient gets a URL within a bubble and returns how long that took.
func patient(f fake) (time.Duration, []byte, error) {
	fetch := &fetcher{&http.Client{Transport: f}, 10 * time.Second, nil,
		&progress{}, make(chan struct{}, 1), nil}
	started := time.Now()
	var got []byte
	err := fetch.do(context.Background(), "http://example.com/",
		func(body io.Reader) (err error) {
			got, err = io.ReadAll(body)
			return err
		})
	return time.Since(started), got, err
}

// drip sends a byte every so often.
type drip struct {
	ctx   context.Context
	every time.Duration
	left  int
}

func (d *drip) Close() error { return nil }

func (d *drip) Read(b []byte) (int, error) {
	if d.left == 0 {
		return 0, io.EOF
	}
	select {
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	case <-time.After(d.every):
	}
	d.left--
	b[0] = 'x'
	return 1, nil
}

func dripping(every time.Duration, n int) fake {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: &drip{r.Context(), every, n}},
			nil
	}
}

// TestPatience: silence ends a request, slowness does not, and nothing lasts
// forever. The times are exact.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		took, _, err := patient(silent)
		require.ErrorContains(t, err, "did not answer within 10s")
		require.ErrorAs(t, err, &unanswered{})
		require.Equal(t, 10*time.Second, took)

		took, got, err := patient(dripping(9*time.Second, 5))
		require.NoError(t, err)
		require.Len(t, got, 5)
		require.Equal(t, 45*time.Second, took)

		took, got, err = patient(dripping(11*time.Second, 5))
		require.ErrorContains(t, err, "in the middle of its answer, and was silent "+
			"for 10s")
		require.ErrorAs(t, err, &unanswered{})
		require.Empty(t, got)
		require.Equal(t, 10*time.Second, took)

		took, _, err = patient(dripping(time.Second, 1000))
		require.ErrorContains(t, err, "still sending after 1m40s")
		require.Equal(t, 100*time.Second, took)
	})
}

// TestPatienceWithParsing: a reader that takes its time is not a silent server.
func TestPatienceWithParsing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fetch := &fetcher{&http.Client{Transport: dripping(9*time.Second, 3)},
			10 * time.Second, nil, &progress{}, make(chan struct{}, 1), nil}
		err := fetch.do(t.Context(), "http://h/", func(body io.Reader) error {
			for {
				_, err := body.Read(make([]byte, 1))
				if err != nil {
					require.Equal(t, io.EOF, err)
					return nil
				}
				time.Sleep(20 * time.Second)
			}
		})
		require.NoError(t, err)
	})
}

// TestPatienceInTurn: a few answers are read at a time, and the time that the
// others wait for it is not held against them.
func TestPatienceInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reading, most atomic.Int32
		fetch := &fetcher{&http.Client{Transport: dripping(9*time.Second, 10)},
			10 * time.Second, nil, &progress{}, make(chan struct{}, 2), nil}
		started := time.Now()
		var all errgroup.Group
		for range 6 {
			all.Go(func() error {
				return fetch.do(t.Context(), "http://h/", func(body io.Reader) error {
					most.Store(max(most.Load(), reading.Add(1)))
					defer reading.Add(-1)
					_, err := io.ReadAll(body)
					return err
				})
			})
		}
		require.NoError(t, all.Wait())
		require.Equal(t, int32(2), most.Load())
		require.Equal(t, 270*time.Second, time.Since(started))
	})
}

// TestFleetHangs: servers that do not answer hardly delay each other.
func TestFleetHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &progress{}
		fetch := &fetcher{&http.Client{Transport: fake(func(r *http.Request) (
			*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}, 30 * time.Second, nil, p, make(chan struct{}, readAtOnce), nil}
		var targets []*target
		for range 1000 {
			targets = append(targets, &target{server: &server{
				form: "auto", url: &url.URL{Scheme: "http", Host: "h"}, fetch: fetch}})
		}
		started := time.Now()
		lookAll(t.Context(), targets, &console{}, p)
		require.Equal(t, 2*time.Minute, time.Since(started))
		for _, t2 := range targets {
			require.ErrorContains(t, t2.err, "did not answer within 30s")
		}
	})
}

// TestInterruptedFleet: the servers that the user did not wait for are not said
// to be down, and not looked at, which is trouble.
func TestInterruptedFleet(t *testing.T) {
	r := new(doctor.Report)
	slow := &target{name: "http://h", server: &server{},
		err: fmt.Errorf("http://h: %w", errInterrupted)}
	require.False(t, absent(r, []*target{slow}, &console{}))
	require.Empty(t, r.Findings)
	require.Equal(t, []string{"http://h"}, r.Targets)
	require.Equal(t, []string{"http://h: interrupted"}, r.Notes)
}

// TestTooManyFiles: a limit of this process is no outage of a server.
func TestTooManyFiles(t *testing.T) {
	full := &url.Error{Op: "Get", Err: &net.OpError{Op: "dial",
		Err: os.NewSyscallError("socket", syscall.EMFILE)}}
	err := (&fetcher{}).why(t.Context(), full)
	require.ErrorContains(t, err, "ulimit -n")
	require.False(t, errors.As(err, &unanswered{}))
}

// begun answers with the first part of a body and then nothing.
func begun(part string, asked *int) fake {
	return func(r *http.Request) (*http.Response, error) {
		*asked++
		return &http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(
			strings.NewReader(part), &drip{r.Context(), time.Hour, 1}))}, nil
	}
}

// TestSilentInTheMiddle: the part of a dump before a server hangs is kept,
// with the reason, and the server is not asked again. So it is if the user
// does not wait.
func TestSilentInTheMiddle(t *testing.T) {
	for name, patience := range map[string]time.Duration{
		"stopped in the middle of its answer, and was silent for 10s": time.Hour,
		"interrupted": time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			s := &server{form: "auto", stop: 1000, name: "http://h",
				url: &url.URL{Scheme: "http", Host: "h"},
				fetch: &fetcher{&http.Client{Transport: begun(idleDump, &asked)},
					10 * time.Second, nil, &progress{}, make(chan struct{}, 1), nil}}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if name == "interrupted" {
				var end context.CancelFunc
				ctx, end = context.WithCancel(t.Context())
				time.AfterFunc(patience, end)
			}
			in, err := s.look(ctx)
			require.NoError(t, err)
			require.Equal(t, 1, asked)
			require.Len(t, in.snaps, 1)
			require.True(t, in.snaps[0].Truncated)
			require.Contains(t, in.snaps[0].Troubles[0].Why, name)
		})
	}
}

// TestHalfIdle: a part of a dump without a stuck goroutine is not all clear.
func TestHalfIdle(t *testing.T) {
	got := diagnose(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000000")
		io.WriteString(w, idleDump)
	}))
	require.Equal(t, exitFindings, got.code, got.stderr)
	require.Contains(t, unwrapped(got.stdout), "cannot tell for goroutines that are "+
		"not in the input")
	require.Contains(t, unwrapped(got.stdout), "closed the connection in the middle")
}

func TestWhy(t *testing.T) {
	f := &fetcher{}
	ctx, cancel := context.WithCancel(context.Background())
	require.NoError(t, f.why(ctx, nil))
	plain := errors.New("plain")
	require.Equal(t, plain, f.why(ctx,
		&url.Error{Op: "Get", URL: "http://x", Err: plain}))
	cancel()
	require.EqualError(t, f.why(ctx, plain), "interrupted")
}

// A fetcher gives up on connecting after -timeout, not earlier or later.
func TestFetchDialTimeout(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	dial := func(timeout time.Duration) error {
		f, err := newFetcher(&options{timeout: timeout}, nil)
		require.NoError(t, err)
		transport := f.client.Transport.(*http.Transport)
		require.Equal(t, timeout, transport.TLSHandshakeTimeout)
		conn, err := transport.DialContext(t.Context(), "tcp", l.Addr().String())
		if err == nil {
			conn.Close()
		}
		return err
	}
	require.NoError(t, dial(20*time.Minute))
	err = dial(time.Nanosecond)
	var timedOut net.Error
	require.ErrorAs(t, err, &timedOut)
	require.True(t, timedOut.Timeout())
	require.Equal(t, 20*time.Minute, (&options{timeout: 20 * time.Minute}).dialer().
		Timeout)
}
