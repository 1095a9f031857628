package main

// channelVariants are of TrySend, the timeouts and their like.
var channelVariants = []variant{{
	name:    "dropoldest-not-counted",
	old:     "\t\t\tif ok {\n\t\t\t\tdropped++\n\t\t\t}\n",
	new:     "\t\t\t_ = ok\n",
	mistake: "SendDropOldest does not count discarded values.",
}, {
	name:    "dropoldest-robs-a-sender",
	old:     "\t\tif cap(ch) == 0 {\n",
	new:     "\t\tif ch == nil {\n",
	mistake: "On an unbuffered channel it takes the value of a waiting sender.",
}, {
	name:    "tryrecv-closed-is-empty",
	old:     "\t\tif !ok {\n\t\t\treturn v, ErrClosed\n\t\t}\n\t\treturn v, nil\n",
	new:     "\t\tif !ok {\n\t\t\treturn v, ErrEmpty\n\t\t}\n\t\treturn v, nil\n",
	mistake: "A closed channel is taken for an empty one.",
}, {
	name:    "send-timer-before-room",
	old:     "\t\tif TrySend(ch, v) { // select picks at random: readiness beats the timer\n\t\t\treturn nil\n\t\t}\n",
	new:     "",
	mistake: "SendTimeout times out although there is room.",
}, {
	name:    "recv-timer-before-data",
	old:     "\tcase <-t.C:\n\t\tv, err := TryRecv(ch)\n",
	new:     "\tcase <-t.C:\n\t\tvar v T\n\t\terr := ErrEmpty\n",
	mistake: "RecvTimeout times out although there is a value.",
}, {
	name:    "send-zero-never-tries",
	old:     "\tselect { // TrySend written out: the inliner does not take a call of it\n",
	new:     "\tif d <= 0 {\n\t\treturn ErrTimeout\n\t}\n\tselect {\n",
	mistake: "SendTimeout(0) does not even try.",
}, {
	name:    "send-waits-again-after-yield",
	old:     "\tif TrySend(ch, v) {\n\t\treturn nil\n\t}\n\tt := time.NewTimer(d)\n",
	new:     "\tif TrySend(ch, v) {\n\t\treturn nil\n\t}\n\tt := time.NewTimer(d + 1)\n",
	mistake: "SendTimeout waits a nanosecond too long.",
}, {
	name:    "recv-gives-up-early",
	old:     "\tif v, err := TryRecv(ch); err != ErrEmpty {\n\t\treturn v, err\n\t}\n\tt := time.NewTimer(d)\n",
	new:     "\tif v, err := TryRecv(ch); err != ErrEmpty {\n\t\treturn v, err\n\t}\n\tt := time.NewTimer(d - 1)\n",
	mistake: "RecvTimeout gives up a nanosecond early.",
}, {
	name:    "sendcontext-done-but-sends",
	old:     "\tif err := contextErr(ctx); err != nil {\n\t\treturn err\n\t}\n\tif TrySend(ch, v) {\n",
	new:     "\tif err := contextErr(ctx); err != nil && len(ch) == cap(ch) {\n\t\treturn err\n\t}\n\tif TrySend(ch, v) {\n",
	mistake: "SendContext sends with a context that is done.",
}, {
	name:    "recvcontext-close-is-a-value",
	old:     "\t\treturn received(v, ok)\n\tcase <-ctx.Done():\n",
	new:     "\t\t_ = ok\n\t\treturn v, nil\n\tcase <-ctx.Done():\n",
	mistake: "A close during RecvContext comes back as a zero value.",
}, {
	name:    "recvtimeout-close-is-a-value",
	old:     "\t\treturn received(v, ok)\n\tcase <-t.C:\n",
	new:     "\t\t_ = ok\n\t\treturn v, nil\n\tcase <-t.C:\n",
	mistake: "A close during RecvTimeout comes back as a zero value.",
}}
