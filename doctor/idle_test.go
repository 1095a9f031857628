package doctor

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// born gives each goroutine of s an id from first on, and parents in turn.
func born(s *Stack, first uint64, parents ...uint64) *Stack {
	for i := range s.Count {
		m := Member{ID: first + uint64(i)}
		if len(parents) > 0 {
			m.Parent = parents[i%len(parents)]
		}
		s.members.add(m)
	}
	return s
}

// upTo is 1 to n.
func upTo(n int) []uint64 {
	ids := make([]uint64, n)
	for i := range ids {
		ids[i] = uint64(i + 1)
	}
	return ids
}

// opinionOn diagnoses and returns what is thought of the goroutines of a
// function.
func opinionOn(t *testing.T, function string, rules Rules,
	p ...*Snapshot) (Group, *Finding) {
	t.Helper()
	r := Diagnose(rules, p...)
	for _, g := range r.Groups {
		if g.Function != function {
			continue
		}
		for i, f := range r.Findings {
			if f.Function == function && f.Line == g.Line && f.Operation == g.Operation {
				return g, &r.Findings[i]
			}
		}
		return g, nil
	}
	require.Fail(t, "no such group", function)
	return Group{}, nil
}

func TestIdleByDesign(t *testing.T) {
	for _, test := range []struct{ state, calls, why string }{
		{"select", "os/signal.signal_recv os/signal.loop", "waits for signals"},
		{"IO wait", "internal/poll.(*FD).Accept net.(*netFD).accept main.main",
			"accepts connections"},
		{"chan receive", "testing.(*T).Run main.f", "waits for a subtest"},
		{"select", "app.serve net/http.(*persistConn).readLoop", ""},
		{"IO wait", "bufio.(*Reader).Read net/http.(*conn).serve",
			"a connection between two requests"},
		{"GC worker (idle)", "runtime.gcBgMarkWorker", "the runtime's own"},
		{"coroutine", "iter.Pull[...].func1 app.f", "an iterator between two values"},
		{"synctest.Run", "internal/synctest.Run app.f",
			"waits for a bubble of testing/synctest"},
		{"running", "runtime/pprof.writeGoroutine app.f", "takes this snapshot"},
		{"select", "google.golang.org/grpc.(*addrConn).resetTransportAndUnlock " +
			"google.golang.org/grpc.(*addrConn).connect",
			"waits before it connects again"},
		{"select", "google.golang.org/grpc.newNonRetryClientStream.func2", openStream},
		{"select", "github.com/golang/glog.(*fileSink).flushDaemon",
			"flushes a log on a timer"},
	} {
		s := standing(1, test.state, strings.Fields(test.calls)...)
		sc := newScene(Rules{}.withDefaults(), process(s))
		assert.Equal(t, test.why, sc.idle(sc.sites[0]), test.calls)
	}
	leaked := standing(1, "coroutine", "iter.Pull[...].func1", "app.f")
	leaked.Leaked = true
	sc := newScene(Rules{}.withDefaults(), process(leaked))
	assert.Empty(t, sc.idle(sc.sites[0]), "what leaked is not idle by design")
}

