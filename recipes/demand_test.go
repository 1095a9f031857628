package recipes

// demand lists the patterns that people look for, the most wanted first.
var demand = []struct{ searches, answer string }{
	{"worker pool, bounded parallelism, goroutine pool", "workerpool"},
	{"fan-out", "workerpool"},
	{"generator", "iter.Seq"},
	{"send with timeout, time.After in a loop",
		"chanx.SendTimeout, RecvTimeout, Timeouts"},
	{"bounded queue, back-pressure, producer consumer", "chanx.Ring"},
	{"select default, non-blocking send, 100% CPU",
		"chanx.TrySend, TryRecv, Drain"},
	{"or-done, range over a channel with context", "chanx.All"},
	{"rate limit, token bucket", "golang.org/x/time/rate"},
	{"or-channel, first of n done", "context.AfterFunc, context.WithCancel"},
	{"weighted semaphore", "golang.org/x/sync/semaphore"},
	{"errors from goroutines", "golang.org/x/sync/errgroup"},
	{"bridge", "chanx.All"},
	{"confinement", "one goroutine that owns the data"},
	{"steward, supervisor", "chanx.Supervise, Supervisor"},
	{"future, promise", "make(chan T, 1)"},
	{"unbounded channel", "chanx.Ring"},
	{"drop oldest, latest value, mailbox", "chanx.Ring"},
	{"singleflight", "golang.org/x/sync/singleflight"},
	{"errgroup", "golang.org/x/sync/errgroup"},
}
