package doctor

import (
	"fmt"
	"slices"
	"strings"

	"example.com/chanx/internal/printable"
)

// resources are calls of libraries that wait until another goroutine gives
// something back, which ends: to wait there for long is not to wait for work. A
// name that ends in * stands for all that begin with it.
var resources = []struct{ call, what string }{
	{"golang.org/x/sync/semaphore.(*Weighted).Acquire", "a semaphore.Weighted"},
	{"golang.org/x/sync/errgroup.(*Group).Go", "a free place in an errgroup"},
	{"golang.org/x/sync/singleflight.(*Group).Do", "the same call under way"},
	{"database/sql.(*DB).conn", "a database connection"},
	{"github.com/jackc/pgx/v4/pgxpool.(*Pool).Acquire", "a database connection"},
	{"github.com/jackc/pgx/v5/pgxpool.(*Pool).Acquire", "a database connection"},
	{"github.com/jackc/pgx.(*ConnPool).Acquire", "a database connection"},
	{"github.com/jackc/puddle/*", pooled},
	{"github.com/jackc/puddle.(*Pool).Acquire*", "a database connection"},
	{"github.com/go-redis/redis/internal/pool.(*ConnPool).waitTurn", pooled},
	{"github.com/go-redis/redis/v7/internal/pool.(*ConnPool).waitTurn", pooled},
	{"github.com/go-redis/redis/v8/internal/pool.(*ConnPool).waitTurn", pooled},
	{"github.com/redis/go-redis/v9/internal/pool.(*ConnPool).waitTurn", pooled},
	{"github.com/gomodule/redigo/redis.(*Pool).waitVacantConn", pooled},
	{"github.com/gomodule/redigo/redis.(*Pool).get", pooled},
	{"github.com/garyburd/redigo/redis.(*Pool).get", pooled},
	{"go.mongodb.org/mongo-driver/x/mongo/driver/topology.(*pool).checkOut", pooled},
	{"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology.(*pool).checkOut", pooled},
	{"gopkg.in/mgo%2ev2.(*mongoServer).AcquireSocket*", pooled},
	{"github.com/neo4j/neo4j-go-driver/v4/neo4j/internal/pool.(*Pool).Borrow", pooled},
	{"github.com/neo4j/neo4j-go-driver/v5/neo4j/internal/pool.(*Pool).Borrow", pooled},
	{"github.com/valyala/fasthttp.(*HostClient).acquireConn", pooled},
	{"github.com/valyala/fasthttp.(*HostClient).queueForIdle*", pooled},
	{"github.com/panjf2000/ants.(*Pool).retrieveWorker", worker},
	{"github.com/panjf2000/ants/v2.(*Pool).retrieveWorker", worker},
	{"github.com/panjf2000/ants/v2.(*PoolWithFunc).retrieveWorker", worker},
	{"github.com/panjf2000/ants/v2.(*poolCommon).retrieveWorker", worker},
	{"github.com/Jeffail/tunny.(*Pool).Process*", worker},
	{"net/http.(*http2serverConn).writeDataFromHandler", flow},
	{"net/http.(*http2responseWriterState).writeChunk", flow},
	{"golang.org/x/net/http2.(*serverConn).writeDataFromHandler", flow},
	{"net/http.(*http2serverConn).writeHeaders", flow},
	{"golang.org/x/net/http2.(*serverConn).writeHeaders", flow},
	{"net/http.(*http2clientStream).awaitFlowControl", flow},
	{"golang.org/x/net/http2.(*clientStream).awaitFlowControl", flow},
	{"google.golang.org/grpc/internal/transport.(*writeQuota).get", flow},
	{"google.golang.org/grpc/internal/transport.(*http2Client).NewStream", pooled},
	{"google.golang.org/grpc.(*pickerWrapper).pick", pooled},
	{"net/http.(*http2ClientConn).awaitOpenSlot*", pooled},
	{"golang.org/x/net/http2.(*ClientConn).awaitOpenSlot*", pooled},
	{"net/http.(*Transport).getConn", pooled},
	{"net/http.(*persistConn).roundTrip", remote},
	{"net/http.(*http2clientStream).*", remote},
	{"net/http.(*http2ClientConn).RoundTrip", remote},
	{"net/http.(*http2ClientConn).roundTrip", remote},
	{"net/http.http2transportResponseBody.Read", remote},
	{"golang.org/x/net/http2.(*ClientConn).RoundTrip", remote},
	{"golang.org/x/net/http2.(*clientStream).*", remote},
	{"golang.org/x/net/http2.transportResponseBody.Read", remote},
}