// Who created those that wait, and how many they are, tells workers from a
// leak.
func TestIdleWaiting(t *testing.T) {
	for name, test := range map[string]struct {
		stacks []*Stack
		state  string
		why    string
	}{
		"one": {[]*Stack{standing(1, "chan receive", "app.wait")}, "idle",
			"one goroutine waiting"},
		"a pool": {[]*Stack{born(standing(300, "select", "app.wait"), 10, 1)}, "idle",
			"a pool: all created by one"},
		"too large for a pool": {[]*Stack{born(standing(1000, "select", "app.wait"),
			10, 1)},
			"stuck", "no pool is that large"},
		"few": {[]*Stack{standing(9, "chan receive", "app.wait")}, "idle",
			"not too many"},
		"one per request": {[]*Stack{born(standing(10, "chan receive", "app.wait"),
			100, upTo(10)...)}, "stuck", "10 different goroutines created them"},
		"half of them": {[]*Stack{born(standing(10, "chan receive", "app.wait"),
			100, upTo(5)...)}, "idle", "not too many"},
		"nine by nine": {[]*Stack{born(standing(9, "chan receive", "app.wait"),
			100, upTo(9)...)}, "idle", "not too many"},
		"chain": {[]*Stack{born(standing(40, "chan receive", "app.wait"),
			1, append([]uint64{99}, upTo(39)...)...)}, "idle", "a chain"},
		"half a chain": {[]*Stack{born(standing(10, "chan receive", "app.wait"),
			100, 100, 101, 102, 103, 104, 1, 2, 3, 4, 5)}, "stuck",
			"10 different goroutines created them"},
		"a long chain": {[]*Stack{born(standing(1200, "chan receive", "app.wait"),
			1, append([]uint64{9999}, upTo(1199)...)...)}, "idle", "a chain"},
		"just a connection each": {[]*Stack{
			born(standing(10, "select", "app.wait"), 100, upTo(10)...),
			standing(10, "IO wait", "app.read")}, "idle", "one per connection"},
		"a tenth fewer connections": {[]*Stack{
			born(standing(40, "select", "app.wait"), 100, upTo(40)...),
			standing(36, "IO wait", "app.read")}, "idle", "one per connection"},
		"one less": {[]*Stack{
			born(standing(40, "select", "app.wait"), 100, upTo(40)...),
			standing(35, "IO wait", "app.read")}, "stuck", "one per request"},
		"a ninth more connections": {[]*Stack{
			born(standing(45, "select", "app.wait"), 100, upTo(45)...),
			standing(50, "IO wait", "app.read")}, "idle", "one per connection"},
		"one more": {[]*Stack{
			born(standing(45, "select", "app.wait"), 100, upTo(45)...),
			standing(51, "IO wait", "app.read")}, "stuck", "one per request"},
		"per connection": {[]*Stack{
			born(standing(40, "select", "app.wait"), 100, upTo(40)...),
			standing(40, "IO wait", "internal/poll.runtime_pollWait", "app.read")},
			"idle", "one per connection"},
		"a writer beside each reader": {[]*Stack{
			born(standing(40, "select", "app.wait"), 100, upTo(40)...),
			born(standing(80, "IO wait", "app.read"), 200, upTo(80)...)},
			"idle", "a goroutine of the same creator"},
		"created by the readers": {[]*Stack{
			born(standing(40, "select", "app.wait"), 100, upTo(40)...),
			born(standing(80, "IO wait", "app.read"), 1, 999)},
			"idle", "a goroutine of the same creator"},
		"half of them beside readers": {[]*Stack{
			born(standing(40, "select", "app.wait"), 100, upTo(40)...),
			born(standing(20, "IO wait", "app.read"), 200, upTo(20)...)},
			"stuck", "as one per request would"},
		"fewer connections": {[]*Stack{
			born(standing(40, "select", "app.wait"), 100, upTo(40)...),
			standing(30, "IO wait", "internal/poll.runtime_pollWait", "app.read")},
			"stuck", "as one per request would"},
	} {
		g, f := opinionOn(t, "app.wait", Rules{}, process(test.stacks...))
		assert.EqualValues(t, test.state, g.Verdict, name)
		assert.Contains(t, g.Why, test.why, name)
		assert.Equal(t, test.state == "stuck", f != nil, name)
	}
}

// That each was created by another is better evidence than that they are many.
// Requests of several connections have several creators by design.
func TestIdleStreamsOfConnections(t *testing.T) {
	_, f := opinionOn(t, "app.wait", Rules{}, process(born(standing(12, "select",
		"app.wait", "google.golang.org/grpc.(*Server).handleStream"), 100,
		upTo(12)...)))
	require.NotNil(t, f)
	assert.Equal(t, Info, f.Severity)
	assert.Contains(t, f.Sentence, "a long poll looks the same")
}

