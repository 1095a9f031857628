package doctor

import "slices"

// eventLoops are calls of libraries that wait until an event loop has taken a
// function or a message, and the call in which that loop runs.
var eventLoops = []struct{ call, loop string }{
	{"github.com/rivo/tview.(*Application).QueueUpdate",
		"github.com/rivo/tview.(*Application).Run"},
	{"github.com/charmbracelet/bubbletea.(*Program).Send",
		"github.com/charmbracelet/bubbletea.(*Program).eventLoop"},
	{"github.com/faiface/mainthread.Call", "github.com/faiface/mainthread.Run"},
	{"golang.design/x/mainthread.Call", "golang.design/x/mainthread.Init"},
}

// unserved judges goroutines that wait for an event loop which no goroutine runs,
// or which they are in themselves, as in a handler of its events. One that has
// just begun may be ahead of the start of the loop.
func (sc *scene) unserved(s *site) (verdict, bool) {
	if s.op != ChanReceive && s.op != ChanSend && s.op != Select {
		return verdict{}, false
	}
	i := slices.IndexFunc(eventLoops, func(e struct{ call, loop string }) bool {
		return unvendored(s.at.Func) == e.call
	})
	if i < 0 {
		return verdict{}, false
	}
	v := verdict{state: VerdictStuck, report: true, severity: sc.grade(s, Warning),
		confidence: ConfidenceMedium, receiver: ReceiverMissing,
		other: ConfidenceMedium}
	loop := short(eventLoops[i].loop)
	runs := func(o *site) bool {
		return slices.ContainsFunc(o.stacks, func(stack *Stack) bool {
			return frameOf(stack, eventLoops[i].loop) >= 0
		})
	}
	switch {
	case runs(s):
		v.receiver = ReceiverPresent
		v.clause = clause{"it runs the event loop, " + loop + ", itself",
			"one of them runs the event loop, " + loop + ", itself"}
	case sc.partial, s.longest == 0 && s.entry != "main",
		slices.ContainsFunc(sc.sites, func(o *site) bool {
			return !sc.spend() || runs(o)
		}):
		return verdict{}, false
	default:
		v.clause = same("no goroutine runs the event loop, " + loop)
	}
	v.why = v.clause.of(s.count)
	return v, true
}
