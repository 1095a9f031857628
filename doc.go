// Package chanx provides channel operations that never block forever, a ring
// that drops its oldest value instead of blocking, and supervision for the
// goroutine at the other end.
//
// It exists because of an outage. A service logged through a channel; the
// goroutine that emptied it met an error and returned; 7,978 requests, and the
// health check, then blocked forever sending to that channel. Each part of the
// package would have prevented it, and examples/incident replays it.
//
// # Which one do I want
//
//   - Offer a value, and do something else if there is no room: [TrySend].
//   - Receive a value if there is one: [TryRecv]. Receive all there are: [Drain].
//   - Wait, but not forever: [SendTimeout], [RecvTimeout]; in a loop that
//     waits again and again: [Timeouts].
//   - Wait until a context is done: [SendContext], [RecvContext]. Receive until
//     then: [All].
//   - Only the newest values matter, and the sender must never wait: a [Ring].
//     If it must be an ordinary channel: [SendDropOldest].
//   - Every receiver gets every value, none can slow the others down, and each
//     learns how many it missed: a [Broadcast]. With capacity 1, the latest
//     value.
//   - Keep a goroutine running, and know why it stopped: [Supervise].
//     Several, with names and a status: a [Supervisor].
//   - Notice a goroutine that hangs without ending: [Beat] and
//     RestartPolicy.Heartbeat.
//   - Report health to a load balancer or an orchestrator: chanxhttp.Live,
//     chanxhttp.Ready.
//   - Write logs without ever waiting for the disk: package asynclog.
//   - Show all of it on one page, and export it to Prometheus or OpenTelemetry:
//     package observe.
//   - Find out which goroutines of a process are stuck, and where: package
//     doctor and the command chanx doctor.
//
// # What happens if
//
// On a channel. "ready" is a value to receive, room to send, or a partner that
// waits on an unbuffered channel.
//
//	                nil             closed            not ready            ctx done before
//	TrySend         false           panics            false                -
//	TryRecv         ErrEmpty        values, then      ErrEmpty             -
//	                                ErrClosed
//	SendDropOldest  1 (v is lost)   panics            evicts; unbuffered:  -
//	                                                  1 (v is lost)
//	Drain           yields nothing  values, then      ends                 -
//	                                ends
//	SendTimeout     d, ErrTimeout   panics            d, ErrTimeout        -
//	RecvTimeout     d, ErrTimeout   values, then      d, ErrTimeout        -
//	                                ErrClosed
//	SendContext     waits for ctx   panics            waits for ctx        ctx.Err()
//	RecvContext     waits for ctx   values, then      waits for ctx        ctx.Err()
//	                                ErrClosed
//	All             waits for ctx   values, then      waits for ctx        yields nothing
//	                                ends
//
// With d <= 0 the Timeout functions try once; the methods of a Timeouts are as
// these functions. A closed channel panics on sending because the language
// does, and recovering would hide a bug: the goroutine that closes must own all
// senders. A Ring may be closed at any time.
//
// On a Ring.
//
//	                full           empty            closed             ctx done before
//	Send            evicts         stores           false              -
//	TrySend         ErrFull        stores           ErrClosed          -
//	TryRecv         value          ErrEmpty         values, ErrClosed  -
//	Recv            value          waits for ctx    values, ErrClosed  ctx.Err()
//	RecvTimeout     value          d, ErrTimeout    values, ErrClosed  -
//	RecvBatch       values         waits for ctx    values, ErrClosed  ctx.Err()
//	All             yields         waits for ctx    values, ends       ends
//	Ready           readable       not readable *   always readable    -
//	Close           closes         closes           nothing            -
//	Len, Cap, Stats at one instant, in any state
//
// (*) or readable once, where another receiver was faster than the one woken.
// Every method of a nil *Ring, and of a Ring not made by NewRing, panics.
//
// On a Broadcast and its Subscriptions.
//
//	                a value there  none              closed             ctx done before
//	Send            stores v       stores v          false              -
//	Subscribe(n)    replays n      replays Len       replays, then      -
//	                                                 ErrClosed
//	TryRecv         value          ErrEmpty          values, ErrClosed  -
//	Recv            value          waits for ctx     values, ErrClosed  ctx.Err()
//	RecvTimeout     value          d, ErrTimeout     values, ErrClosed  -
//	RecvBatch       values         waits for ctx     values, ErrClosed  ctx.Err()
//	All             yields         waits for ctx     values, ends       ends
//	Ready           readable       not readable *    values, then       -
//	                                                 always readable
//	Close           closes         closes            nothing            -
//	Len, Cap, Stats at one instant, in any state
//
// A subscription that is behind by more than the capacity gets the oldest value
// still held, with the number of values missed before it. After its own Close
// every receive returns ErrClosed, whatever it has not received. The zero value
// of either panics.
//
// On workers.
//
//	            ctx done before   ctx done later               the worker ends for good
//	Supervise   ctx.Err()         ctx.Err(), when it returns   nil, or its error
//	Run         ctx.Err()         ctx.Err(), or after          nil, when all have
//	                              StopTimeout the names
//	Remove      ctx.Err()         ctx.Err(); it goes on        nil
//	Restart     ctx.Err()         ctx.Err(); it goes on        starts it again
//	Beat        beats, ctx done or not
//
// A nil function, a nil context and an invalid policy panic before anything
// starts. Add with a name that is taken, or to a supervisor that has stopped, is
// an error, and so is Restart of an unknown worker. Status and Health always
// answer.
//
// What a worker returns, with the zero policy:
//
//	nil, an error, a panic, Goexit     a restart
//	ErrStop                            the end; if its ctx was cancelled to
//	                                   restart it: a restart
//	Permanent(err), ErrStop and an     the end, as failed
//	error joined
//
// context.Cause of its ctx says why the worker is to return: [ErrStopping],
// [ErrRemoved], [ErrRestarting] or [ErrStalled].
//
// # Costs
//
// No path that does not wait allocates, nor does any method of Ring that waits,
// except RecvTimeout and the first Ready. A timeout that waits allocates one
// timer. The other costs are ratios to the plain operation, on two cores;
// BENCHMARKS.md has the intervals, go -C bench run . measures them:
//
//	TrySend, TryRecv                    1.0 of the same select written inline
//	SendTimeout, RecvTimeout, ready     1.0 of a plain send or receive
//	the same, waiting                   0.5 of select with time.After
//	the same, on both sides             1.05 of it; 0.45 with Timeouts
//	SendContext, ready                  0.5 of select with ctx.Done()
//	Ring.Send, full                     0.45 of evict-and-retry on a channel
//	the same, by 64 goroutines          0.6
//	the same, with a receiver in Recv   0.65; CPU for a delivered value: 1.3 to 2.5
//	                                    of that of a blocking send
//	Ring.Send and TryRecv               0.8 of send and receive on a channel
//	Ring.RecvBatch of 256, each         0.03 of a receive
//	Ring.Send to a parked Recv          1.1 of a send to a parked receiver
//	Broadcast.Send                      0.9 of Ring.Send, whatever the number of
//	                                    subscriptions; 0.1 to 1 µs more for each
//	                                    that waits
//	a restart without backoff           0.5 of starting and joining a goroutine
//	the same with a Heartbeat           1.5 of it: each run has its own watch
//	Beat                                a context look-up and a clock reading
//
// # Limits
//
// Nothing here grows without bound: there is no unbounded channel, a worker
// leaks at most 16 goroutines, or MaxRestarts + 1 if that is more, and at most
// 64 KiB of the text of an error are kept. Go cannot end a goroutine that
// ignores its context: a stalled worker is reported, and replaced on request.
// Nothing is kept across a crash of the process.
//
// Everything works inside a testing/synctest bubble, in virtual time, if it
// was made there. The rules are those of channels: a wait inside a bubble for
// a Ring made outside stops virtual time, and hangs the test if nothing outside
// sends; a Ring made inside panics when it is used outside.
//
// The package logs nothing, has no global state, and starts no goroutine except
// under Supervise and Supervisor; those end with them.
package chanx