// The resources of many libraries. No goroutine of this process gives back the
// last two; an answer may come after any time, as to a long poll, but to take
// data or to open a connection takes seconds.
const (
	pooled = "a connection of a pool"
	worker = "a free worker of a pool"
	lent   = "something that others give back"
	flow   = "the other side of a connection to take data"
	remote = "the other side of a connection"
)

// resource returns what a call above the user's, of a library, waits for on
// its behalf, or "".
func resource(s *Stack) string {
	for _, f := range s.Frames {
		symbol := unvendored(f.Func)
		for _, r := range resources {
			begin, all := strings.CutSuffix(r.call, "*")
			if symbol == r.call || all && strings.HasPrefix(symbol, begin) {
				return r.what
			}
		}
		if !isStd(f.Func) && !strings.HasPrefix(symbol, "golang.org/x/net/http2.") {
			if hasWord(symbol, acquiring) && operationOf(s) == Cond {
				return lent
			}
			break
		}
	}
	return ""
}

// The designs that other rules ask for.
const (
	childProcess    = "waits for a child process"
	openTransaction = "watches a transaction's context"
	openRows        = "watches a query's context"
	openObject      = "serves the reads of an object"
	clientOfGRPC    = "keeps a client's gRPC connection"
	serverOfGRPC    = "keeps a gRPC connection"
)

// openings are the designs that end when something is closed.
var openings = map[string]clause{
	openTransaction: {"the transaction is", "the transactions are"},
	openRows:        {"the rows are", "the rows are"},
	openObject:      {"the object is", "the objects are"},
}

// designs are calls of libraries in which to wait is to work. A symbol that
// ends in a dot or an opening stands for all that begin with it.
var designs = []struct{ call, why string }{
	{"os/signal.", "waits for signals"},
	{"net.(*TCPListener).Accept", "accepts connections"},
	{"net.(*UnixListener).Accept", "accepts connections"},
	{"net.(*UDPConn).Read", "reads packets"},
	{"net.(*netFD).accept", "accepts connections"},
	{"internal/poll.(*FD).Accept", "accepts connections"},
	{"net/http.(*connReader).backgroundRead",
		"watches a connection during a request"},
	{"net/http.(*persistConn).readLoop", "keeps a client connection"},
	{"net/http.(*persistConn).writeLoop", "keeps a client connection"},
	{"net/http.(*http2ClientConn).readLoop", "keeps a client connection"},
	{"net/http.(*http2clientConnReadLoop)", "keeps a client connection"},
	{"net/http.(*http2serverConn).serve", "serves a connection"},
	{"net/http.(*http2serverConn).readFrames", "serves a connection"},
	{"net/http.(*Server).Shutdown", "shuts a server down"},
	{"net/http.(*Server).trackListener", "serves"},
	{"database/sql.(*DB).connectionOpener", "opens database connections"},
	{"database/sql.(*DB).connectionCleaner", "closes idle database connections"},
	{"database/sql.(*DB).connectionResetter", "resets database connections"},
	{"database/sql.(*Tx).awaitDone", openTransaction},
	{"database/sql.(*Rows).awaitDone", openRows},
	{"github.com/minio/minio-go.Client.getObjectWithContext.func", openObject},
	{"github.com/minio/minio-go/v6.Client.getObjectWithContext.func", openObject},
	{"github.com/minio/minio-go/v7.Client.GetObject.func", openObject},
	{"github.com/minio/minio-go/v7.(*Client).GetObject.func", openObject},
	{"context.propagateCancel", "passes a cancellation on"},
	{"context.(*cancelCtx).propagateCancel", "passes a cancellation on"},
	{"os/exec.(*Cmd)", childProcess},
	{"os.(*Process).Wait", childProcess},
	{"testing.(*T).Run", "waits for a subtest"},
	{"testing.(*B).Run", "waits for a benchmark"},
	{"testing.(*T).Parallel", "waits for its turn in parallel tests"},
	{"testing.(*M).startAlarm", "times the tests"},
	{"testing.runTests", "waits for the tests"},
	{"testing.RunTests", "waits for the tests"},
	{"testing.tRunner.func", "waits for parallel subtests"},
	{"testing.(*testState).waitParallel", "waits for its turn in parallel tests"},
	{"testing.(*testContext).waitParallel",
		"waits for its turn in parallel tests"},
	{"runtime.ensureSigM", "the runtime's own"},
	{"runtime.gcBgMarkWorker", "the runtime's own"},
	{"golang.org/x/net/http2.(*clientConnReadLoop)", "keeps a client connection"},
	{"golang.org/x/net/http2.(*serverConn).serve", "serves a connection"},
	{"golang.org/x/net/http2.(*serverConn).readFrames", "serves a connection"},
	{"google.golang.org/grpc/internal/transport.(*controlBuffer).get",
		serverOfGRPC},
	{"google.golang.org/grpc/internal/transport.(*http2Client)", clientOfGRPC},
	{"google.golang.org/grpc/internal/transport.(*http2Server)",
		serverOfGRPC},
	{"google.golang.org/grpc/internal/grpcsync.(*CallbackSerializer)",
		"waits for callbacks"},
	{"google.golang.org/grpc.(*ccBalancerWrapper)", "waits for updates"},
	{"google.golang.org/grpc.(*Server).serverWorker", "waits for work"},
	{"google.golang.org/grpc.newClientStream.func", openStream},
	{"google.golang.org/grpc.newClientStreamWithParams.func", openStream},
	{"google.golang.org/grpc.NewClientStream.func", openStream},
	{"google.golang.org/grpc.newNonRetryClientStream.func", openStream},
	{"google.golang.org/grpc.(*addrConn).resetTransport",
		"waits before it connects again"},
	{"go.opencensus.io/stats/view.(*worker).start", "waits for measurements"},
	{"github.com/golang/glog.(*loggingT).flushDaemon", "flushes a log on a timer"},
	{"github.com/golang/glog.(*fileSink).flushDaemon", "flushes a log on a timer"},
	{"k8s.io/klog/v2.(*flushDaemon)", "flushes a log on a timer"},
	{"k8s.io/klog.(*loggingT).flushDaemon", "flushes a log on a timer"},
	{"github.com/valyala/fasthttp.(*workerPool)", "waits for connections"},
}

