package main

var logVariants = []variant{{
	name:    "log-eviction-not-counted",
	old:     "\tb.losses.add(p, m, b.youngIn)\n",
	new:     "",
	mistake: "A record dropped for a newer one is not counted.",
}, {
	name:    "log-run-not-counted",
	old:     "\tb.losses.total = b.losses.total.plus(Count{uint64(n), uint64(bytes)})\n",
	new:     "",
	mistake: "Records dropped in a run are not counted.",
}, {
	name:    "log-partial-write-from-the-start",
	old:     "\tbefore, taken := f.done, f.size-len(f.rest)\n",
	new:     "\tbefore, taken := f.done, f.done.bytes+n\n",
	mistake: "After a partial write the bytes taken of a record are forgotten.",
}, {
	name:    "log-failed-write-not-counted",
	old:     "\t\tif k, err = w.call(p[n:end]); k > 0 {\n",
	new:     "\t\tif k, err = w.call(p[n:end]); err == nil {\n",
	mistake: "What a failing sink has taken is written twice.",
}, {
	name:    "log-batch-overwritten",
	old:     "\t\treturn r.pinStart\n",
	new:     "\t\treturn len(r.data)\n",
	mistake: "New records are copied over the batch the sink still reads.",
}, {
	name:    "log-wake-up-dropped",
	old:     "\tif wake {\n\t\tchanx.TrySend(w.wake, struct{}{})\n\t}\n",
	new:     "\t_ = wake\n",
	mistake: "A record does not wake the idle worker.",
}, {
	name:    "log-waiter-overtaken",
	old:     "\tif len(w.waiters) == 0 || m.isUrgent() {\n",
	new:     "\tif len(w.waiters) >= 0 {\n",
	mistake: "A Write overtakes those that wait for room.",
}, {
	name:    "log-everybody-waits-in-vain",
	old:     "\t\tw.hopeless = w.buf.written == before\n",
	new:     "\t\t_ = before\n",
	mistake: "With a sink that hangs, every Write waits for MaxWait.",
}, {
	name:    "log-close-leaves-waiters",
	old:     "\tw.closed = true\n\tw.dismiss()\n",
	new:     "\tw.closed = true\n",
	mistake: "Close lets a Write wait on for room.",
}, {
	name:    "log-close-discards",
	old:     "\tw.closed = true\n",
	new:     "\tw.closed = true\n\tw.abandoned.Store(true)\n",
	mistake: "Close throws away what is in the buffer.",
}, {
	name:    "log-discard-makes-no-room",
	old:     "\t\tw.admitWaiters()\n\t}\n}\n",
	new:     "\t}\n}\n",
	mistake: "The place of a record that crashed the sink is not given to a Write that waits.",
}, {
	name:    "log-flush-forgets-reserve",
	old:     "\t\tover := f.crossed && w.buf.oldOut >= f.old &&\n",
	new:     "\t\tover := f.crossed &&\n",
	mistake: "Flush does not wait for records that moved to the reserve.",
}, {
	name:    "log-flush-forgets-losses",
	old:     "\t\t\tw.buf.losses.told.Records >= f.told\n",
	new:     "\t\t\tw.buf.losses.n >= 0\n",
	mistake: "Flush does not wait for the report of losses before it.",
}, {
	name:    "log-report-under-lock",
	old:     "\tb = w.opts.Report(l)\n\treturned = true\n",
	new:     "\tw.mu.Lock()\n\tdefer w.mu.Unlock()\n\tb = w.opts.Report(l)\n\treturned = true\n",
	mistake: "Options.Report is called under the lock.",
}, {
	name:    "log-report-cut",
	old:     "\t\t\tw.report = w.report[n:]\n",
	new:     "\t\t\tw.report = nil\n",
	mistake: "A report of which the sink takes a part is cut off there.",
}, {
	name:    "log-reserve-unused",
	old:     "\tif !m.isUrgent() || b.old == nil || !b.rescue(p, m) {\n",
	new:     "\tif !m.isUrgent() || b.old == nil || b.old != nil {\n",
	mistake: "Errors are dropped like anything else.",
}, {
	name:    "log-poison-off-by-one",
	old:     "\tif w.crashes >= poisonous && ",
	new:     "\tif w.crashes > poisonous && ",
	mistake: "A record that crashes the sink is tried once too often.",
}, {
	name:    "log-echo-for-ever",
	old:     "\t\tif goid(&w.who); w.who == w.self {\n",
	new:     "\t\tif goid(&w.who); w.who == w.self && w.closed {\n",
	mistake: "A sink that logs to its own Writer does so for ever.",
}, {
	name:    "log-line-torn-by-rotation",
	old:     "\tif !f.broken {\n\t\treturn 0, nil\n\t}\n",
	new:     "\tif len(p) >= 0 {\n\t\tf.broken = false\n\t\treturn 0, nil\n\t}\n",
	mistake: "A line begun in one file goes on in the next.",
}, {
	name:    "log-reopen-waits",
	old:     "\tif !f.mu.TryLock() {\n\t\treturn nil\n\t}\n",
	new:     "\tf.mu.Lock()\n",
	mistake: "Reopen waits for a Write that hangs.",
}, {
	name:    "log-fallback-on-the-callers-goroutine",
	old:     "\tgo f.call([]byte(\"asynclog: \" + line + \"\\n\"))\n",
	new:     "\tf.mu.Unlock()\n\tf.call([]byte(\"asynclog: \" + line + \"\\n\"))\n\tf.mu.Lock()\n",
	mistake: "A fallback that hangs holds up whoever tells it.",
}, {
	name:    "log-errors-one-too-many",
	old:     "\tif len(t.last) == keepErrors {\n",
	new:     "\tif len(t.last) == keepErrors+1 {\n",
	mistake: "One error of the sink too many is kept.",
}}
