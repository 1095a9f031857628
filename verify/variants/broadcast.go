package main

var broadcastVariants = []variant{{
	name:    "broadcast-missed-not-told",
	old:     "\tmissed = oldest - s.pos\n\ts.pos = oldest\n",
	new:     "\ts.pos = oldest\n",
	mistake: "A subscription that is behind does not learn how many values it missed.",
}, {
	name:    "broadcast-missed-told-again",
	old:     "\ts.pos++\n\ts.received++\n\treturn v, missed, nil\n",
	new:     "\ts.pos -= missed\n\ts.pos++\n\ts.received++\n\treturn v, missed, nil\n",
	mistake: "Missed values are reported with the next value too, and a value comes twice.",
}, {
	name:    "broadcast-missed-told-to-empty-batch",
	old:     "\tif n = min(len(dst), held); n == 0 {\n\t\treturn 0, 0, nil // missed is reported with a value\n\t}\n",
	new:     "\tn = min(len(dst), held)\n",
	mistake: "An empty batch takes the missed count, and has no value to report it with.",
}, {
	name:    "broadcast-batch-stops-at-the-end",
	old:     "\tcopy(dst[got:n], s.b.buf)\n",
	new:     "\t_ = got\n",
	mistake: "A batch that wraps around lacks its second part.",
}, {
	name:    "broadcast-replays-too-much",
	old:     "\ts.start = b.sent - uint64(min(replay, b.n))\n",
	new:     "\ts.start = b.sent - min(uint64(replay), b.sent)\n",
	mistake: "Values that were overwritten before it subscribed count as missed.",
}, {
	name:    "broadcast-send-wakes-nobody",
	old:     "sent, wake := b.sent, b.waiters.first != nil",
	new:     "sent, wake := b.sent, false",
	mistake: "Send wakes no subscription.",
}, {
	name:    "broadcast-wakes-sixteen",
	old:     "for told := len(parked); told == len(parked); {",
	new:     "for told, more := 0, true; more; more = false {",
	mistake: "Send wakes sixteen subscriptions and leaves the others asleep.",
}, {
	name:    "broadcast-forgets-the-overtaken",
	old:     "\t\t\t\tb.waiters.add(s, b.sent) // it has received, and waits again\n",
	new:     "",
	mistake: "A subscription that has received before it is told is never told again.",
}, {
	name:    "broadcast-context-under-lock",
	old:     "\tdone := ctx.Done() // foreign code: called without the lock\n\ts.lock()\n",
	new:     "\ts.lock()\n\tdone := ctx.Done()\n",
	mistake: "A context that blocks stops the sender.",
}, {
	name:    "broadcast-token-not-passed-on",
	old:     "\t\twake = pass && s.waiting > 0\n",
	new:     "\t\twake = pass && s.waiting > 0 && s.closed\n",
	mistake: "Of several goroutines at a subscription only one is woken.",
}, {
	name:    "broadcast-waits-once",
	old:     "\tcase s.waiting > 0 || s.ready != nil:\n",
	new:     "\tcase s.ready != nil:\n",
	mistake: "A goroutine that still waits is not queued again when another one took the value.",
}, {
	name:    "broadcast-ready-once",
	old:     "\tcase s.waiting > 0 || s.ready != nil:\n",
	new:     "\tcase s.waiting > 0:\n",
	mistake: "Ready is never readable after the values were received.",
}, {
	name:    "broadcast-close-without-ready",
	old:     "\tcase s.emptyErr() == ErrClosed:\n\t\ts.readyEnded = true\n\t\tclose(s.ready)\n",
	new:     "",
	mistake: "The end does not make Ready readable.",
}, {
	name:    "broadcast-closed-keeps-values",
	old:     "\tif s.closed {\n\t\treturn 0\n\t}\n\treturn int(min(",
	new:     "\treturn int(min(",
	mistake: "A closed subscription still gives values.",
}, {
	name:    "broadcast-send-after-close",
	old:     "\tif b.closed {\n\t\tb.mu.Unlock()\n\t\treturn false\n\t}\n\tb.buf[b.next] = v\n",
	new:     "\tb.buf[b.next] = v\n",
	mistake: "Send stores values after Close.",
}, {
	name:    "broadcast-keeps-a-waiter",
	old:     "\t\ts.b.waiters.remove(s) // nothing to wake: keep nothing alive\n",
	new:     "",
	mistake: "A subscription whose wait was given up is kept alive.",
}, {
	name:    "broadcast-subscribers-grow",
	old:     "\t\ts.b.subs--\n",
	new:     "",
	mistake: "A closed subscription is still counted.",
}}