func TestIdleConfidence(t *testing.T) {
	for want, s := range map[string]*Stack{
		"medium": born(standing(10, "select", "app.f"), 100, upTo(10)...),
		"low":    born(standing(1000, "select", "app.f"), 100, 1),
	} {
		_, f := opinionOn(t, "app.f", Rules{}, process(s))
		assert.EqualValues(t, want, f.Confidence)
		assert.Equal(t, s.Count == 1000, f.Severity == Critical)
	}
}

func TestIdleLineage(t *testing.T) {
	s := &site{stacks: []*Stack{
		born(standing(4, "select", "app.f"), 10, 1, 2),
		born(standing(2, "select", "app.g"), 20, 10),
		born(standing(3, "select", "app.h"), 30),
	}}
	parents, chained := lineage(s)
	assert.Equal(t, []int{3, 1}, []int{parents, chained})
}

// Rows and transactions end when they are closed; an hour is too long.
func TestIdleOpenRows(t *testing.T) {
	const text = "goroutine %d [chan receive, %d minutes]:\n" +
		"%s(0xc000100000)\n\t/go/sql.go:2121 +0x58\n" +
		"created by database/sql.open\n\t/go/sql.go:2116 +0x92\n\n"
	for _, function := range []string{"database/sql.(*Rows).awaitDone",
		"database/sql.(*Tx).awaitDone", "github.com/minio/minio-go/v7.(*Client).GetObject.func1",
		"github.com/minio/minio-go/v7.Client.GetObject.func1",
		"app/vendor/github.com/minio/minio-go.Client.getObjectWithContext.func1"} {
		young := mainGoroutine + fmt.Sprintf(text, 20, 59, function)
		g, f := opinionOn(t, function, Rules{}, parseOne(t, young))
		assert.Equal(t, VerdictIdle, g.Verdict)
		assert.Nil(t, f)

		old := young + fmt.Sprintf(text, 21, 60, function)
		g, f = opinionOn(t, function, Rules{}, parseOne(t, old))
		assert.Equal(t, VerdictStuck, g.Verdict)
		require.NotNil(t, f)
		assert.Equal(t, Warning, f.Severity)
		assert.Contains(t, f.Sentence, "which is overdue after 60 minutes")
	}
}

// Nearly all goroutines of a process in one place of a library belong to what
// was not closed; half of them are none of its business.
func TestIdleMostly(t *testing.T) {
	profile := func(n int) *Report {
		return Diagnose(Rules{}, parseOne(t, fmt.Sprintf("goroutine profile: total %d\n",
			n+12)+record(n, "google.golang.org/grpc.(*ccBalancerWrapper).watcher",
			0x43a105, 0x44a10f)+record(11, "app.run", 0x43a105, 0x44a10f)+
			record(1, "main.main", 0x43a105, 0x44a10f)))
	}
	assert.Empty(t, profile(100).Findings)
	r := profile(180)
	require.Len(t, r.Findings, 1)
	assert.Equal(t, ConfidenceLow, r.Findings[0].Confidence)
}

// Two records of a profile were chosen by their author.
func TestIdlePicked(t *testing.T) {
	r := Diagnose(Rules{}, parseOne(t,
		record(426, "net/http.(*persistConn).readLoop", 0x4416ea, 0x450c79)+
			record(3, "app.run", 0x4416ea, 0x450c79)))
	require.Len(t, r.Findings, 1)
	assert.Equal(t, 426, r.Findings[0].Count)
	r = Diagnose(Rules{}, parseOne(t, record(3, "app.run", 0x4416ea, 0x450c79)))
	assert.Zero(t, r.Judged, "of three nothing is known")
}

// A library's reasons are counted over all its places: a client connection has
// two goroutines.
func TestIdleMostlyInPairs(t *testing.T) {
	r := Diagnose(Rules{}, parseOne(t, "goroutine profile: total 420\n"+
		record(200, "net/http.(*persistConn).readLoop", 0x43a105, 0x44a10f)+
		record(200, "net/http.(*persistConn).writeLoop", 0x43a105, 0x44a10f)+
		record(20, "app.run", 0x43a105, 0x44a10f)))
	require.Len(t, r.Findings, 2)
	assert.Equal(t, Warning, r.Findings[0].Severity)
}