// design returns why waiting there is in order, by the library call it is in.
// Only what stands above the user's code counts, and its own first call: a
// user's bug below a call of the testing package is not the package's.
func design(s *Stack) (string, bool) {
	_, why, ok := designAt(s)
	return why, ok
}

// designAt is design with the index of the library's call, which is 0 where no
// one call says it.
func designAt(s *Stack) (at int, why string, ok bool) {
	user := userCall(s)
	for i, f := range s.Frames {
		if why := designOf(f.Func); why != "" {
			if why == serverOfGRPC && strings.HasSuffix(s.CreatedBy.Func,
				".newHTTP2Client") {
				why = clientOfGRPC
			}
			return i, why, true
		}
		if i == user {
			break
		}
	}
	// What net/http reads between requests has no handler on the stack.
	if user < 0 && s.has("net/http.(*conn).serve") {
		return 0, "a connection between two requests", true
	}
	return 0, "", false
}

// designOf is design for a call of a library, or "".
func designOf(symbol string) string {
	symbol = unvendored(symbol)
	for _, d := range designs {
		if strings.HasPrefix(symbol, d.call) {
			return d.why
		}
	}
	return ""
}

// idle returns why s need not be looked at further, or "".
func (sc *scene) idle(s *site) string {
	if pattern, ok := sc.ignored(s); ok {
		return "ignored by " + pattern
	}
	if s.leaked > 0 {
		return ""
	}
	switch s.op {
	case "runtime":
		return "the runtime's own"
	case "coroutine":
		return "an iterator between two values"
	case "synctest.Wait", "synctest.Run":
		return "waits for a bubble of testing/synctest"
	}
	if tracing(s.stacks[0]) {
		return "takes this snapshot"
	}
	if s.op == Running || s.op == ChanSend || isLock(s.op) || s.resource != "" || promptCall(s) != "" {
		return "" // a library at work, or stuck in its own code
	}
	if s.op == OperationUnknown && s.stacks[0].members.len() > 0 {
		return "" // its operation is not known
	}
	if why, ok := design(s.stacks[0]); ok {
		return why
	}
	return ""
}

