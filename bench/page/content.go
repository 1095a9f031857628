package page

import (
	"fmt"

	"example.com/chanx/bench/rows"
)

const (
	opRoom   = "one operation/room, 8 B"
	opWide   = "one operation/room, 256 B"
	opDrain  = "one operation/1,024 in, then out"
	opNewest = "one operation/full, the newest is lost"
	opOldest = "one operation/full, the oldest is lost"
	opWait   = "one operation/hand-off, a timeout on the send"
	opBoth   = "one operation/hand-off, timeouts on both sides"
	opParked = "one operation/to a parked receiver, GOMAXPROCS 1"
	opLoop   = "one operation/a consumer's value, with its send"
	op386    = "one operation/GOARCH=386 on this processor"
	flood1   = "flood/a receiver; senders: 1"
	flood2   = "flood/a receiver; senders: 2"
	flood64  = "flood/a receiver; senders: 64"
	well     = "service/the consumer keeps up"
	hangs    = "service/the consumer hangs for 200 ms"
	wakes    = "wake/a value every 2 ms"
	receive1 = "broadcast/a flood; subscribers that receive: 1"
	behind64 = "broadcast/a send; subscribers that are behind: 64"
	logFlood = "log writers, 190-byte lines/a flood, 2 producers"
	logBusy  = "log writers, 190-byte lines/a busy service, 2 goroutines"
	restarts = "supervision/a restart after an error, without backoff"
	model1   = "many cores, a model/N cores that send every 1 µs"
	memories = "memory/bytes of one"
)

func op(label, contest, row string) cell { return cell{label, contest, row, "time"} }

func cpu(label, contest, row string) cell {
	return cell{label, contest, row, "CPU a delivered value"}
}