// A profile has no times, but two goroutines in the moment between the end of a
// child and that of its output are no chance.
func TestIdleBehindPipesInAProfile(t *testing.T) {
	profile := func(n int) *Report {
		return Diagnose(Rules{}, parseOne(t, fmt.Sprintf("goroutine profile: total %d\n", n)+
			fmt.Sprintf("%d @ 0x1 0x2\n#\t0x1\truntime.chanrecv1+0x1\t/go/src/chan.go:9\n"+
				"#\t0x2\tos/exec.(*Cmd).Wait+0x1\t/go/src/exec.go:9\n"+
				"#\t0x3\tapp.git+0x1\t/src/app.go:9\n", n)))
	}
	require.Len(t, profile(4).Findings, 1)
	assert.Empty(t, profile(1).Findings)
}

// A thousand calls that wait for the other side are not under way.
func TestIdleRemote(t *testing.T) {
	profile := func(n int) *Report {
		return Diagnose(Rules{}, parseOne(t, fmt.Sprintf("goroutine profile: total %d\n", n)+
			record(n, "net/http.(*http2clientStream).awaitRequestCancel", 0x42c0da, 0x43b8be)))
	}
	require.Len(t, profile(1240).Findings, 1)
	assert.Empty(t, profile(40).Findings)
}

// Nearly all goroutines of a profile in one place are no pool unless their name
// shows it. A profile has no evidence but their number.
func TestIdleDominant(t *testing.T) {
	profile := func(count, others int, function string, addresses ...uint64) *Report {
		return Diagnose(Rules{}, parseOne(t, fmt.Sprintf("goroutine profile: total %d\n",
			count+others+1)+record(count, function, addresses...)+
			record(others, "app.(*Server).Serve", 0x43a105, 0x44a10f)+
			record(1, "main.main", 0x43a105, 0x44a10f)))
	}
	for _, addresses := range [][]uint64{{0x43a105, 0x44a10f}, {0x43a105, 0x44a10f, 0x44b000}} {
		r := profile(100, 4, "db.(*conn).startWatcher.func1", addresses...)
		require.Len(t, r.Findings, 1)
		assert.Equal(t, Warning, r.Findings[0].Severity)
		assert.Equal(t, ConfidenceLow, r.Findings[0].Confidence)
		assert.Contains(t, r.Root, "nearly all goroutines of the process")
		for _, r := range []*Report{
			profile(99, 4, "db.(*conn).startWatcher.func1", addresses...),
			profile(100, 40, "db.(*conn).startWatcher.func1", addresses...),
			profile(100, 4, "db.(*Pool).start.func1", addresses...),
			profile(100, 4, "db.(*conn).loop", addresses...),
		} {
			assert.Empty(t, r.Findings)
			assert.False(t, r.Complete())
		}
	}
}

// A hundred goroutines that wait for others to end are one for each job, or left
// behind: a system call does not last.
func TestIdleJoining(t *testing.T) {
	const wait = "%d @ 0x3 0x4 0x5\n#\t0x4\tsync.(*WaitGroup).Wait+0x1\t/go/src/w.go:9\n" +
		"#\t0x5\tdb.(*proxy).serve+0x1\t/src/proxy.go:130\n\n"
	const call = "%d @ 0x1 0x2\n#\t0x1\tsyscall.Syscall6+0x1\t/go/src/z.go:9\n" +
		"#\t0x2\tdb.(*proxy).serve.func1+0x1\t/src/proxy.go:117\n\n"
	profile := func(waiting, calling int) Finding {
		r := Diagnose(Rules{}, parseOne(t, fmt.Sprintf("goroutine profile: total %d\n"+
			wait+call, waiting+calling, waiting, calling)))
		i := slices.IndexFunc(r.Findings, func(f Finding) bool {
			return f.Operation == WaitGroup
		})
		if i < 0 {
			return Finding{}
		}
		return r.Findings[i]
	}
	assert.Equal(t, Warning, profile(100, 110).Severity)
	assert.Contains(t, profile(100, 110).Sentence, "110 that they started are in a "+
		"system call (proxy.go:117)")
	f := profile(100, 90)
	assert.Equal(t, Info, f.Severity)
	assert.Contains(t, f.Sentence, "unless as many jobs are under way")
	assert.Zero(t, profile(99, 110))
}

