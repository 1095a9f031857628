/*
 * The waiting protocol of Broadcast (broadcast.go): senders that wake queued
 * subscriptions after their unlock x several goroutines at one subscription x
 * receivers that give up x a select on Ready x Close.
 *
 * What runs under Broadcast.mu is one atomic block here; the wake that follows
 * an unlock is a step of its own. Positions stand for values: what a slow
 * subscription misses does not matter to who is woken.
 *
 *   this model  mirrors
 *   sent        broadcast.go: Broadcast.sent
 *   queued      broadcast.go: Subscription.queued, (*list).add, (*list).remove
 *   tok         broadcast.go: Subscription.wakeup
 *   rdy         broadcast.go: Subscription.ready
 *   Sender      broadcast.go: (*Broadcast).Send
 *   walk        broadcast.go: (*Broadcast).wake
 *   signal      broadcast.go: (*Subscription).signal
 *   settle      broadcast.go: (*Subscription).unlock
 *   Receiver    broadcast.go: (*Subscription).Recv, with receiveUntil and wait
 *   givesUp     broadcast.go: (*Subscription).Recv, when its ctx is done
 *   Selector    broadcast.go: (*Subscription).Ready, used as its doc asks
 *   Closer      broadcast.go: (*Broadcast).Close
 *
 * Checked: no deadlock; no lost wake-up (when nothing can move any more, no
 * receiver sleeps while its subscription has a value); after Close every
 * receiver comes to its end.
 *
 * The BUG_ switches plant one mistake each; the runner demands that spin
 * finds every one of them.
 */

#define SUBS 2
#ifndef SENDS
#define SENDS 2     /* by each sender */
#endif

byte sent;
bool closed;
byte pos[SUBS], waiting[SUBS], tok[SUBS], rdy[SUBS], since[SUBS];
bool queued[SUBS], asked[SUBS], ended[SUBS];
byte parked[SUBS];  /* receivers that wait and will not give up */

/* under mu */
inline signal(s) {
	if
	:: asked[s] && !ended[s] && sent > pos[s] -> rdy[s] = 1
	:: asked[s] && !ended[s] && sent == pos[s] && closed -> ended[s] = true
	:: else
	fi
}

inline add(s) {
	if
	:: !queued[s] -> queued[s] = true; since[s] = sent
	:: else
	fi
}

/* under mu: pass tells that a token is owed after the unlock */
inline settle(s, pass) {
	signal(s);
	pass = false;
	if
	:: sent > pos[s] || closed ->
#ifndef BUG_TOKEN_NOT_PASSED_ON
		pass = waiting[s] > 0
#endif
	:: else ->
		if
#ifdef BUG_NOT_QUEUED_AGAIN
		:: asked[s] -> add(s)
#else
		:: waiting[s] > 0 || asked[s] -> add(s)
#endif
		:: else
		fi
	fi;
	if
	:: queued[s] && waiting[s] == 0 && (!asked[s] || ended[s]) -> queued[s] = false
	:: else
	fi
}

/* the subscription queued first, with one taken off at a time */
inline walk(upto) {
	do
	:: atomic {
		s = SUBS;
		if
		:: queued[0] && (closed || since[0] < upto) &&
		   (!queued[1] || since[0] <= since[1]) -> s = 0
		:: queued[1] && (closed || since[1] < upto) &&
		   (!queued[0] || since[1] <= since[0]) -> s = 1
		:: else
		fi;
		if
		:: s == SUBS -> break
		:: else
		fi;
		queued[s] = false;
		owed = waiting[s] > 0;
		if
#ifndef BUG_WALK_FORGETS_EMPTY
		:: sent == pos[s] && !closed -> add(s); owed = false
#endif
		:: else ->
#ifndef BUG_WALK_FORGETS_READY
			signal(s)
#else
			skip
#endif
		fi
	   }
	   if
	   :: owed -> tok[s] = 1
	   :: else
	   fi
	od
}

proctype Sender() {
	byte i, s, upto;
	bool owed, any, stored;
	for (i : 1 .. SENDS) {
		atomic {
			any = false;
			stored = !closed;
			if
			:: stored ->
				sent++;
				upto = sent;
				any = queued[0] || queued[1]
			:: else
			fi
		}
		if
		:: any -> walk(upto)
		:: else
		fi
	}
}

proctype Receiver(byte s; bool givesUp) {
	bool got, end, pass;
	atomic { goto look }
again:
	atomic {
		tok[s] > 0 -> tok[s] = 0;
		if
		:: !givesUp -> parked[s]--
		:: else
		fi
	}
	atomic { waiting[s]--; goto look }
look:
	atomic {
		got = sent > pos[s];
		end = !got && closed;
		if
		:: got -> pos[s]++; settle(s, pass)
		:: end -> settle(s, pass)
		:: else ->
			waiting[s]++;
			add(s);
			pass = false;
			if
			:: !givesUp -> parked[s]++
			:: else
			fi
		fi
	}
	if
	:: pass -> tok[s] = 1
	:: else
	fi;
	if
	:: end -> goto done
	:: got && givesUp -> goto done
	:: got && !givesUp -> goto look
	:: else
	fi;
	if
	:: goto again
	:: givesUp ->
		atomic { waiting[s]--; settle(s, pass) }
		if
		:: pass -> tok[s] = 1
		:: else
		fi
	fi;
done:
	skip
}

proctype Selector(byte s) {
	bool got, pass;
	atomic { asked[s] = true; settle(s, pass) }
	do
	:: if
	   :: atomic { settle(s, pass) }        /* calls Ready again */
	   :: true                              /* or has kept the channel */
	   fi;
	   atomic {
		(rdy[s] > 0 || ended[s]) ->
		if
		:: !ended[s] -> rdy[s] = 0
		:: else
		fi
	   }
	   atomic {
		got = sent > pos[s];
		if
		:: got -> pos[s]++
		:: else
		fi;
		settle(s, pass);
		if
		:: !got && closed -> break
		:: else
		fi
	   }
	od
}

proctype Closer() {
	byte s, upto;
	bool owed;
#ifdef CLOSES
	atomic { closed = true; upto = sent }
	walk(upto);
#endif
	skip
}

init {
	atomic {
		run Sender();
		run Sender();
		run Receiver(0, false);
#ifdef SELECTS
		run Selector(1);
#else
		run Receiver(0, false);
#ifdef GIVES_UP
		run Receiver(0, true);
#else
		run Receiver(1, false);
#endif
#endif
		run Closer()
	}
	/* timeout: nothing else can move */
	timeout;
#ifdef CLOSES
	assert(pos[0] == sent && parked[0] == 0 && parked[1] == 0 && _nr_pr == 1);
#else
	assert(pos[0] == sent || parked[0] == 0);
	assert(pos[1] == sent || parked[1] == 0);
#ifdef SELECTS
	assert(pos[1] == sent);
#endif
	/* end them all, so that a sleeper is not taken for a deadlock */
	atomic {
		closed = true;
		ended[1] = true;
		tok[0] = 1;
		tok[1] = 1
	}
	timeout;
	assert(_nr_pr == 1)
#endif
}