var situations = []situation{
	{name: "room: send and receive", raw: []cell{op("", opRoom, "channel")},
		hand:   []cell{op("select default", opRoom, "select with default")},
		ours:   []cell{op("TrySend, TryRecv", opRoom, "TrySend, TryRecv")},
		allocs: "0", result: "delivered"},
	{name: "the same with timeouts", raw: []cell{op("", opRoom, "channel")},
		hand:   []cell{op("time.After, send only", opRoom, "time.After to send")},
		ours:   []cell{op("SendTimeout, RecvTimeout", opRoom, "SendTimeout, RecvTimeout")},
		allocs: "0", result: "delivered"},
	{name: "the same, ctx on the send", raw: []cell{op("", opRoom, "channel")},
		hand:   []cell{op("select ch, Done", opRoom, "select with ctx.Done() to send")},
		ours:   []cell{op("SendContext", opRoom, "SendContext to send")},
		allocs: "0", result: "delivered"},
	{name: "the same, Ring", raw: []cell{op("", opRoom, "channel")},
		ours:   []cell{op("Send, TryRecv", opRoom, "Ring.Send, TryRecv")},
		allocs: "0", result: "delivered"},
	{name: "the same, Ring, 256 B", raw: []cell{op("", opWide, "channel")},
		ours:   []cell{op("Send, TryRecv", opWide, "Ring.Send, TryRecv")},
		allocs: "0", result: "delivered"},
	{name: "1,024 in, then out: a receive", raw: []cell{op("", opDrain, "channel")},
		hand: []cell{op("chan [256]int", opDrain, "channel of [256]int")},
		ours: []cell{op("RecvBatch", opDrain, "Ring.RecvBatch"),
			op("TryRecv", opDrain, "Ring.TryRecv")}, allocs: "0", result: "delivered"},
	{name: "full, newest lost",
		hand:   []cell{op("select default", opNewest, "select with default")},
		ours:   []cell{op("TrySend", opNewest, "TrySend")},
		allocs: "0", result: "false: v is yours"},
	{name: "full, oldest lost",
		hand: []cell{op("evict loop", opOldest, "evict and retry")},
		ours: []cell{op("Ring.Send", opOldest, "Ring.Send"),
			op("SendDropOldest", opOldest, "SendDropOldest")},
		allocs: "0", result: "oldest lost, counted"},
	{name: "receiver not there yet", raw: []cell{op("", opWait, "channel")},
		hand: []cell{op("time.After", opWait, "time.After"),
			op("timer reset", opWait, "one timer, reset by hand")},
		ours: []cell{op("SendTimeout", opWait, "SendTimeout, RecvTimeout"),
			op("Timeouts", opWait, "Timeouts")},
		allocs: "0", result: "delivered or ErrTimeout"},
	{name: "both sides wait with timeouts", raw: []cell{op("", opBoth, "channel")},
		hand: []cell{op("time.After", opBoth, "time.After"),
			op("timer reset", opBoth, "one timer, reset by hand")},
		ours: []cell{op("SendTimeout, RecvTimeout", opBoth, "SendTimeout, RecvTimeout"),
			op("Timeouts", opBoth, "Timeouts")},
		allocs: "3; 0", result: "delivered or ErrTimeout"},
	floodRow("flood, 2 senders: CPU a delivered value", flood2),
	floodRow("flood, 64 senders: the same", flood64),
	{name: "15,000 req/s, consumer hangs 200 ms: p99",
		raw:  []cell{{"", hangs, "channel", "p99"}},
		hand: []cell{{"select default", hangs, "select with default", "p99"}},
		ours: []cell{{"Ring", hangs, "Ring", "p99"},
			{"SendTimeout(10 ms)", hangs, "SendTimeout, 10 ms", "p99"}},
		allocs: "0", result: "lost:", lost: []cell{
			{"channel", hangs, "channel", "lost"}, {"Ring", hangs, "Ring", "lost"},
			{"SendTimeout", hangs, "SendTimeout, 10 ms", "lost"}}},
	{name: "idle consumer wakes: p50",
		raw:    []cell{{"", wakes, "channel", "p50"}},
		hand:   []cell{{"poll 10 ms", wakes, "poll every 10 ms", "p50"}},
		ours:   []cell{{"Ring.Recv", wakes, "Ring.Recv", "p50"}},
		allocs: "0", result: "two humps: see the results"},
	{name: "consumer under Supervise: a value", raw: []cell{op("", opLoop, "channel")},
		hand: []cell{op("select ch, Done", opLoop, "select with ctx.Done()")},
		ours: []cell{op("receive", opLoop, "under Supervise"),
			op("RecvContext", opLoop, "RecvContext"),
			op("and Beat", opLoop, "RecvContext, Beat"), op("Ring.All", opLoop, "Ring.All")},
		allocs: "0", result: "restarted:",
		lost: []cell{op("", restarts, "chanx.Supervise")}},
	{name: "to 64 subscribers that are behind: a send",
		hand:   []cell{op("select default in a loop", behind64, "select with default in a loop")},
		ours:   []cell{op("Broadcast", behind64, "Broadcast")},
		allocs: "0", result: "each learns its losses"},
}

func floodRow(name, contest string) situation {
	return situation{name: name, raw: []cell{cpu("", contest, "channel")},
		hand: []cell{cpu("evict loop", contest, "evict and retry")},
		ours: []cell{cpu("Ring", contest, "Ring, Recv"),
			cpu("RecvBatch", contest, "Ring, RecvBatch")},
		allocs: "0", result: "lost:", lost: []cell{
			{"channel", contest, "channel", "lost"},
			{"Ring", contest, "Ring, Recv", "lost"}}}
}

// below has a place for the CPU of a request.
const below = `
The service has 8 workers, 20 µs of work and three sends a request, an open loop, and
latencies from the due time. While its consumer keeps up, the kind of send hardly
shows. CPU a request: %s.
SendTimeout does not protect a pool: eight workers that wait 10 ms three times a
request are as late as with a plain send.
`