// waiting judges receives, selects and condition variables outside requests:
// what workers between two jobs do, and leaked goroutines too. What tells them
// apart is who created them, and how many there are.
func (sc *scene) waiting(s *site) verdict {
	v := verdict{state: VerdictIdle, confidence: ConfidenceLow,
		receiver: ReceiverUnknown}
	parents, chained := lineage(s)
	switch {
	case sc.picked(s) && s.count >= 5*sc.rules.Many:
		v = leak("their record was picked from a profile")
	case sc.dominant(s):
		v = leak("they are nearly all goroutines of the process")
	case s.op == WaitGroup && s.count >= 10*sc.rules.Many && sc.profiled(s):
		v = sc.joining(s)
	case sc.accumulated(s):
		v = leak(fmt.Sprintf("most goroutines of the process, they came one "+
			"after another over %s", printable.Plural(s.longest, "minute")))
	case sc.timeless() && s.count < sc.rules.Many:
		v.state = VerdictUnknown
		v.why = "picked from a dump that does not say for how long"
	case s.op == WaitGroup && s.count < sc.rules.Many:
		v.why = "waits for other goroutines to end"
	case s.count == 1:
		v.why = "one goroutine waiting for something to do"
	case 2*chained > s.count:
		v.why = "a chain: each created the next, and its end decides"
	case parents == 1 && s.count < 100*sc.rules.Many:
		v.why = "a pool: all created by one goroutine"
	case sc.connections(s):
		v.why = "one per connection: as many goroutines wait for IO"
	case sc.besideIO(s):
		v.why = "one per connection: a goroutine of the same creator waits for IO"
	case 2*parents > s.count && 2*s.requests < s.count &&
		s.count >= sc.rules.Many:
		v = leak(fmt.Sprintf("%d different goroutines created them, "+
			"as one per request would", parents))
		v.confidence = ConfidenceMedium
	case s.count >= 100*sc.rules.Many:
		v = leak("no pool is that large")
	default:
		v.why = "not too many for a pool of workers"
	}
	return v
}

// profiled reports whether s is of a profile, which knows neither the age of a
// goroutine nor who created it.
func (sc *scene) profiled(s *site) bool {
	stack := s.stacks[0]
	return stack.State == "" && stack.members.len() == 0
}

// dominant reports whether nearly all goroutines of a profile are those of s,
// which are more than a hundred and by their name no pool: their number is all
// that a profile tells.
func (sc *scene) dominant(s *site) bool {
	return sc.profiled(s) && !sc.now.Extract && len(sc.now.Stacks) > 2 &&
		s.count >= 10*sc.rules.Many && 10*s.count >= 9*sc.now.Goroutines &&
		!isPool(s.at.Func)
}

// accumulated reports whether the goroutines of s are most of their process and
// have come one after another over an hour, unlike those of a pool, which are as
// old as each other, and those of connections, of which others read.
func (sc *scene) accumulated(s *site) bool {
	if s.count < 5*sc.rules.Many || 2*s.count < sc.now.Goroutines ||
		s.longest < openTooLong || isPool(s.at.Func) || sc.connections(s) {
		return false
	}
	ages := make(map[uint32]bool)
	for _, stack := range s.stacks {
		for _, m := range stack.members.all() {
			ages[m.Minutes] = true
		}
	}
	return 2*len(ages) > s.count
}

// joining judges goroutines of a profile that wait for those that they started
// to end. No pool does that, but a server may for each connection.
func (sc *scene) joining(s *site) verdict {
	for _, o := range sc.sites {
		if o.count < 10*sc.rules.Many || !sc.spend() {
			break // they are sorted
		}
		if o != s && (o.op == Syscall || stuckIn(o.op)) &&
			declared(o.at.Func) == declared(s.at.Func) {
			return leak(fmt.Sprintf("%s that they started are %s",
				printable.Number(o.count), where(o)))
		}
	}
	v := leak("unless as many jobs are under way")
	v.state, v.severity = VerdictUnknown, Info
	return v
}

// mostly reports whether nearly all goroutines of a whole process wait in the
// same way of a library, and those of s are many.
func (sc *scene) mostly(s *site, why string) bool {
	if s.count < 10*sc.rules.Many || len(sc.now.Stacks) < 3 || sc.now.Extract {
		return false
	}
	if sc.designed == nil {
		sc.designed = make(map[string]int)
		for _, other := range sc.sites {
			if why, ok := design(other.stacks[0]); ok {
				sc.designed[why] += other.count
			}
		}
	}
	return 10*sc.designed[why] >= 9*sc.now.Goroutines
}