// A library that waits for something to be given back waits for no work, however
// few its callers are.
func TestIdleResources(t *testing.T) {
	for calls, want := range map[string]string{
		"net/http.(*Transport).getConn":                                        pooled,
		"github.com/redis/go-redis/v9/internal/pool.(*ConnPool).waitTurn":      pooled,
		"github.com/gomodule/redigo/redis.(*Pool).waitVacantConn":              pooled,
		"go.mongodb.org/mongo-driver/x/mongo/driver/topology.(*pool).checkOut": pooled,
		"github.com/valyala/fasthttp.(*HostClient).acquireConn":                pooled,
		"google.golang.org/grpc.(*pickerWrapper).pick":                         pooled,
		"google.golang.org/grpc/internal/transport.(*http2Client).NewStream":   pooled,
		"golang.org/x/net/http2.(*ClientConn).awaitOpenSlotForStreamLocked":    pooled,
		"github.com/jackc/puddle.(*Pool).Acquire.func1":                        "a database connection",
		"github.com/panjf2000/ants/v2.(*Pool).retrieveWorker":                  worker,
		"net/http.(*http2serverConn).writeDataFromHandler":                     flow,
		"net/http.(*http2clientStream).awaitFlowControl":                       flow,
		"google.golang.org/grpc/internal/transport.(*writeQuota).get":          flow,
		"example.com/app.(*Slots).acquire":                                     lent,
		"example.com/app.(*Slots).checkoutOne":                                 lent,
		"example.com/app.(*Slots).acquired":                                    "",
	} {
		state := "select"
		if strings.HasPrefix(calls, "example.com/") {
			state = "sync.Cond.Wait"
		}
		dump := dumpOfMain(60) +
			strings.ReplaceAll(goroutineText(7, 60, state, calls), "main.start", "app.run")
		report := Diagnose(Rules{}, parseOne(t, dump))
		if want == "" {
			assert.Empty(t, report.Findings, calls)
			continue
		}
		require.Len(t, report.Findings, 1, calls)
		assert.Equal(t, want, report.Findings[0].Resource, calls)
		assert.Equal(t, Warning, report.Findings[0].Severity, calls)
	}
}

// A thousand connections of a client to a gRPC server are one too many; a server
// has as many as it has clients.
func TestIdleGRPC(t *testing.T) {
	dump := func(creator string) string {
		return dumpOfMain(60) + filled(1, func(b *strings.Builder, _ int) {
			for i := range 1500 {
				b.WriteString(strings.ReplaceAll(goroutineText(7+i, 60, "select",
					"google.golang.org/grpc/internal/transport.(*controlBuffer).get"),
					"main.start", "google.golang.org/grpc/internal/transport."+creator))
			}
		})
	}
	assert.Len(t, Diagnose(Rules{}, parseOne(t, dump("newHTTP2Client"))).Findings, 1)
	assert.Empty(t, Diagnose(Rules{}, parseOne(t, dump("NewServerTransport"))).Findings)
}