var requestCPU = []cell{{"no send", well, "no send", "CPU a request"},
	{"channel", well, "channel", "CPU a request"},
	{"TrySend", well, "TrySend", "CPU a request"},
	{"Ring", well, "Ring", "CPU a request"},
	{"asynclog", well, "asynclog, 64 kB", "CPU a request"}}

// An ahead is a comparison that a peer, or the plain channel, may win. Its text
// has three places: theirs, ours, and how many times better theirs is.
type ahead struct {
	theirs, ours cell
	more         bool // is better
	text         string
}

var candidates = []ahead{
	{theirs: cpu("", flood2, "channel"), ours: cpu("", flood2, "Ring, Recv"),
		text: "Senders that wait deliver for less: a channel takes %s of CPU a value, a flooded Ring %s (%sx), which throws most values away."},
	{theirs: cpu("", flood64, "channel"), ours: cpu("", flood64, "Ring, Recv"),
		text: "With 64 senders that becomes %s against %s (%sx)."},
	{theirs: cpu("", flood1, "xsync MPMC, evict with back-off"), ours: cpu("", flood1, "Ring, Recv"),
		text: "With one sender xsync's lock-free queue, whose receiver polls, takes %s, a Ring %s (%sx)."},
	{theirs: cell{"", flood2, "xsync MPMC, evict with back-off", "delivered"},
		ours: cell{"", flood2, "Ring, Recv", "delivered"}, more: true,
		text: "xsync's lock-free queue with its back-off delivers %s where a Ring delivers %s (%sx), to a receiver that polls."},
	{theirs: op("", opDrain, "channel of [256]int"), ours: op("", opDrain, "Ring.RecvBatch"),
		text: "A channel of arrays, filled by hand, is the fastest batch: %s a value against %s by RecvBatch (%sx)."},
	{theirs: op("", opParked, "channel"), ours: op("", opParked, "Ring"),
		text: "To wake a parked receiver takes a channel %s and a Ring %s (%sx)."},
	{theirs: op("", opWide, "channel"), ours: op("", opWide, "Ring.Send, TryRecv"),
		text: "Values of 256 B take %s through a channel, %s through a Ring (%sx)."},
	{theirs: op("", opWide, "select with default"), ours: op("", opWide, "TrySend, TryRecv"),
		text: "TrySend copies a value of 256 B once more than the select it wraps: %s against %s with the receive (%sx)."},
	{theirs: cell{"", wakes, "channel", "p50"}, ours: cell{"", wakes, "RecvTimeout", "p50"},
		text: "A consumer that waits in RecvTimeout wakes later than one that just receives: %s against %s at the median (%sx)."},
	{theirs: op("", op386, "channel, 256 B"), ours: op("", op386, "Ring, 256 B"),
		text: "In a 32-bit program values of 256 B take %s through a channel, %s through a Ring (%sx)."},
	{theirs: op("", opBoth, "one timer, reset by hand"), ours: op("", opBoth, "SendTimeout, RecvTimeout"),
		text: "Where both sides wait, one timer reset by hand takes %s, SendTimeout and RecvTimeout %s (%sx); Timeouts is level with it."},
	{theirs: op("", opLoop, "channel"), ours: op("", opLoop, "RecvContext, Beat"),
		text: "A consumer that only ranges over a channel takes %s a value; with RecvContext and Beat it is %s (%sx)."},
	{theirs: cell{"", memories, "channel of 1, 8 B", "memory"},
		ours: cell{"", memories, "Ring of 1, 8 B", "memory"},
		text: "A channel of one slot takes %s, a Ring %s (%sx)."},
	{theirs: cell{"", logFlood, "mutex and bufio", "CPU a delivered line"},
		ours: cell{"", logFlood, "asynclog", "CPU a delivered line"},
		text: "A mutex and a bufio.Writer write a line for %s of CPU, asynclog for %s (%sx), as long as the file never hangs."},
	{theirs: cell{"", logFlood, "zap buffered", "delivered"},
		ours: cell{"", logFlood, "asynclog", "delivered"}, more: true,
		text: "zap's buffered writer delivers %s lines in a flood, asynclog %s (%sx), which drops the others."},
	{theirs: cell{"", logFlood, "phuslu, async file", "delivered"},
		ours: cell{"", logFlood, "asynclog", "delivered"}, more: true,
		text: "phuslu's logger with its file writer delivers %s lines, asynclog %s (%sx)."},
	{theirs: cell{"", logBusy, "zap buffered", "p50"}, ours: cell{"", logBusy, "asynclog", "p50"},
		text: "In a busy service a line takes zap %s and asynclog %s at the median (%sx)."},
	{theirs: cell{"", receive1, "select with default in a loop", "delivered"},
		ours: cell{"", receive1, "Broadcast", "delivered"}, more: true,
		text: "To a single subscriber that receives, a loop over channels delivers %s, Broadcast %s (%sx)."},
	{theirs: cell{"", model1, "fetch-and-add, at best", "N=32"},
		ours: cell{"", model1, "Ring", "N=32"}, more: true,
		text: "On 32 cores that send every microsecond a lock-free queue can take %s, one Ring %s (%sx), by the model."},
}

