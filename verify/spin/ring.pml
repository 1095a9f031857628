/*
 * The waiting protocol of Ring (ringbuffer.go): evict x close x blocked
 * receivers x batch x a select on Ready x receivers that give up.
 *
 * What runs under Ring.mu is one atomic block here; the wake that follows the
 * unlock is a step of its own. `tok` is the token in Ring.wakeup, a channel
 * that is never closed. `rdy` is the token in Ring.ready, put out under mu; a
 * receive from it is possible while it is there or the channel is closed
 * (`rclosed`), which Close does after its unlock.
 *
 *   this model  mirrors
 *   tok         ringbuffer.go: Ring.wakeup
 *   rdy         ringbuffer.go: Ring.ready
 *   wake        ringbuffer.go: (*Ring).wake, (*Ring).unlock
 *   signal      ringbuffer.go: (*Ring).signal
 *   Sender      ringbuffer.go: (*Ring).Send, (*Ring).push, (*Ring).replace
 *   take        ringbuffer.go: (*Ring).receive, (*Ring).pop, (*Ring).take
 *   Receiver    ringbuffer.go: (*Ring).Recv, (*Ring).RecvBatch, (*Ring).park
 *   givesUp     ringbuffer.go: (*Ring).park, its <-done, (*Ring).recvTimeout
 *   Selector    ringbuffer.go: (*Ring).Ready, used as its doc asks
 *   Refused     ringbuffer.go: (*Ring).putBack, after the token was taken
 *   Closer      ringbuffer.go: (*Ring).Close
 *
 * Checked: no deadlock; no lost wake-up (when nothing can move any more, no
 * receiver sleeps while a value is there); sent == received + dropped + len,
 * always; after Close every receiver comes to its end.
 *
 * The BUG_ switches plant one mistake each; the runner demands that spin
 * finds every one of them.
 */

#ifndef CAP
#define CAP 2
#endif
#define SENDS 2     /* by each sender */
#define SENDERS 2
#define BATCH 2

byte n, tok, rdy, sent, received, dropped;
bool closed, rclosed;
byte parked;        /* receivers that wait and will not give up */
byte senders = SENDERS;

/* outside mu: an atomic step of the channel alone */
inline wake() {
	atomic {
		if
		:: tok == 0 -> tok = 1
		:: else
		fi
	}
}

/* under mu */
inline signal() {
	if
	:: n > 0 && rdy == 0 && !closed -> rdy = 1
	:: else
	fi
}

inline law() { assert(sent == received + dropped + n && n <= CAP) }

proctype Sender() {
	byte i;
	bool stored;
	for (i : 1 .. SENDS) {
		atomic {
			stored = !closed;
			if
			:: closed                    /* refused: still the caller's */
			:: !closed && n < CAP -> n++; sent++
#ifdef BUG_EVICT_UNCOUNTED
			:: !closed && n == CAP -> sent++
#else
			:: !closed && n == CAP -> sent++; dropped++
#endif
			fi;
			if
			:: stored -> signal()
			:: else
			fi;
			law()
		}
#ifndef BUG_SEND_WAKES_NOBODY
		if
		:: stored -> wake()
		:: else
		fi
#endif
	}
	atomic { senders-- }
}

/* take up to most values; got tells whether there were any, more whether the
 * token must be passed on */
inline take(most) {
	if
	:: n == 0 -> got = false
	:: n > 0 ->
		got = true;
		if
		:: n >= most -> n = n - most; received = received + most
		:: else -> received = received + n; n = 0
		fi;
		signal();
		law()
	fi;
#ifdef BUG_CLOSE_WAKES_ONE
	more = n > 0
#else
	more = n > 0 || closed
#endif
}

/* hint: it parks before it looks, as Recv does when it sees no token */
proctype Receiver(byte most; bool givesUp; bool hint) {
	bool got, end, woken, more;
	woken = false;
	if
	:: hint && tok == 0 -> goto park
	:: true
	fi;
look:
	atomic {
		take(most);
		end = !got && closed;
	}
#ifndef BUG_TOKEN_NOT_PASSED_ON
	if
	:: woken && more -> wake()
	:: else
	fi;
#endif
	if
	:: end -> goto done
	:: got ->
		woken = false;
		if
		:: givesUp -> goto done         /* has what it came for */
		:: hint && tok == 0 -> goto park
		:: goto look
		fi
	:: else
	fi;
park:
	if
	:: !givesUp -> parked++
	:: else
	fi;
	if
	:: atomic {
		tok > 0 -> tok = 0;
		if
		:: !givesUp -> parked--
		:: else
		fi
	   }
	   woken = true;
#ifdef BUG_CONTEXT_BEFORE_LOOKING
	   if
	   :: givesUp -> goto done
	   :: true
	   fi;
#endif
	   goto look
	:: givesUp -> goto done
	fi;
done:
	skip
}

proctype Selector() {
	bool got, more;
	do
	:: atomic {
		(rdy > 0 || rclosed) ->
		if
		:: !rclosed -> rdy = 0
		:: rclosed
		fi
	   }
	   atomic {
		take(1);
		if
		:: !got && closed -> break
		:: else
		fi
	   }
	od
}

/* takes the token, comes with a context that is done, and goes for good */
proctype Refused() {
	if
	:: atomic {
		rdy > 0 || rclosed ->
		if
		:: !rclosed -> rdy = 0
		:: rclosed
		fi
	   };
#ifndef BUG_REFUSAL_KEEPS_TOKEN
	   atomic { signal() }
#endif
	:: true                         /* or does nothing at all */
	fi
}

/* Without CLOSES the receivers end up asleep, which must be with an empty
 * ring: init looks, and then lets them all end. */
proctype Closer() {
#ifdef CLOSES
	atomic {
#ifdef BUG_CLOSE_DISCARDS
		n = 0;
#endif
		closed = true;
		law()
	}
	wake();
	atomic { rclosed = true; rdy = 0 }
#endif
	skip
}

init {
	atomic {
		run Sender();
		run Sender();
#ifdef REFUSES
		run Selector();
		run Refused();
#else
		run Receiver(1, false, true);
#ifdef SELECTS
		run Selector();
#else
		run Receiver(BATCH, false, false);
#endif
		run Receiver(1, true, false);
#endif
		run Closer()
	}
	/* timeout: nothing else can move */
	timeout;
#ifdef CLOSES
	assert(n == 0 && parked == 0 && _nr_pr == 1);
#else
#ifdef REFUSES
	assert(n == 0);                 /* the selector took them all */
#endif
	assert(n == 0 || parked == 0);
	assert(senders == 0);
	/* end them all, so that a sleeper is not taken for a deadlock */
	atomic { closed = true; rclosed = true; rdy = 0; tok = 1 }
	timeout;
	assert(_nr_pr == 1);
#endif
	assert(sent == received + dropped)
}
