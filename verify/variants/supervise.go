package main

// superviseVariants are of Supervise, the Supervisor and what both have.
var superviseVariants = []variant{{
	name:    "exit-stack-lost",
	old:     "Stack: debug.Stack(), text",
	new:     "Stack: debug.Stack()[:0], text",
	mistake: "A panic is kept without its stack.",
}, {
	name:    "exit-goexit-unseen",
	old:     "\t\tinWorker = true\n\t\tprotect(ctx, s.worker, &res)\n",
	new:     "\t\tprotect(ctx, s.worker, &res)\n",
	mistake: "A worker that calls runtime.Goexit is gone without an exit.",
}, {
	name:    "exit-context-goexit-unseen",
	old:     "\tcase s.done <- errContextGoexit:\n",
	new:     "\tcase (chan error)(nil) <- errContextGoexit:\n",
	mistake: "A method of ctx that ends the goroutine of a run leaves Supervise waiting.",
}, {
	name:    "exit-nil-completes",
	old:     "\tcase mode == RestartOnFailure && res.err == nil:\n",
	new:     "\tcase res.err == nil:\n",
	mistake: "A nil return ends a worker that is to be restarted always.",
}, {
	name:    "exit-foreign-cancel-is-shutdown",
	old:     "\tif d.crash || ctxErr != nil {\n",
	new:     "\tif res.err == context.Canceled {\n\t\tctxErr = res.err\n\t}\n\tif d.crash || ctxErr != nil {\n",
	mistake: "A context.Canceled of some other context counts as shutdown.",
}, {
	name:    "exit-wrapped-stop-ignored",
	old:     "\tres.stop = stop\n",
	new:     "\tres.stop = stop && err == ErrStop\n",
	mistake: "A wrapped ErrStop does not stop.",
}, {
	name:    "policy-window-off-by-one",
	old:     "len(w.times)-w.expired(now) >= w.max\n",
	new:     "len(w.times)-w.expired(now) > w.max\n",
	mistake: "The window lets one restart too many through.",
}, {
	name:    "policy-window-edge",
	old:     "now.Sub(w.times[n]) >= w.within",
	new:     "now.Sub(w.times[n]) > w.within",
	mistake: "A restart stays in the window for a moment too long.",
}, {
	name:    "policy-limit-off-by-one",
	old:     "restarts >= r.policy.MaxRestarts\n",
	new:     "restarts > r.policy.MaxRestarts\n",
	mistake: "Without a window, one restart too many.",
}, {
	name:    "policy-healthy-edge",
	old:     "\tif ran >= r.policy.ResetAfter && !stalled {\n",
	new:     "\tif ran > r.policy.ResetAfter && !stalled {\n",
	mistake: "A run of exactly ResetAfter does not count as healthy.",
}, {
	name:    "policy-healthy-run-empties-window",
	old:     "\tr.restarts = d.restarts\n",
	new:     "\tif r.restarts = d.restarts; r.restarts == 0 {\n\t\tr.recent.times = nil\n\t}\n",
	mistake: "A healthy run empties the window: it is none.",
}, {
	name:    "policy-stall-is-healthy",
	old:     "\tif ran >= r.policy.ResetAfter && !stalled {\n",
	new:     "\tif ran >= r.policy.ResetAfter {\n",
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
	old:     "\t*res.shown = rendering{text: textOf(err), panic: panicIn(err)}\n",
	new:     "\tres.shown = nil\n",
	mistake: "The text of an error is taken under the lock, whenever it is read.",
}, {
	name:    "health-crash-loop-is-ready",
	old:     "\tif m.state != StateRunning || failures == 0 {\n",
	new:     "\tif m.state != StateRunning || failures <= 1 {\n",
	mistake: "A worker that has failed once is ready as soon as it runs again.",
}, {
	name:    "health-grace-is-short",
	old:     "\tgrace := loopingGrace\n",
	new:     "\tgrace := failedGrace\n",
	mistake: "A crash loop of runs above ten seconds is ready in between.",
}, {
	name:    "health-child-kills-the-process",
	old:     "severity == deadWorker && child.reason != \"\"",
	new:     "severity == deadWorker && child.reason == \"-\"",
	mistake: "A child that gave up fails the liveness probe before it is restarted.",
}, {
	name:    "health-draining-is-ready",
	old:     "\tcase s.phase == phaseStopping:\n\t\treturn \"stopping\"\n",
	new:     "",
	mistake: "A set that has begun to stop is still ready.",
}, {
	name:    "policy-backoff-unbounded",
	old:     "\tif p.MinBackoff <= p.MaxBackoff>>n {\n",
	new:     "\tif n < 30 {\n",
	mistake: "Backoff grows past MaxBackoff.",
}, {
	name:    "beat-watched-once",
	old:     "\t\tp.stalled.Store(false)\n\t\tp.watch(last)\n",
	new:     "\t\tp.stalled.Store(false)\n",
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
	old:     "\tif h.closed || len(h.queue) >= room {\n",
	new:     "\tif h.closed && room > 0 {\n",
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
	old:     "\tp.members, p.cause = nil, Exit{}\n\tif p.timer != nil {\n\t\tp.timer.Stop()\n\t}\n",
	new:     "",
	mistake: "The timer of a removed worker's restart keeps it in memory.",
}, {
	name:    "set-rest-restarts-nobody-else",
	old:     "\t\tgroup = group[s.index(m):]\n",
	new:     "\t\tgroup = group[s.index(m) : s.index(m)+1]\n",
	mistake: "RestForOne restarts only the worker that failed.",
}, {
	name:    "beat-freeze-is-a-stall",
	old:     "\tcase now-p.due > p.limit/4 && last > p.spared:\n",
	new:     "\tcase now-p.due > p.limit/4 && last > p.spared && p.due < 0:\n",
	mistake: "A worker that was stopped with the whole process is reported as stalled.",
}, {
	name:    "beat-late-watch-is-no-watch",
	old:     "\tcase now-p.due > p.limit/4 && last > p.spared:\n",
	new:     "\tcase now-p.due > p.limit/4:\n",
	mistake: "Where every check comes late, no stall is ever found.",
}, {
	name:    "set-sibling-to-stop-is-replaced",
	old:     "\tif !s.mayStart(m) || m.plan != nil ||",
	new:     "\tif !s.mayStart(m) ||",
	mistake: "A sibling that is to stop is replaced as stalled.",
}, {
	name:    "set-add-after-the-end",
	old:     "s.runs() && (s.phase == phaseStopping || s.over) ||",
	new:     "s.phase == phaseStopping ||",
	mistake: "A set that has given up takes workers, which never run.",
}, {
	name:    "set-child-as-patient-as-its-parent",
	old:     "left-min(left/4, stopMargin))",
	new:     "left)",
	mistake: "A child waits as long as its parent, which then cannot name its leaf.",
}, {
	name:    "set-counts-the-ended",
	old:     "\t\tcase o.over:\n",
	new:     "",
	mistake: "A worker that has ended for good uses up the limit of its set.",
}, {
	name:    "set-stop-for-a-restart-is-the-end",
	old:     "\tcase res.permanent(), res.stop && !asked:\n",
	new:     "\tcase res.permanent(), res.stop:\n",
	mistake: "A worker that returns ErrStop because it is restarted has ended.",
}}
