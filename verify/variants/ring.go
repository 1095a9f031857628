package main

var ringVariants = []variant{{
	name:    "ring-send-wakes-nobody",
	old:     "\tif len(r.wakeup) == 0 { // a failing wake would be a third of the cost\n\t\tr.wake()\n\t}\n",
	new:     "",
	mistake: "Send wakes no receiver.",
}, {
	name:    "ring-recv-keeps-token",
	old:     "\twake := woken && (r.n > 0 || r.closed)\n",
	new:     "\twake := woken && r.closed\n",
	mistake: "A receiver that leaves values behind does not wake the next one.",
}, {
	name:    "ring-close-wakes-one",
	old:     "\twake := woken && (r.n > 0 || r.closed)\n",
	new:     "\twake := woken && r.n > 0\n",
	mistake: "A receiver woken by Close does not wake the next one.",
}, {
	name:    "ring-close-wakes-nobody",
	old:     "\twake := r.n > 0 || r.closed\n",
	new:     "\twake := r.n > 0\n",
	mistake: "Close wakes no receiver of an empty ring.",
}, {
	name:    "ring-recv-keeps-ready-token",
	old:     "\t\tr.pop()\n\t\tif r.ready != nil {\n\t\t\tr.signal()\n\t\t}\n",
	new:     "\t\tr.pop()\n",
	mistake: "A receiver that leaves values behind does not put the token of Ready back.",
}, {
	name:    "ring-send-not-ready",
	old:     "\tif r.ready != nil {\n\t\tr.signal()\n\t}\n\tr.mu.Unlock()\n\tif len(",
	new:     "\tr.mu.Unlock()\n\tif len(",
	mistake: "Send does not make Ready readable.",
}, {
	name:    "ring-ready-made-late",
	old:     "\t\tr.signal()\n\t}\n\treturn r.ready\n",
	new:     "\t}\n\treturn r.ready\n",
	mistake: "The first Ready does not say that there are values.",
}, {
	name:    "ring-ready-made-after-close",
	old:     "\t\tif r.closed {\n\t\t\tclose(r.ready)\n\t\t}\n",
	new:     "",
	mistake: "A Ready asked for after Close is never readable.",
}, {
	name:    "ring-batch-keeps-token",
	old:     "func (r *Ring[T]) take(dst []T) (int, error) {\n\tr.mu.Lock()\n\tdefer r.unlock()\n",
	new:     "func (r *Ring[T]) take(dst []T) (int, error) {\n\tr.mu.Lock()\n\tdefer r.mu.Unlock()\n",
	mistake: "A batch that leaves values behind does not wake the next receiver.",
}, {
	name:    "ring-refusal-keeps-token",
	old:     "putBack() {\n\tr.mu.Lock()\n\tr.unlock()\n",
	new:     "putBack() {\n",
	mistake: "A receive refused by its context keeps the token it came with.",
}, {
	name:    "ring-waiter-looks-at-ctx-first",
	old:     "\tcase <-r.wakeup:\n\t\treturn nil\n\tcase <-done:",
	new:     "\tcase <-r.wakeup:\n\t\treturn ctx.Err()\n\tcase <-done:",
	mistake: "A receiver with the token looks at its context instead of the ring.",
}, {
	name:    "ring-callback-under-lock",
	old:     "\t\tyield = r.dropped%turn == 0\n\t}\n\tr.unlock()\n",
	new:     "\t\tr.onDrop(old)\n\t\tevicted = false\n\t}\n\tr.unlock()\n",
	mistake: "onDrop is called under the lock.",
}, {
	name:    "ring-callback-gets-newest",
	old:     "\t\tr.onDrop(old)\n",
	new:     "\t\t_ = old\n\t\tr.onDrop(v)\n",
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
	old:     "\tclear(r.buf[r.head : r.head+1])\n",
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
	old:     "\tslot = r.head\n\tr.advance(1)\n\tr.sent++\n",
	new:     "\tslot = r.head\n\tr.sent++\n",
	mistake: "The newest value takes the place of the oldest at the head.",
}, {
	name:    "ring-evicts-too-early",
	old:     "\tyield := false\n\tif r.n < len(r.buf) {\n",
	new:     "\tyield := false\n\tif r.n == 0 || r.n < len(r.buf)-1 {\n",
	mistake: "Send evicts while there is room for one more.",
}, {
	name:    "ring-trysend-evicts",
	old:     "\tcase r.n == len(r.buf):\n\t\treturn ErrFull\n",
	new:     "\tcase r.n == len(r.buf):\n\t\tr.buf[r.replace()] = v\n\t\treturn nil\n",
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
	old:     "\tr.closed = true\n",
	new:     "\tr.closed = true\n\tclear(r.buf)\n\tr.n = 0\n",
	mistake: "Close throws away the values still in the ring.",
}, {
	name:    "ring-close-twice-panics",
	old:     "\tif first && ready != nil {\n",
	new:     "\tif _ = first; ready != nil {\n",
	mistake: "The second Close closes the channel of Ready again.",
}, {
	name:    "ring-send-after-close",
	old:     "\tif r.closed {\n\t\tr.mu.Unlock()\n\t\treturn false\n\t}\n\tyield := false\n",
	new:     "\tyield := false\n",
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
	name:    "ring-position-overflows",
	old:     "\tslot = r.head - (len(r.buf) - r.n) // head + n may overflow\n\tif slot < 0 {                      // a division for the remainder costs more\n\t\tslot += len(r.buf)\n",
	new:     "\tif slot = r.head + r.n; slot >= len(r.buf) {\n\t\tslot -= len(r.buf)\n",
	mistake: "A ring of more than half the values an int can count panics under its lock.",
}, {
	name:    "ring-timer-before-data",
	old:     "\t\t\tif v, err = r.receive(false); err == ErrEmpty {\n\t\t\t\treturn v, ErrTimeout\n\t\t\t}\n",
	new:     "\t\t\treturn v, ErrTimeout\n",
	mistake: "Time over beats a value that came at the same moment.",
}, {
	name:    "ring-ready-token-hoarded",
	old:     "\tif r.n > 0 && len(r.ready) == 0 && !r.closed {\n",
	new:     "\tif r.n > 0 && r.n < 2 && len(r.ready) == 0 && !r.closed {\n",
	mistake: "Only the first value puts the token out.",
}, {
	name:    "ring-flood-never-yields",
	old:     "\t\tyield = r.dropped%turn == 0\n\t}\n\tif r.ready != nil {\n",
	new:     "\t}\n\tif r.ready != nil {\n",
	mistake: "A flood keeps the processor until the runtime takes it away.",
}, {
	name:    "ring-lock-lets-two-in",
	old:     "\t\tif l.TryLock() {\n\t\t\treturn\n\t\t}\n",
	new:     "\t\tif l.TryLock() || true {\n\t\t\treturn\n\t\t}\n",
	mistake: "A goroutine that paused takes the lock from its holder.",
}, {
	name:    "ring-lock-never-parks",
	old:     "\tl.Mutex.Lock()\n",
	new:     "\tfor !l.TryLock() {\n\t\tpause()\n\t}\n",
	mistake: "A goroutine that waits for a descheduled holder keeps its processor.",
}}
