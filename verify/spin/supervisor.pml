/*
 * The stop protocol of Supervisor under RestForOne, of which
 * OneForAll is the case that the first member fails: failures at any time,
 * also while a group is being stopped or waits for its backoff; a member
 * removed at any time; the context done at any time.
 *
 * What runs under Supervisor.mu is one atomic block here. Workers return when
 * they are cancelled; what happens when they do not is a matter of time, which
 * the tests in virtual time show.
 *
 *   this model  mirrors
 *   Run         supervisor.go: (*Supervisor).Run, (*Supervisor).begin
 *   Run         strategy.go: (*Supervisor).nextGroup, (*Supervisor).restartGroup
 *   finish      supervisor.go: (*Supervisor).beginStop, (*Supervisor).endStop
 *   stopMember  supervisor.go: one turn of (*Supervisor).stopInTurn
 *   start       supervisor.go: (*Supervisor).start
 *   Worker      supervisor.go: (*Supervisor).work, (*Supervisor).exited
 *   restart     strategy.go: (*Supervisor).restart
 *   Timer       strategy.go: (*Supervisor).schedule, (*Supervisor).launch
 *   Remove      supervisor.go: (*Supervisor).Remove, (*Supervisor).remove,
 *               (*Supervisor).drop
 *   planned     supervisor.go: member.plan
 *   planned     strategy.go: (*member).unclaim, where it becomes 0
 *   regrouped   strategy.go: (*member).regrouped, in place of a decision
 *   regroups    supervisor.go: Supervisor.groups
 *   wake        supervisor.go: Supervisor.wake, (*Supervisor).nudge
 *   phase       supervisor.go: Supervisor.phase
 *
 * Checked: a member never runs twice at once, nor after it was removed; nothing
 * is started once the set stops; Run and Remove come to their end; nothing runs
 * after Run; no lost nudge: when nothing can move any more, every member that
 * is left runs.
 *
 * The BUG_ switches plant one mistake each; the runner demands that spin
 * finds every one of them.
 */

#define N 3

#ifndef FAILURES
#define FAILURES 3
#endif
#define PLANS 5

mtype = { running, stopping, stopped };
mtype phase = running;

bool live[N], regrouped[N], cancel[N], gone[N], present[N];
byte planned[N];           /* 0, or the number of a plan */
byte turn[N];              /* which run of the member it is */

typedef Plan { bool has[N] };
Plan plans[PLANS];
byte made;                 /* plans made so far */

chan regroups = [PLANS] of { byte };
bool wake, done;           /* Supervisor.wake, and the context */
byte failures = FAILURES;

inline start(m) {
	assert(present[m] && !live[m]);
	assert(phase == running);
	live[m] = true;
	regrouped[m] = false;
	cancel[m] = false;
	planned[m] = 0;
	turn[m]++;
	run Worker(m)
}

inline restart(m) {
	made++;
	for (i : 0 .. N - 1) {
		if
		:: i >= m && present[i] && !gone[i] ->
			planned[i] = made;
			plans[made - 1].has[i] = true;
			if
			:: live[i] -> regrouped[i] = true
			:: else
			fi
		:: else
		fi
	}
	regroups ! made;
#ifndef BUG_NO_NUDGE
	wake = true
#endif
}

proctype Worker(byte m) {
	byte i;
	if
	:: cancel[m]
	:: atomic { failures > 0 -> failures-- }
	fi;
	atomic {
		live[m] = false;
		if
		:: phase != running || gone[m] -> planned[m] = 0
		:: phase == running && !gone[m] && regrouped[m]
		:: else -> restart(m)
		fi;
		if
		:: gone[m] -> present[m] = false
		:: else
		fi
	}
}

/* backoff, and then the start of the members that p is still the plan of */
proctype Timer(byte p) {
	byte i;
	atomic {
		for (i : 0 .. N - 1) {
			if
			:: plans[p - 1].has[i] && planned[i] == p -> start(i)
			:: else
			fi
		}
	}
}

/* cancel the run of m that was seen live, and wait for that run */
inline stopMember(m) {
	if
	:: seen[m] ->
		atomic {
			if
			:: turn[m] == seenTurn[m] -> cancel[m] = true
			:: else
			fi
		}
		if
		:: !live[m] || turn[m] != seenTurn[m]
		:: interrupt && done -> goto finish
		fi
	:: else
	fi
}

proctype Run() {
	byte i, p;
	bool seen[N], interrupt;
	byte seenTurn[N];
	atomic {
		for (i : 0 .. N - 1) {
			present[i] = true;
			start(i)
		}
	}
loop:
	atomic {
		if
		:: nempty(regroups) ->
			regroups ? p;
			for (i : 0 .. N - 1) {
				seen[i] = planned[i] == p && live[i];
				seenTurn[i] = turn[i]
			}
		:: empty(regroups) -> p = 0
		fi
	}
	if
	:: p > 0 ->
		interrupt = true;
		stopMember(2);
		stopMember(1);
		stopMember(0);
#ifdef BUG_PLAN_NOT_OWNED
		atomic {
			for (i : 0 .. N - 1) {
				if
				:: plans[p - 1].has[i] && !gone[i] -> planned[i] = p
				:: else
				fi
			}
		}
#endif
		run Timer(p);
		goto loop
	:: else
	fi;
	if
	:: atomic { wake -> wake = false }
		goto loop
	:: done
	fi;
finish:
	atomic {
		phase = stopping;
		interrupt = false;
		for (i : 0 .. N - 1) {
#ifndef BUG_PLANS_OUTLIVE_THE_SET
			planned[i] = 0;
#endif
			seen[i] = live[i];
			seenTurn[i] = turn[i]
		}
	}
	stopMember(2);
	stopMember(1);
	stopMember(0);
	atomic {
		phase = stopped;
		assert(!live[0] && !live[1] && !live[2])
	}
}

proctype Remove(byte m) {
	atomic {
		present[m];
		gone[m] = true;
#ifndef BUG_REMOVED_IS_STARTED
		planned[m] = 0;
#endif
		if
		:: live[m] -> cancel[m] = true
		:: else -> present[m] = false
		fi
	}
	!present[m]
}

init {
	byte i;
	atomic {
		run Run();
#ifdef REMOVES
		run Remove(1);
#endif
	}
#ifdef CANCELS
	done = true;       /* at any time */
	timeout;
#else
	timeout;           /* all failures are used up, or cannot happen */
	for (i : 0 .. N - 1) {
		assert(live[i] || !present[i])
	}
	done = true;
	timeout;
#endif
	assert(_nr_pr == 1);
	assert(phase == stopped)
}