// leak is the verdict on waiting goroutines that are too many.
func leak(why string) verdict {
	return stuckVerdict(ConfidenceLow, why, same("they look leaked: "+why))
}

// perConnection are the designs of which a server has one for each client; a
// thousand of any other is a thousand pools, clients or transactions that were
// not closed.
var perConnection = set([]string{
	"serves a connection", "watches a connection during a request",
	"a connection between two requests", "waits for connections",
	"waits for its turn in parallel tests", "waits for parallel subtests",
	"the runtime's own", serverOfGRPC, "waits for work",
	childProcess, "accepts connections",
	"waits for a subtest", "waits for a benchmark",
})

// openTooLong is the age, in minutes, of database rows, a transaction or an
// object that was most likely not closed.
const openTooLong = 60

// pools judges waiting by design: a thousand of it is a leak, and so are rows
// that stay open.
func (sc *scene) pools(s *site, why string) verdict {
	v := verdict{state: VerdictIdle, why: why}
	if c, ended := sc.afterChild(s); why == childProcess && ended {
		return c
	}
	if closes, ok := openings[why]; ok && s.longest >= openTooLong {
		return stuckVerdict(ConfidenceMedium, why+", which was most likely not closed",
			clause{"it ends when ", "they end when "}.join(closes).join(
				same(" closed, which is overdue"+since(s, " after "))))
	}
	if why == openStream && sc.unreadStreams(s) {
		v = leak("each " + why + ", and few goroutines read any")
		v.confidence = ConfidenceMedium
		return v
	}
	sure := ConfidenceMedium
	if sc.mostly(s, why) || sc.picked(s) && s.count >= 5*sc.rules.Many {
		sure = ConfidenceLow
	} else if s.count < 100*sc.rules.Many {
		return v
	}
	if perConnection[why] || strings.HasPrefix(why, "ignored by ") {
		return v
	}
	return stuckVerdict(sure, why+", and they are too many", same("each "+why+
		", and belongs to something that was opened and not closed"))
}

// since is " for 146 minutes". It is for sentences whose evidence is the time.
func since(s *site, preposition string) string {
	if s.longest == 0 {
		return ""
	}
	return preposition + printable.Plural(s.longest, "minute")
}

// lineage returns how many different goroutines created those of s, and how
// many of them are goroutines of s.
func lineage(s *site) (parents, chained int) {
	own := make([]uint64, 0, s.count)
	ids := make([]uint64, 0, s.count)
	for _, stack := range s.stacks {
		for _, m := range stack.members.all() {
			own = append(own, m.ID)
			if m.Parent != 0 {
				ids = append(ids, m.Parent)
			}
		}
	}
	slices.Sort(own)
	slices.Sort(ids)
	distinct := slices.Compact(ids)
	for _, id := range distinct {
		if _, ok := slices.BinarySearch(own, id); ok {
			chained++
		}
	}
	return len(distinct), chained
}

// besideIO reports whether most goroutines of s were created by one that waits
// for IO or that created another which does: a writer and the reader of the same
// connection. A process that is server and client has twice as many readers.
func (sc *scene) besideIO(s *site) bool {
	if s.count < sc.rules.Many {
		return false
	}
	if sc.readers == nil {
		sc.readers = make(map[uint64]bool)
		for _, other := range sc.sites {
			if other.op == IO && !other.design {
				for _, stack := range other.stacks {
					for _, m := range stack.members.all() {
						sc.readers[m.ID], sc.readers[m.Parent] = true, true
					}
				}
			}
		}
	}
	beside := 0
	for _, stack := range s.stacks {
		for _, m := range stack.members.all() {
			if m.Parent != 0 && sc.readers[m.Parent] {
				beside++
			}
		}
	}
	return 2*beside > s.count
}

// connections reports whether about as many goroutines wait for IO in another
// place: one reads from and one writes to each connection.
func (sc *scene) connections(s *site) bool {
	if s.count < sc.rules.Many {
		return false
	}
	if sc.io == nil {
		sc.io = []int{0}
		for _, other := range sc.sites {
			if other.op == IO && !other.design {
				sc.io = append(sc.io, other.count)
			}
		}
		slices.Sort(sc.io)
	}
	// The least that is at least nine tenths of the count.
	i, _ := slices.BinarySearch(sc.io, (s.count*9+9)/10)
	return i < len(sc.io) && sc.io[i]*9 <= s.count*10
}
