package main

// superviseVariants are of Supervise, the Supervisor and what both have.
var superviseVariants = []variant{{
	name:    "exit-stack-lost",
	old:     "Stack: debug.Stack(), text",
	new:     "Stack: debug.Stack()[:0], text",
	mistake: "A panic is kept without its stack.",
}, {
	name:    "exit-goexit-unseen",
	old:     "\t\tinWorker = true\n\t\tf = protect(ctx, k.worker, &f)\n",
	new:     "\t\tf = protect(ctx, k.worker, &f)\n",
	mistake: "A worker that calls runtime.Goexit is gone, and nobody notices.",
}, {
	name:    "exit-nil-completes",
	old:     "\tcase f.stop, mode == RestartOnFailure && f.err == nil:\n",
	new:     "\tcase f.stop, f.err == nil:\n",
	mistake: "A nil return ends a worker that is to be restarted always.",
}, {
	name:    "exit-foreign-cancel-is-shutdown",
	old:     "\tv := verdict{err: k.ctx.Err()}\n",
	new:     "\tv := verdict{err: k.ctx.Err()}\n\tif f.err == context.Canceled {\n\t\tv.err = f.err\n\t}\n",
	mistake: "A context.Canceled of some other context counts as shutdown.",
}, {
	name:    "exit-wrapped-stop-ignored",
	old:     "\treturn errors.Is(err, ErrStop) && panicIn(err) == nil\n",
	new:     "\treturn err == ErrStop && panicIn(err) == nil\n",
	mistake: "A wrapped ErrStop does not stop.",
}, {
	name:    "policy-window-off-by-one",
	old:     "\treturn w.max > 0 && len(w.times) >= w.max\n",
	new:     "\treturn w.max > 0 && len(w.times) > w.max\n",
	mistake: "The window lets one restart too many through.",
}, {
	name:    "policy-window-edge",
	old:     "now.Sub(w.times[old]) >= w.within",
	new:     "now.Sub(w.times[old]) > w.within",
	mistake: "A restart stays in the window for a moment too long.",
}, {
	name:    "policy-limit-off-by-one",
	old:     "r.restarts >= r.policy.MaxRestarts\n",
	new:     "r.restarts > r.policy.MaxRestarts\n",
	mistake: "Without a window, one restart too many.",
}, {
	name:    "policy-healthy-edge",
	old:     "\tif ran >= r.policy.ResetAfter {\n",
	new:     "\tif ran > r.policy.ResetAfter {\n",
	mistake: "A run of exactly ResetAfter does not count as healthy.",
}, {
	name:    "policy-healthy-run-keeps-window",
	old:     "\t\tr.recent.times = r.recent.times[:0]\n",
	new:     "",
	mistake: "A healthy run does not empty the window.",
}, {
	name:    "policy-stall-is-healthy",
	old:     "\tif err == ErrStalled {\n\t\treturn 0\n\t}\n\treturn ran\n",
	new:     "\treturn ran\n",
	mistake: "A run replaced as stalled counts as healthy: the leak has no bound.",
}, {
	name:    "policy-no-jitter",
	old:     "\treturn p.MinBackoff + rand.N(p.longest(n)-p.MinBackoff+1)\n",
	new:     "\treturn p.longest(n) + 0*rand.N(p.longest(n)-p.MinBackoff+1)\n",
	mistake: "Backoff has no jitter: all workers come back at once.",
}, {
	name:    "policy-leak-unbounded",
	old:     "\treturn p.ReplaceStalled && (leaked < maxLeaked || leaked <= p.MaxRestarts)\n",
	new:     "\treturn p.ReplaceStalled && leaked >= 0\n",
	mistake: "A worker that hangs in every run leaks a goroutine each time.",
}, {
	name:    "policy-window-out-of-reach",
	old:     "\tcase n > fit:\n",
	new:     "\tcase n > fit && fit < 0:\n",
	mistake: "A limit that the average waits never reach is accepted.",
}, {
	name:    "exit-text-read-late",
	old:     "\t\tshown: &rendering{text: textOf(err), panic: panicIn(err)},\n",
	new:     "",
	mistake: "The text of an error is taken under the lock, whenever it is read.",
}, {
	name:    "policy-backoff-unbounded",
	old:     "\tif p.MinBackoff <= p.MaxBackoff>>n {\n",
	new:     "\tif n < 30 {\n",
	mistake: "Backoff grows past MaxBackoff.",
}, {
	name:    "beat-watched-once",
	old:     "\t\tp.stalled.Store(false)\n\t\tp.watch()\n\t\treturn\n",
	new:     "\t\tp.stalled.Store(false)\n\t\treturn\n",
	mistake: "After its first beat a worker is no longer watched.",
}, {
	name:    "beat-does-not-recover",
	old:     "\tif p.stalled.Load() {\n\t\tp.recover()\n\t}\n",
	new:     "",
	mistake: "A stalled worker that beats again stays stalled.",
}, {
	name:    "hook-misses-untold",
	old:     "\te.Missed, h.lost = h.lost, 0\n",
	new:     "\th.lost = 0\n",
	mistake: "The hook is not told how many events it has missed.",
}, {
	name:    "hook-queue-unbounded",
	old:     "\tif h.ended || len(h.queue) == hookQueue {\n",
	new:     "\tif h.ended {\n",
	mistake: "Events pile up without a bound before a hook that is blocked.",
}, {
	name:    "hook-on-the-workers-goroutine",
	old:     "\t\th.idle = make(chan struct{})\n\t\tgo h.deliver()\n",
	new:     "\t\th.idle = make(chan struct{})\n\t\th.mu.Unlock()\n\t\th.deliver()\n\t\th.mu.Lock()\n",
	mistake: "The hook is called by the supervisor: if it blocks, so does that.",
}, {
	name:    "set-stops-first-added-first",
	old:     "\t\tr := runs[left-1]\n",
	new:     "\t\tr := runs[len(runs)-left]\n",
	mistake: "Workers are stopped in the order in which they were added.",
}, {
	name:    "set-keeps-one-exit-more",
	old:     "\tif len(m.exits) == most {\n",
	new:     "\tif len(m.exits) == most+1 {\n",
	mistake: "One exit more than KeepExits is kept.",
}, {
	name:    "set-status-shares-exits",
	old:     "slices.Clone(m.exits)",
	new:     "slices.Clip(m.exits)",
	mistake: "Status gives out the supervisor's own slice of exits.",
}, {
	name:    "set-gives-up-but-waits",
	old:     "\t\tclose(s.halt)\n",
	new:     "",
	mistake: "Giving up does not interrupt the wait for a group that hangs.",
}, {
	name:    "set-removed-kept-alive",
	old:     "\t\tp.timer.Stop()\n\t\tp.members, p.cause = nil, Exit{}\n",
	new:     "",
	mistake: "The timer of a removed worker's restart keeps it in memory.",
}, {
	name:    "set-rest-restarts-nobody-else",
	old:     "\t\tgroup = group[s.index(m):]\n",
	new:     "\t\tgroup = group[s.index(m) : s.index(m)+1]\n",
	mistake: "RestForOne restarts only the worker that failed.",
}}
