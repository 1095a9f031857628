package main

var logVariants = []variant{{
	name:    "log-eviction-not-counted",
	old:     "\tb.losses.evict(p, m)\n",
	new:     "",
	mistake: "A record dropped for a newer one is not counted.",
}, {
	name:    "log-run-not-counted",
	old:     "\te.Count = e.plus(Count{uint64(n), uint64(bytes)})\n",
	new:     "\t_ = e\n",
	mistake: "Records dropped in a run are not counted.",
}, {
	name:    "log-partial-write-from-the-start",
	old:     "\tbefore, taken := b.done, b.size-len(b.rest)\n",
	new:     "\tbefore, taken := b.done, b.done.bytes+n\n",
	mistake: "After a partial write the bytes taken of a record are forgotten.",
}, {
	name:    "log-failed-write-not-counted",
	old:     "\t\tif k > 0 && !report {\n",
	new:     "\t\tif r.err == nil && !report {\n",
	mistake: "What a failing sink has taken is written twice.",
}, {
	name:    "log-batch-overwritten",
	old:     "\t\treturn r.pinStart\n",
	new:     "\t\treturn len(r.data)\n",
	mistake: "New records are copied over the batch the sink still reads.",
}, {
	name:    "log-wake-up-dropped",
	old:     "\tw.nudge(a&wakeAnswer != 0)\n\tif a&yieldAnswer",
	new:     "\tif a&yieldAnswer",
	mistake: "A record does not wake the idle worker.",
}, {
	name:    "log-waiter-overtaken",
	old:     "\treturn (len(w.waiters) == 0 || m.isUrgent()) && w.buf.add(p, m)\n",
	new:     "\treturn w.buf.add(p, m)\n",
	mistake: "A Write overtakes those that wait for room.",
}, {
	name:    "log-everybody-waits-in-vain",
	old:     "\tw.hopeless = w.buf.written == x.before\n",
	new:     "",
	mistake: "With a sink that hangs, every Write waits for MaxWait.",
}, {
	name:    "log-close-leaves-waiters",
	old:     "\tw.over = true\n\tw.dismiss()\n",
	new:     "\tw.over = true\n",
	mistake: "Shutdown gives up and lets a Write wait on for room.",
}, {
	name:    "log-close-discards",
	old:     "\t\tw.closed = true\n",
	new:     "\t\tw.closed = true\n\t\tw.gate.shut()\n",
	mistake: "Close discards the buffered records.",
}, {
	name:    "log-discard-makes-no-room",
	old:     "to end the line\n\t}\n\tw.progress()\n",
	new:     "to end the line\n\t}\n",
	mistake: "The place of a record that was given up is not given to a Write that waits.",
}, {
	name:    "log-flush-forgets-reserve",
	old:     "\t\tover := f.crossed && b.oldOut >= f.old && b",
	new:     "\t\tover := f.crossed && b",
	mistake: "Flush does not wait for records that moved to the reserve.",
}, {
	name:    "log-flush-forgets-losses",
	old:     "\thurry := whole && (w.closed || w.buf.lossAwaited())\n",
	new:     "\thurry := whole && w.closed\n",
	mistake: "Flush does not have losses before it reported.",
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
	old:     "\tif w.crashes < w.tries() ||",
	new:     "\tif w.crashes <= w.tries() ||",
	mistake: "A record that crashes the sink is tried once too often.",
}, {
	name:    "log-poison-without-a-probe",
	old:     "\treturn w.poisons > 0 && !w.tookSince && w.reportAt != noWatch",
	new:     "\treturn w.poisons > 0 && !w.tookSince && w.reportAt == noWatch",
	mistake: "Of records in a row that crash the sink, every second has all its tries.",
}, {
	name:    "log-state-after-the-result",
	old:     "\tif text.state && f.finished {",
	new:     "\tif text.state && f.finished && f.out == nil {",
	mistake: "The last line of the fallback is not the result of Close.",
}, {
	name:    "log-echo-for-ever",
	old:     "\t\tif ask == askedYes && w.echo.drops() {\n",
	new:     "\t\tif ask == askedYes && w.echo.drops() && w.closed {\n",
	mistake: "A sink that logs to its own Writer does so forever.",
}, {
	name:    "log-line-torn-by-rotation",
	old:     "\tn := f.cut.rest(p)\n\tif n == 0",
	new:     "\tf.cut.owed = 0\n\tn := f.cut.rest(p)\n\tif n == 0",
	mistake: "A line begun in one file goes on in the next.",
}, {
	name:    "log-reopen-waits",
	old:     "\tif !f.mu.TryLock() {\n\t\treturn nil\n\t}\n",
	new:     "\tf.mu.Lock()\n",
	mistake: "Reopen waits for a Write that hangs.",
}, {
	name:    "log-file-keeps-a-removed-file",
	old:     "\tif !f.named() {\n\t\treturn f.cut.drop",
	new:     "\tif p == nil {\n\t\treturn f.cut.drop",
	mistake: "A cut line is to be finished in a file that was removed.",
}, {
	name:    "log-file-writes-to-a-removed-file",
	old:     "; stuck != nil && !f.named() {\n",
	new:     "; stuck != nil && p == nil {\n",
	mistake: "While the path cannot be opened, records go into a file that was removed.",
}, {
	name:    "log-file-waits-for-a-newline",
	old:     "\tcase c.lines:\n\t\tc.owed = maxLine\n",
	new:     "\tcase p[n-1] != '\\n':\n\t\tc.owed = maxLine\n",
	mistake: "A record without newline is taken for the beginning of one.",
}, {
	name:    "log-file-cut-line-for-ever",
	old:     "\tif c.tries < maxFinishes {\n",
	new:     "\tif c.tries >= 0 {\n",
	mistake: "A cut line is to be finished on a full disk though the path has moved to another.",
}, {
	name:    "log-file-no-permission-is-well",
	old:     "\tif err != nil {\n\t\treturn true\n\t}\n",
	new:     "\tif err != nil {\n\t\treturn os.IsNotExist(err)\n\t}\n",
	mistake: "A path that cannot be looked at counts as one that has not moved.",
}, {
	name:    "log-file-follows-a-planted-link",
	old:     "\treturn os.OpenFile(f.path, flag|noFollow, 0)\n",
	new:     "\treturn os.OpenFile(f.path, flag, 0)\n",
	mistake: "A symbolic link that takes the place of the file is followed.",
}, {
	name:    "log-file-mode-forgotten",
	old:     "\tlike := perm == 0 && ",
	new:     "\tlike := perm == 1 && ",
	mistake: "A new file is readable for more users than the old one.",
}, {
	name:    "log-file-moves-with-the-process",
	old:     "\tpath, err := filepath.Abs(path)\n",
	new:     "\t_, err := filepath.Abs(path)\n",
	mistake: "A relative path follows a change of the working directory.",
}, {
	name:    "log-file-continues-half-a-line",
	old:     "{ return c.after && c.lines }",
	new:     "{ return c.after && c.owed < 0 }",
	mistake: "The first record continues a line that another process has begun.",
}, {
	name:    "log-file-newline-in-binary-log",
	old:     "{ return c.after && c.lines }",
	new:     "{ return c.after }",
	mistake: "A newline is put between the records of a binary log.",
}, {
	name:    "log-file-keeps-a-broken-descriptor",
	old:     "\tif err != nil { // the descriptor",
	new:     "\tif err != nil && n < 0 { // the descriptor",
	mistake: "After an error the path is not opened again.",
}, {
	name:    "log-file-leaves-a-cut-record",
	old:     "\tif f.cut.waits() && !f.cut.lost {\n",
	new:     "\tif f.cut.waits() && f.cut.tries < 0 {\n",
	mistake: "Reopen turns to a new file in the middle of a record.",
}, {
	name:    "log-file-created-after-close",
	old:     "\tif f.closed.Load() {\n\t\treturn f.closedError()\n\t}\n\tfile, err := f.open()\n",
	new:     "\tfile, err := f.open()\n",
	mistake: "A Write during Close creates the file again.",
}, {
	name:    "log-synclevel-waits-in-vain",
	old:     "\tw.unsynced = f // and",
	new:     "\tw.forget(f) // and",
	mistake: "With a sink that hangs, every record at SyncLevel waits for MaxWait.",
}, {
	name:    "log-synclevel-sink-waits-for-itself",
	old:     "\tif w.onWorker() {\n\t\tw.lock()\n",
	new:     "\tif w.onWorker() && w.over {\n\t\tw.lock()\n",
	mistake: "A sink that logs at SyncLevel waits for itself.",
}, {
	name:    "log-synclevel-wait-is-forgotten",
	old:     "\t\tw.await(w.beginSync())\n",
	new:     "\t\t_ = w.beginSync()\n",
	mistake: "A record at SyncLevel is not waited for.",
}, {
	name:    "log-flush-leaves-the-sinks-buffer",
	old:     "\terr = flushAndSync(w.sink, sync)\n",
	new:     "\terr = flushAndSync(nil, sync)\n",
	mistake: "Flush does not flush the sink itself.",
}, {
	name:    "log-handler-resolves-at-each-level",
	old:     "\tattrs = resolved(attrs)\n",
	new:     "",
	mistake: "A LogValuer in WithAttrs has another value at each level.",
}, {
	name:    "log-fallback-on-the-callers-goroutine",
	old:     "\tgo f.call(held, more)\n",
	new:     "\tf.mu.Unlock()\n\tf.call(held, more)\n\tf.mu.Lock()\n",
	mistake: "A fallback that hangs blocks its caller.",
}, {
	name:    "log-errors-one-too-many",
	old:     "\tif len(s.last) == keepErrors {\n",
	new:     "\tif len(s.last) == keepErrors+1 {\n",
	mistake: "One error of the sink too many is kept.",
}, {
	name:    "log-error-text-under-lock",
	old:     "\tw.tell(news)\n\tw.tellAll(gaveUp)\n",
	new:     "\tw.mu.Lock()\n\t_ = news.String()\n\tw.mu.Unlock()\n\tw.tell(news)\n\tw.tellAll(gaveUp)\n",
	mistake: "The text of an error is made under the lock.",
}, {
	name:    "log-sink-waits-for-itself",
	old:     "\tcase dontWait || w.hopeless:\n",
	new:     "\tcase w.hopeless:\n",
	mistake: "A Write from within the sink waits for room.",
}, {
	name:    "log-evicts-in-vain",
	old:     "\tif !b.evicts || !b.young.canHold(len(p)) {\n",
	new:     "\tif !b.evicts {\n",
	mistake: "Everything is evicted for a record that then has no place.",
}, {
	name:    "log-report-for-each-record",
	old:     "\t\tif d := time.Until(w.nextReport); d > 0 {\n",
	new:     "\t\tif d := time.Until(w.nextReport); d > 1<<62 {\n",
	mistake: "An overloaded sink gets a report for each record.",
}, {
	name:    "log-flush-shortens-pauses",
	old:     "\tcase <-signal:\n\t\treturn true\n\tcase <-t.timer.C:\n",
	new:     "\tcase <-signal:\n\t\treturn true\n\tcase <-time.After(time.Millisecond):\n\tcase <-t.timer.C:\n",
	mistake: "A failing sink is called without a backoff.",
}, {
	name:    "log-call-after-shutdown",
	old:     "\tif !w.gate.enter() {\n\t\treturn 0, nil\n\t}\n",
	new:     "\tw.gate.enter()\n",
	mistake: "A call of the sink begins after Shutdown has given up.",
}, {
	name:    "log-flush-counts-later-records",
	old:     "\tb.advance(1)\n",
	new:     "\tb.youngOut++\n",
	mistake: "A Flush waits for records of the reserve that came later.",
}, {
	name:    "log-aside-unseen",
	old:     "\tw.release()\n\tif !w.aside.isEmpty() {\n",
	new:     "\tw.release()\n\tif w.aside.isEmpty() {\n",
	mistake: "The release of the lock does not see the records put aside.",
}, {
	name:    "log-aside-bytes-alone",
	old:     "return int64(cap(r.p) + asideBytes)",
	new:     "return int64(cap(r.p))",
	mistake: "Records put aside are bounded by their bytes alone.",
}, {
	name:    "log-aside-not-reused",
	old:     "\tw.mu.Unlock()\n\tw.aside.free(r)\n",
	new:     "\tw.mu.Unlock()\n\t_ = r\n",
	mistake: "The memory of records put aside is not reused.",
}, {
	name:    "log-unlock-wakes-nobody",
	old:     "\tif l.state.Add(-lockHeld) != 0 {\n",
	new:     "\tif l.state.Add(-lockHeld) == 1 {\n",
	mistake: "Unlock does not wake a waiter that has parked.",
}, {
	name:    "log-rejected-stops-the-log",
	old:     "\tif r.rejected && (report || !w.buf.inHand.isolate()) {\n",
	new:     "\tif r.rejected && report {\n",
	mistake: "A record that the sink rejects is offered again and again.",
}}
