package doctor

import (
	"strings"
	"testing"

	"example.com/chanx/internal/printable"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReportAdd(t *testing.T) {
	r := &Report{}
	for _, f := range []Finding{
		{Severity: Warning, Count: 5, Function: "b"},
		{Severity: Info, Count: 500, Function: "d"},
		{Severity: Critical, Count: 1, Function: "a"},
		{Severity: Warning, Count: 5, Function: "c"},
		{Severity: Warning, Count: 50, Function: "e"},
		{Severity: Warning, Count: 5, Function: "c", Line: 2},
		{Severity: Warning, Count: 5, Function: "c", Line: 2, Operation: "select"},
	} {
		r.Add(f)
	}
	var order []string
	for _, f := range r.Findings {
		order = append(order, f.Function+string(f.Operation)+printable.Number(f.Line))
	}
	assert.Equal(t, []string{"a0", "e0", "b0", "c0", "c2", "cselect2", "d0"},
		order)
}

// A fleet over time: each instance is compared with its own past, and the
// counts are of now.
func TestFleetOverTime(t *testing.T) {
	at := func(instance string, n int) *Snapshot {
		p := process(standing(n, "chan send", "app.(*Writer).Put", inRequest))
		p.Instance, p.Target = instance, instance+".txt"
		return p
	}
	a1, b1, a2, b2, a3, b3 := at("a", 10), at("b", 30), at("a", 15), at("b", 30),
		at("a", 40), at("b", 31)
	a1.Add(standing(1, "select", "app.drain"))
	r := Diagnose(Rules{}, a1, b1, a2, b2, a3, b3)
	require.Len(t, r.Findings, 1)
	f := r.Findings[0]
	assert.Equal(t, 71, f.Count)
	assert.Equal(t, 71, r.Goroutines)
	assert.Equal(t, map[string]int{"a": 40, "b": 31}, f.Instances)
	assert.Contains(t, f.Sentence, "71 goroutines are blocked sending")
	assert.Contains(t, f.Sentence, "app.drain: 1 then, 0 now")
	assert.Contains(t, f.Sentence, "on 2 instances")
	assert.Contains(t, f.Evidence, "growing: 10 then, 40 now")
	assert.Equal(t, []string{"a.txt", "b.txt"}, r.Targets)
	require.Len(t, r.Groups, 1)
	assert.Equal(t, 71, r.Groups[0].Count)
	assert.Len(t, r.Groups[0].Stacks, 2)
	require.NotEmpty(t, r.Changes)
	assert.Equal(t, "app.drain", r.Changes[0].Function)
}

// One goroutine on each of two instances is two goroutines; a verdict of one
// instance that found something counts for the group.
func TestFleetMerges(t *testing.T) {
	alone := process(standing(1, "chan send", "app.f"))
	many := process(standing(1, "chan send", "app.f", inRequest))
	alone.Instance, many.Instance = "alone", "many"
	r := Diagnose(Rules{}, alone, many)
	require.Len(t, r.Findings, 1)
	assert.Contains(t, r.Findings[0].Sentence, "2 goroutines are blocked sending")
	assert.Equal(t, Warning, r.Findings[0].Severity, "the worse tells the story")
	assert.EqualValues(t, "stuck", r.Groups[0].Verdict)
	assert.Nil(t, Diagnose(Rules{}, alone).Findings[0].Instances, "no fleet")

	alone, many = process(standing(3, "chan send", "app.f")),
		process(standing(4, "chan send", "app.f"))
	alone.Instance, many.Instance = "alone", "many"
	assert.Equal(t, "7 goroutines are blocked sending in app.f (app.go:1); no "+
		"goroutine is receiving there, on 2 instances",
		Diagnose(Rules{}, alone, many).Findings[0].Sentence)

	// Of two that are equally bad, the first tells it.
	first := process(waited(standing(2, "chan send", "app.f"), 7))
	second := process(waited(standing(2, "chan send", "app.f"), 9))
	first.Instance, second.Instance = "first", "second"
	r = Diagnose(Rules{}, first, second)
	assert.Equal(t, []string{"the longest has waited 7 minutes"},
		r.Findings[0].Evidence)
}

func TestReportOfInput(t *testing.T) {
	a, b := process(standing(1, "running", "app.f")), process(standing(1,
		"running", "app.f"))
	a.Unreadable, a.Truncated, a.Banner = 20, true, "panic: a"
	b.Unreadable, b.Banner = 3, "panic: b"
	for range 20 {
		a.note(1, "x", "odd")
	}
	b.note(2, "y", "odd")
	r := Diagnose(Rules{}, a, b)
	assert.Equal(t, []string{"app"}, r.Targets, "once")
	assert.Equal(t, 23, r.Unreadable)
	assert.Len(t, r.Troubles, maxTroubles)
	assert.True(t, r.Truncated)
	assert.Equal(t, "panic: a", r.Banner)
	assert.Equal(t, &Report{Root: "no goroutine"}, Diagnose(Rules{}))
}

// None of these inputs shows that nothing is stuck: each leaves out something
// that an opinion needs.
func TestReportComplete(t *testing.T) {
	const whole = mainGoroutine + "goroutine 5 [select]:\napp.loop(0xc000010000)\n" +
		"\t/app/a.go:22 +0x1d\ncreated by main.main in goroutine 1\n" +
		"\t/app/main.go:20 +0x1d\n\n"
	for name, text := range map[string]string{
		"headers": "goroutine 1 [running]:\ngoroutine 5 [chan receive, 80 minutes]:\n" +
			"goroutine 8 [sync.WaitGroup.Wait, 80 minutes]:\n",
		"no goroutine": "goroutine profile: total 0\n",
		"no addresses": "goroutine profile: total 12\n12 @\n" +
			"#\tmain.worker+0x5\t/src/x.go:12\n",
		"addresses removed": "goroutine profile: total 10\n10 @ 0x43e0c5 0x40a1b2 0x1 0x2\n" +
			"#\t0xXXXX\tmain.worker+0x5\t/src/x.go:12\n",
		"fewer than announced": "goroutine profile: total 3\n1 @ 0x43e0c5\n" +
			"#\t0x43e0c4\truntime/pprof.writeGoroutine+0x5\t/src/x.go:12\n",
		"calls of the runtime removed": "Type: goroutine\n-----------+------\n" +
			"        10   main.worker\n             main.run\n-----------+------\n" +
			"         2   main.other\n             main.main\n-----------+------\n",
		"cut within a call": whole + "goroutine 6 [IO wait]:\n" +
			"net.(*conn).Read(0xc000010000\n",
		"cut behind a header": whole + "goroutine 6 [IO wait]:\n",
		"beginning cut":       whole[strings.Index(whole, "app.loop"):] + mainGoroutine,
		"damaged header":      strings.Replace(whole, "goroutine 5", "gorou 5", 1),
		"extract":             whole[len(mainGoroutine):],
		"unknown state":       strings.Replace(whole, "[select]", "[quantum wait]", 1),
		"no state":            strings.Replace(whole, "[select]", "[]", 1),
		"stack without header": "os/exec.(*Cmd).watchCtx\n  runtime.gopark\n" +
			"  /go/src/runtime/proc.go:402\n  runtime.selectgo\n" +
			"  /go/src/runtime/select.go:327\n  os/exec.(*Cmd).watchCtx.func1\n" +
			"  /go/src/os/exec/exec.go:760\n",
		"test that timed out": "panic: test timed out after 3s\n\n" + whole,
		"crash of one goroutine": "panic: boom\n\ngoroutine 7 [running]:\nmain.f()\n" +
			"\t/a.go:1 +0x1\nexit status 2\n",
	} {
		t.Run(name, func(t *testing.T) {
			all, err := Parse(strings.NewReader(text), "x")
			require.NoError(t, err)
			r := Diagnose(Rules{}, all...)
			assert.False(t, r.Complete())
			assert.NotContains(t, textOf(t, r, TextOptions{Width: 1 << 20}),
				"nothing stuck")
			assert.NotEqual(t, "nothing stuck", r.Root)
		})
	}
	r := Diagnose(Rules{}, parseOne(t, whole))
	assert.True(t, r.Complete())
	assert.Equal(t, "nothing stuck", r.Root)
	r.Merge(Diagnose(Rules{}, &Snapshot{Instance: "b"}))
	assert.False(t, r.Complete(), "an instance shows no goroutine")
}

// A goroutine that runs on another thread, or that a profile finds before its
// first call, has no stack and is at work.
func TestReportCompleteWithoutStack(t *testing.T) {
	starting := &Snapshot{}
	starting.Add(&Stack{Count: 2})
	starting.Add(standing(1, "", "runtime.gopark", "runtime.selectgo", "app.run"))
	assert.True(t, Diagnose(Rules{}, starting).Complete())
	r := Diagnose(Rules{}, parseOne(t, mainGoroutine+"goroutine 5 [running]:\n"+
		"\tgoroutine running on other thread; stack unavailable\n\n"))
	assert.True(t, r.Complete())
}

// Of goroutines that the runtime found in a deadlock the root names one that
// sends, rather than one that waits for work.
func TestReportRootIsSender(t *testing.T) {
	const dump = "fatal error: all goroutines are asleep - deadlock!\n\n" +
		"goroutine 18 [chan send]:\nzoo.Test(0x1)\n\t/src/zoo.go:571 +0x487\n\n" +
		"goroutine 19 [select]:\napp.(*Supervisor).Serve(0xc00014e140)\n" +
		"\t/src/sup.go:355 +0x473\ncreated by zoo.Test\n\t/src/zoo.go:5 +0x1\n"
	r := Diagnose(Rules{}, parseOne(t, dump))
	require.Len(t, r.Findings, 2)
	assert.Contains(t, r.Root, "goroutine 18")
}