// aheads returns the sentences that hold: theirs is better by more than a
// tenth, and the intervals do not meet.
func aheads(f finder) (sentences []string) {
	for _, c := range candidates {
		a, b := f.rounds(c.theirs), f.rounds(c.ours)
		if a == nil || b == nil {
			continue
		}
		theirs, ours := rows.Over(a), rows.Over(b)
		better, worse := theirs, ours
		if c.more {
			better, worse = ours, theirs
		}
		if better.High >= worse.Low || worse.Median < 1.1*better.Median {
			continue
		}
		unit := f.unit(c.theirs)
		sentences = append(sentences, fmt.Sprintf(c.text, unit.Format(theirs.Median),
			unit.Format(ours.Median), rows.Ratios.Format(worse.Median/better.Median)))
	}
	return sentences
}

const idleReceiver = "short of CPU/the receiver has SCHED_IDLE and the CPU is busy, GOMAXPROCS 5"

// limits has two places, for the longest calls of a Ring and of a channel.
const limits = `
## Many cores

The last picture is a model, not a measurement: a cache line costs 30 ns from another core
of the L3 (measured), 110 ns from another L3, 220 ns from another socket (assumed). A
lock saturates at N = 1 + w/S cores that send every w: S is 95 ns within one L3, 335
within a socket. So: below a million sends a second in all it does not matter; above
five million on one L3, or two on a large socket, use one Ring for each group of cores.
To refute it: ` + "`go -C bench run . -cores`" + ` takes two minutes on any machine and prints a
table to send back. If, every microsecond, 8 cores send less than 2.5 or more than 8
times what one does, the model is wrong.

## What these figures cannot say

- Never waits has a limit: a Send that parks at the lock, and is woken by a receiver whose
  thread is SCHED_IDLE, may run no sooner than that thread while the CPU is busy. The
  longest Send in 4 s was then %s, on a channel %s. Other locks that park were no
  better. Give a receiver no less priority than its senders.
- Two processors: nothing above about contention on more is measured.
- Floods have no percentiles: to time a call, its sender reads the clock, and meanwhile
  another takes the lock, which makes the tail ten times too long. The share of calls that
  met a held lock is counted instead, see the results.
- Ratios change with the processor, times even more.
- How many values a flood delivers is the scheduler's doing more than the queue's;
  another run may differ twofold.
- Peers are used as their documentation shows; corrections are welcome.

Compare your own change with benchstat: ` + "`go -C bench run . -against HEAD~1`" + `, or run
` + "`go test -run '^$' -bench . -count 10 .`" + ` and compare the names by impl.
`
