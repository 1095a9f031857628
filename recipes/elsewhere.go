package recipes

// withoutRecipe answers searches for which copying code would be the worse
// answer: a library has it, or a line of the language does.
var withoutRecipe = []Recipe{{
	Words: []string{"errgroup", "first error cancels", "bounded parallel loop",
		"errors from goroutines"},
	Use:  "golang.org/x/sync/errgroup",
	Link: "https://pkg.go.dev/golang.org/x/sync/errgroup",
	Does: "runs tasks that are all known, at most n at once with SetLimit, " +
		"and cancels them at the first error.",
}, {
	Words: []string{"singleflight", "deduplicate calls", "cache stampede",
		"thundering herd"},
	Use:  "golang.org/x/sync/singleflight",
	Link: "https://pkg.go.dev/golang.org/x/sync/singleflight",
	Does: "lets callers with the same key share one call. The context of the " +
		"first caller cancels it for all.",
}, {
	Words: []string{"rate limit", "token bucket", "time.Tick"},
	Use:   "golang.org/x/time/rate",
	Link:  "https://pkg.go.dev/golang.org/x/time/rate",
	Does: "limits events per second, with bursts and a context. A time.Tick " +
		"has neither.",
}, {
	Words: []string{"weighted semaphore", "semaphore with weights"},
	Use:   "golang.org/x/sync/semaphore",
	Link:  "https://pkg.go.dev/golang.org/x/sync/semaphore",
	Does:  "limits a sum of weights, such as bytes in memory.",
}, {
	Words: []string{"or-done", "range over a channel with context",
		"for range select done", "bridge"},
	Use:  "chanx.All",
	Link: "timeout.go",
	Does: "ranges over a channel until it is closed or a context is done, " +
		"without a goroutine. A loop in a loop bridges a channel of channels.",
}, {
	Words: []string{"select default", "non-blocking send", "100% CPU",
		"busy loop", "try receive"},
	Use:  "chanx.TrySend, TryRecv, Drain",
	Link: "trysend.go",
	Does: "send or receive without waiting. A loop around a select with a " +
		"default spins; wait in the select instead.",
}, {
	Words: []string{"send with timeout", "receive with timeout",
		"time.After in a loop"},
	Use:  "chanx.SendTimeout, RecvTimeout, Timeouts",
	Link: "timeout.go",
	Does: "wait for a channel, but not forever. Timeouts makes one timer for " +
		"a whole loop.",
}, {
	Words: []string{"stop a goroutine", "cancel a goroutine", "goroutine leak",
		"quit channel", "done channel", "cancellation"},
	Use:  "chanx.SendContext, RecvContext",
	Link: "timeout.go",
	Does: "wait until a context is done. Every wait of a goroutine needs that " +
		"way out: one without it leaks when the other side is gone.",
}, {
	Words: []string{"generator", "iterator", "yield"},
	Use:   "iter.Seq",
	Link:  "https://pkg.go.dev/iter",
	Does: "yields values without a goroutine and a channel, so that a " +
		"consumer that breaks leaks nothing.",
}, {
	Words: []string{"or-channel", "first of n done", "any channel closed"},
	Use:   "context.AfterFunc, context.WithCancel",
	Link:  "https://pkg.go.dev/context",
	Does: "One context that each of the n cancels is done with the first of " +
		"them.",
}, {
	Words: []string{"confinement", "actor", "share memory by communicating",
		"shared slice"},
	Use:  "one goroutine that owns the data",
	Link: "https://go.dev/blog/codelab-share",
	Does: "receives the changes over a channel. Goroutines that each write " +
		"their own element of a slice need neither a channel nor a lock.",
}, {
	Words: []string{"future", "promise", "await"},
	Use:   "make(chan T, 1)",
	Link:  "https://go.dev/ref/spec#Making_slices_maps_and_channels",
	Does: "A goroutine sends its one result to it and ends, whether or not " +
		"the result is received.",
}, {
	Words: []string{"unbounded channel", "infinite channel", "infinite buffer"},
	Use:   "chanx.Ring",
	Link:  "ringbuffer.go",
	Does: "has a bound, on purpose: a buffer without one ends when memory " +
		"does. It drops the oldest value and counts it.",
}, {
	Words: []string{"drop oldest", "ring buffer", "latest value", "mailbox",
		"bounded queue", "back-pressure", "backpressure", "producer consumer",
		"lossy channel"},
	Use:  "chanx.Ring",
	Link: "ringbuffer.go",
	Does: "keeps the newest n values: Send drops the oldest and never waits, " +
		"TrySend refuses. NewRing(1) is a mailbox for the latest value.",
}, {
	Words: []string{"steward", "restart a goroutine", "supervisor",
		"keep a goroutine running", "goroutine monitor", "panic in a goroutine",
		"recover"},
	Use:  "chanx.Supervise, Supervisor",
	Link: "supervise.go",
	Does: "restart a goroutine that ends by an error, a panic or Goexit, with " +
		"backoff, and keep its last exits.",
}, {
	Words: []string{"async log", "log writer", "log queue", "asynchronous logging",
		"non-blocking log"},
	Use:  "asynclog",
	Link: "asynclog/writer.go",
	Does: "is a log writer that never blocks its callers, within a budget of " +
		"bytes, and reports each loss in the log.",
}, {
	Words: []string{"eapache/channels", "go-diodes", "ringchan",
		"watch.Broadcaster", "cskr/pubsub", "teivah/broadcast",
		"subscriber map", "migrate from another channel library"},
	Use:  "docs/migrating.md",
	Link: "docs/migrating.md",
	Does: "translates them call by call.",
}, {
	Words: []string{"health check", "liveness", "readiness", "probe"},
	Use:   "chanxhttp.Live, Ready",
	Link:  "chanxhttp/example_test.go",
	Does: "answer a load balancer or an orchestrator also when logging, disk " +
		"and workers are stuck.",
}}
