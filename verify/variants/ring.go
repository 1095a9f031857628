package main

var ringVariants = []variant{{
	name:    "ring-send-wakes-nobody",
	old:     "\tr.high = max(r.high, r.n)\n\tr.signal()\n",
	new:     "\tr.high = max(r.high, r.n)\n",
	mistake: "A value stored in a ring with room wakes no receiver.",
}, {
	name:    "ring-recv-keeps-token",
	old:     "\tr.received++\n\tif r.n > 0 {\n\t\tr.signal()\n\t}\n",
	new:     "\tr.received++\n",
	mistake: "A receiver that leaves values behind does not wake the next one.",
}, {
	name:    "ring-batch-keeps-token",
	old:     "\tr.received += uint64(n)\n\tif r.n > 0 {\n\t\tr.signal()\n\t}\n",
	new:     "\tr.received += uint64(n)\n",
	mistake: "A batch that leaves values behind does not wake the next receiver.",
}, {
	name:    "ring-refusal-keeps-token",
	old:     "\t\tif r.n > 0 {\n\t\t\tr.signal()\n\t\t}\n\t\tr.mu.Unlock()\n",
	new:     "\t\tr.mu.Unlock()\n",
	mistake: "A receive refused by its context keeps the token it came with.",
}, {
	name:    "ring-waiter-looks-at-ctx-first",
	old:     "\tcase <-r.ready:\n\t\treturn nil\n\tcase <-done:",
	new:     "\tcase <-r.ready:\n\t\treturn ctx.Err()\n\tcase <-done:",
	mistake: "A receiver with the token looks at its context instead of the ring.",
}, {
	name:    "ring-callback-under-lock",
	old:     "\tr.mu.Unlock()\n\tr.onDrop(old)\n",
	new:     "\tr.onDrop(old)\n\tr.mu.Unlock()\n",
	mistake: "onDrop is called under the lock.",
}, {
	name:    "ring-callback-gets-newest",
	old:     "\tr.onDrop(old)\n",
	new:     "\t_ = old\n\tr.onDrop(v)\n",
	mistake: "onDrop is given the value that came, not the one that went.",
}, {
	name:    "ring-drop-not-counted",
	old:     "\tr.sent++\n\tr.dropped++\n",
	new:     "\tr.sent++\n",
	mistake: "An evicted value is not counted as dropped.",
}, {
	name:    "ring-evicting-send-not-counted",
	old:     "\tr.sent++\n\tr.dropped++\n",
	new:     "\tr.dropped++\n",
	mistake: "A value that evicts another is not counted as sent.",
}, {
	name:    "ring-batch-miscounted",
	old:     "\tr.received += uint64(n)\n",
	new:     "\tr.received++\n",
	mistake: "A batch counts as one value received.",
}, {
	name:    "ring-slot-not-zeroed",
	old:     "\tvar zero T\n\tr.buf[r.head] = zero\n",
	new:     "",
	mistake: "A received value stays in its slot and is kept alive.",
}, {
	name:    "ring-batch-not-zeroed",
	old:     "\t\tclear(part)\n",
	new:     "",
	mistake: "The values of a batch stay in their slots and are kept alive.",
}, {
	name:    "ring-batch-stops-at-the-end",
	old:     "\t\tgot += copy(dst[got:], part)\n",
	new:     "\t\tcopy(dst[got:], part)\n\t\tgot = n\n",
	mistake: "A batch that wraps around loses its second part.",
}, {
	name:    "ring-evicts-newest",
	old:     "\tr.buf[r.head] = v\n\tr.advance(1)\n\tr.sent++\n",
	new:     "\tr.buf[r.head] = v\n\tr.sent++\n",
	mistake: "The newest value takes the place of the oldest at the head.",
}, {
	name:    "ring-evicts-too-early",
	old:     "\tif r.n < len(r.buf) {\n\t\tr.push(v)\n",
	new:     "\tif r.n == 0 || r.n < len(r.buf)-1 {\n\t\tr.push(v)\n",
	mistake: "Send evicts while there is room for one more.",
}, {
	name:    "ring-trysend-evicts",
	old:     "\tcase r.n == len(r.buf):\n\t\treturn ErrFull\n",
	new:     "\tcase r.n == len(r.buf):\n\t\tr.replace(v)\n\t\treturn nil\n",
	mistake: "TrySend evicts.",
}, {
	name: "ring-full-hides-closed",
	old: "\tcase r.closed:\n\t\treturn ErrClosed\n" +
		"\tcase r.n == len(r.buf):\n\t\treturn ErrFull\n",
	new: "\tcase r.n == len(r.buf):\n\t\treturn ErrFull\n" +
		"\tcase r.closed:\n\t\treturn ErrClosed\n",
	mistake: "TrySend on a full and closed ring says that it is full.",
}, {
	name:    "ring-close-discards",
	old:     "\t\tr.closed = true\n",
	new:     "\t\tr.closed = true\n\t\tclear(r.buf)\n\t\tr.n = 0\n",
	mistake: "Close throws away the values still in the ring.",
}, {
	name:    "ring-close-wakes-one",
	old:     "\t\tr.closed = true\n\t\tclose(r.ready)\n",
	new:     "\t\tr.signal()\n\t\tr.closed = true\n",
	mistake: "Close wakes one receiver, and the others sleep for ever.",
}, {
	name:    "ring-close-twice-panics",
	old:     "\tif !r.closed {\n\t\tr.closed = true\n\t\tclose(r.ready)\n\t}\n",
	new:     "\tr.closed = true\n\tclose(r.ready)\n",
	mistake: "The second Close panics, with the lock held.",
}, {
	name:    "ring-send-after-close",
	old:     "\tif r.closed {\n\t\tr.mu.Unlock()\n\t\treturn false\n\t}\n",
	new:     "",
	mistake: "Send stores values after Close.",
}, {
	name:    "ring-closed-is-empty",
	old:     "\tif r.closed {\n\t\treturn ErrClosed\n\t}\n\treturn ErrEmpty\n",
	new:     "\treturn ErrEmpty\n",
	mistake: "A closed and drained ring says that it is empty.",
}, {
	name:    "ring-high-water-lags",
	old:     "\tr.high = max(r.high, r.n)\n",
	new:     "\tr.high = max(r.high, r.n-1)\n",
	mistake: "The high-water mark is off by one.",
}, {
	name: "ring-timeout-zero-never-tries",
	old: "\tv, err := r.TryRecv()\n\tif err != ErrEmpty {\n\t\treturn v, err\n\t}\n" +
		"\tif d <= 0 {\n",
	new: "\tv, err := r.TryRecv()\n\tif err != ErrEmpty && d > 0 {\n" +
		"\t\treturn v, err\n\t}\n\tif d <= 0 {\n",
	mistake: "RecvTimeout(0) takes a value and says that time was over.",
}, {
	name:    "ring-timer-before-data",
	old:     "\t\t\tover = true\n\t\t}\n\t\tv, err = r.TryRecv()\n",
	new:     "\t\t\treturn v, ErrTimeout\n\t\t}\n\t\tv, err = r.TryRecv()\n",
	mistake: "Time over beats a value that came at the same moment.",
}, {
	name:    "ring-ready-token-hoarded",
	old:     "\tif len(r.ready) == 0 && !r.closed {\n",
	new:     "\tif len(r.ready) == 0 && !r.closed && r.n < 2 {\n",
	mistake: "Only the first value puts the token out.",
}, {
	name:    "ring-lock-lets-two-in",
	old:     "l.held.Load() == free && l.held.CompareAndSwap(free, 1)",
	new:     "l.held.Load() == free && (l.held.CompareAndSwap(free, 1) || true)",
	mistake: "Two that see the lock free at one moment both take it.",
}, {
	name:    "ring-lock-keeps-the-queue",
	old:     "\tl.queue.Unlock()\n",
	new:     "",
	mistake: "The first of those that wait for the lock never lets the next one try.",
}, {
	name: "ring-lock-queue-is-enough",
	old: "\tfree := uint32(0)\n\tfor try := 1; !l.retry(free); try++ {\n" +
		"\t\tif try == 16 {\n\t\t\tfree = claimed\n" +
		"\t\t\tl.held.Add(claimed)\n\t\t}\n\t\truntime.Gosched()\n\t}\n",
	new:     "\tl.held.Store(1)\n",
	mistake: "The first of the queue takes the lock from whoever holds it.",
}, {
	name:    "ring-lock-looks-then-takes",
	old:     "\tif !l.held.CompareAndSwap(0, 1) {\n\t\tl.wait()\n\t}\n",
	new:     "\tif l.held.Load() != 0 {\n\t\tl.wait()\n\t} else {\n\t\tl.held.Store(1)\n\t}\n",
	mistake: "Between the look at a free lock and the taking of it others fit.",
}, {
	name:    "ring-lock-overtakes-for-ever",
	old:     "\t\tif try == 16 {\n",
	new:     "\t\tif try < 0 {\n",
	mistake: "Those that come later may overtake the first of the queue for ever.",
}, {
	name:    "ring-lock-unlock-ends-claim",
	old:     "l.held.Add(^uint32(0))",
	new:     "l.held.Store(0)",
	mistake: "Whoever gives the lock back takes away the claim of the queue's first.",
}, {
	name:    "ring-lock-claims-again",
	old:     "\t\tif try == 16 {\n",
	new:     "\t\tif try%16 == 0 {\n",
	mistake: "The first of the queue claims the lock again before it has it.",
}, {
	name:    "ring-lock-keeps-claim",
	old:     "l.held.CompareAndSwap(free, 1)",
	new:     "l.held.CompareAndSwap(free, free|1)",
	mistake: "Who has claimed the lock leaves the claim there.",
}}