// Goroutines that came one after another and stay are no pool, whose goroutines are
// as old as each other; nor are those that do not dominate their process.
func TestIdleAccumulated(t *testing.T) {
	dump := func(n, step, others int, function string) *Report {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "goroutine %d [select, %d minutes]:\n%s(0xc33a488600)\n"+
				"\t/src/stream.go:324 +0xd7\ncreated by rpc.newStream\n"+
				"\t/src/stream.go:323 +0x8c3\n\n", 100+i, 600-step*i, function)
		}
		for i := range others {
			fmt.Fprintf(&b, "goroutine %d [running]:\napp.work(0x1)\n"+
				"\t/src/app.go:%d +0x1\n\n", 900+i, i)
		}
		return judged(t, b.String())
	}
	r := dump(50, 10, 0, "rpc.newStream.func5")
	require.Len(t, r.Findings, 1)
	assert.Equal(t, Warning, r.Findings[0].Severity)
	assert.Contains(t, r.Findings[0].Sentence, "one after another over 600 minutes")
	for _, r := range []*Report{dump(49, 10, 0, "rpc.newStream.func5"),
		dump(50, 0, 0, "rpc.newStream.func5"), dump(50, 10, 60, "rpc.newStream.func5"),
		dump(50, 10, 0, "rpc.worker")} {
		assert.Empty(t, r.Findings)
	}
}

// A thousand of what a library keeps for each pool are a thousand pools.
func TestPoolsLeak(t *testing.T) {
	for n, want := range map[int]bool{999: false, 1000: true} {
		s := standing(n, "select", "database/sql.(*DB).connectionOpener")
		r := Diagnose(Rules{}, process(s))
		assert.Equal(t, want, len(r.Findings) == 1, "%d", n)
		if want {
			assert.Contains(t, r.Findings[0].Sentence, "was opened and not closed")
		}
	}
	r := Diagnose(Rules{}, process(standing(5000, "IO wait",
		"internal/poll.(*FD).Read", "net/http.(*conn).serve")))
	assert.Empty(t, r.Findings, "a connection for each client")
}

// A library that waits for something to be given back is not idle.
func TestResources(t *testing.T) {
	for call, what := range map[string]string{
		"golang.org/x/sync/semaphore.(*Weighted).Acquire": "a semaphore.Weighted",
		"golang.org/x/sync/errgroup.(*Group).Go":          "a free place in an errgroup",
		"database/sql.(*DB).conn":                         "a database connection",
		"github.com/jackc/pgx/v5/pgxpool.(*Pool).Acquire": "a database connection",
		"example.com/a/vendor/golang.org/x/sync/semaphore.(*Weighted).Acquire": "" +
			"a semaphore.Weighted",
	} {
		_, f := opinionOn(t, "app.f", Rules{}, process(waited(
			standing(1, "select", call, "app.f"), 5)))
		require.NotNil(t, f, call)
		assert.Contains(t, f.Sentence, "1 goroutine is waiting for "+what, call)
		g, f := opinionOn(t, "app.f", Rules{}, process(
			standing(9, "select", call, "app.f")))
		assert.Nil(t, f, call)
		assert.Equal(t, VerdictWorking, g.Verdict)
	}
	assert.Empty(t, resource(standing(1, "select",
		"database/sql.(*DB).connectionOpener", "app.f")))
}

// A library that keeps a connection is idle by design, but not while it waits for
// a semaphore.
func TestIdleUnlessSemaphore(t *testing.T) {
	const dump = "goroutine 217 [semacquire, 318 minutes]:\n" +
		"internal/poll.runtime_Semacquire(0xc000b3a328?)\n\t/go/sema.go:76 +0x2c\n" +
		"internal/poll.(*FD).Close(0xc000b3a300)\n\t/go/fd_unix.go:118 +0x70\n" +
		"net.(*conn).Close(0xc000126c18)\n\t/go/net.go:207 +0x34\n" +
		"google.golang.org/grpc/internal/transport.(*http2Client).Close(0xc0008e0908)\n" +
		"\t/src/http2_client.go:1050 +0x4a8\n" +
		"created by google.golang.org/grpc.(*ClientConn).Close in goroutine 72\n" +
		"\t/src/clientconn.go:1224 +0x184\n\n"
	_, f := findingOf(judged(t, mainGoroutine+dump),
		"google.golang.org/grpc/internal/transport.(*http2Client).Close")
	require.NotNil(t, f)
	assert.Equal(t, Warning, f.Severity)
}
