/*
 * The waiting protocol of Ring (ringbuffer.go): evict x close x blocked
 * receivers x batch x a select on Ready x receivers that give up.
 *
 * What runs under Ring.mu is one atomic block here. `tok` is the token in
 * Ring.ready; a receive from it is possible while it is there or the channel
 * is closed.
 *
 *   this model  mirrors
 *   tok         ringbuffer.go: Ring.ready
 *   signal      ringbuffer.go: (*Ring).signal
 *   Sender      ringbuffer.go: (*Ring).Send, (*Ring).push, (*Ring).replace
 *   take        ringbuffer.go: (*Ring).TryRecv, (*Ring).pop, (*Ring).take
 *   Receiver    ringbuffer.go: (*Ring).Recv, (*Ring).RecvBatch, (*Ring).wait
 *   givesUp     ringbuffer.go: (*Ring).wait, its <-done, (*Ring).recvWait
 *   Selector    ringbuffer.go: (*Ring).Ready, used as its doc asks
 *   Refused     ringbuffer.go: (*Ring).contextErr, after the token was taken
 *   Closer      ringbuffer.go: (*Ring).Close
 *
 * Checked: no deadlock; no lost wake-up (when nothing can move any more, no
 * receiver sleeps beside a value); sent == received + dropped + len, always;
 * after Close every receiver comes to its end.
 *
 * The BUG_ switches plant one mistake each; the runner demands that spin
 * finds every one of them.
 */

#ifndef CAP
#define CAP 2
#endif
#define SENDS 3     /* by each sender */
#define SENDERS 2
#define BATCH 2

byte n, tok, sent, received, dropped;
bool closed;
byte parked;        /* receivers that wait and will not give up */
byte senders = SENDERS;

inline signal() {
	if
	:: tok == 0 && !closed -> tok = 1
	:: else
	fi
}

inline law() { assert(sent == received + dropped + n && n <= CAP) }

proctype Sender() {
	byte i;
	for (i : 1 .. SENDS) {
		atomic {
			if
			:: closed                    /* refused: still the caller's */
			:: !closed && n < CAP -> n++; sent++; signal()
#ifdef BUG_EVICT_UNCOUNTED
			:: !closed && n == CAP -> sent++; signal()
#else
			:: !closed && n == CAP -> sent++; dropped++; signal()
#endif
			fi;
			law()
		}
	}
	atomic { senders-- }
}

/* take up to most values; got tells whether there were any */
inline take(most) {
	if
	:: n == 0 -> got = false
	:: n > 0 ->
		got = true;
		if
		:: n >= most -> n = n - most; received = received + most
		:: else -> received = received + n; n = 0
		fi;
#ifndef BUG_TOKEN_NOT_PASSED_ON
		if
		:: n > 0 -> signal()
		:: else
		fi;
#endif
		law()
	fi
}

proctype Receiver(byte most; bool givesUp) {
	bool got, end;
	do
	:: atomic {
		take(most);
		end = !got && n == 0 && closed;
		if
		:: !got && !end && !givesUp -> parked++
		:: else
		fi
	   }
	   if
	   :: end -> break
	   :: got ->
		if
		:: givesUp -> break     /* has what it came for */
		:: true
		fi
	   :: else ->
		if
		:: atomic {
			(tok > 0 || closed) ->
			if
			:: !closed -> tok = 0
			:: closed
			fi;
			if
			:: !givesUp -> parked--
			:: else
			fi
		   }
#ifdef BUG_CONTEXT_BEFORE_LOOKING
		   if
		   :: givesUp -> break
		   :: true
		   fi
#endif
		:: givesUp -> break
		fi
	   fi
	od
}

proctype Selector() {
	bool got;
	do
	:: atomic {
		(tok > 0 || closed) ->
		if
		:: !closed -> tok = 0
		:: closed
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
		tok > 0 || closed ->
		if
		:: !closed -> tok = 0
		:: closed
		fi
	   };
#ifndef BUG_REFUSAL_KEEPS_TOKEN
	   atomic {
		if
		:: n > 0 -> signal()
		:: else
		fi
	   }
#endif
	:: true                         /* or does nothing at all */
	fi
}

/* Without CLOSES the receivers end up asleep, which must be with an empty
 * ring: init looks, and then lets everybody go. */
proctype Closer() {
#ifdef CLOSES
	atomic {
#ifdef BUG_CLOSE_DISCARDS
		n = 0;
#endif
		closed = true;
		tok = 0;
		law()
	}
#endif
	skip
}

init {
	atomic {
		run Sender();
		run Sender();
		run Receiver(1, false);
		run Receiver(BATCH, false);
		run Receiver(1, true);
#ifdef SELECTS
		run Selector();
#endif
#ifdef REFUSES
		run Refused();
#endif
		run Closer()
	}
	/* timeout: nothing else can move */
	timeout;
#ifdef CLOSES
	assert(n == 0 && parked == 0 && _nr_pr == 1);
#else
	assert(n == 0 || parked == 0);
	assert(senders == 0);
	/* let everybody go, so that a sleeper is not taken for a deadlock */
	atomic { closed = true; tok = 0 }
	timeout;
	assert(_nr_pr == 1);
#endif
	assert(sent == received + dropped)
}
