package doctor

import (
	"testing"

	"example.com/chanx/internal/printable"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGrowing(t *testing.T) {
	for _, test := range []struct {
		counts []int
		want   bool
	}{
		{[]int{5}, false},
		{[]int{100, 200}, true},
		{[]int{100, 199}, false}, // not twice
		{[]int{0, 100}, true},
		{[]int{0, 99}, false}, // traffic
		{[]int{40, 90}, false},
		{[]int{20, 25, 30}, true},
		{[]int{20, 25, 29}, false}, // not half as much again
		{[]int{2, 5, 11}, false},   // nine
		{[]int{2, 5, 12}, true},
		{[]int{20, 20, 40}, false},    // the last step may be traffic
		{[]int{20, 41, 40}, false},    // it fell
		{[]int{20, 30, 30}, false},    // it has stopped
		{[]int{0, 10, 10, 10}, false}, // a pool that was started
		{[]int{0, 10, 20, 30}, true},
	} {
		var series []*Snapshot
		for _, n := range test.counts {
			p := process(standing(1, "running", "app.g"))
			if n > 0 {
				p.Add(standing(n, "select", "app.f"))
			}
			series = append(series, p)
		}
		g, f := opinionOn(t, "app.f", Rules{}, series...)
		assert.Equal(t, test.want, f != nil, "%v", test.counts)
		if test.want && f != nil {
			assert.EqualValues(t, "stuck", g.Verdict)
			assert.Contains(t, f.Sentence, "growing: "+printable.Number(test.counts[0])+" then, ")
			assert.EqualValues(t, "medium", f.Confidence)
		}
	}
}

// The growth of a place that has a finding anyway is evidence.
func TestGrowingSenders(t *testing.T) {
	_, f := opinionOn(t, "app.f", Rules{},
		process(standing(20, "chan send", "app.f")),
		process(standing(200, "chan send", "app.f")))
	assert.Contains(t, f.Evidence, "growing: 20 then, 200 now")
	assert.Contains(t, f.Sentence, "blocked sending")

	_, f = opinionOn(t, "app.f", Rules{},
		process(standing(20, "chan receive", "app.f", inRequest)),
		process(standing(200, "chan receive", "app.f", inRequest)))
	assert.Contains(t, f.Evidence, "growing: 20 then, 200 now")
	assert.Contains(t, f.Sentence, "no goroutine is sending there")

	_, f = opinionOn(t, "app.f", Rules{},
		process(standing(20, "IO wait", "app.f")),
		process(standing(200, "IO wait", "app.f")))
	assert.Nil(t, f, "more connections are no leak")

	chain := func(n int) *Snapshot {
		return process(born(standing(n, "chan receive", "app.f"), 1,
			append([]uint64{9999}, upTo(n-1)...)...))
	}
	_, f = opinionOn(t, "app.f", Rules{}, chain(400), chain(999))
	assert.Equal(t, Warning, f.Severity)
	_, f = opinionOn(t, "app.f", Rules{}, chain(400), chain(1000))
	assert.Equal(t, Critical, f.Severity)
}

// The same goroutine in the same place is the best evidence there is.
func TestStayed(t *testing.T) {
	sender := func(id uint64) *Snapshot {
		return timed(process(born(standing(1, "chan send", "app.f"), id)))
	}
	_, f := opinionOn(t, "app.f", Rules{}, sender(7), sender(7))
	require.NotNil(t, f)
	assert.Equal(t, Warning, f.Severity, "alone it would be worth a look")
	assert.Contains(t, f.Evidence, "1 of them stood there in an earlier "+
		"snapshot already")

	_, f = opinionOn(t, "app.f", Rules{}, sender(7), sender(8))
	assert.Equal(t, Info, f.Severity, "another one is only busy traffic")

	// A profile in between knows no goroutine and takes nothing away.
	_, f = opinionOn(t, "app.f", Rules{}, sender(7),
		process(standing(1, "chan send", "app.f")), sender(7))
	assert.Equal(t, Warning, f.Severity)
	_, f = opinionOn(t, "app.f", Rules{},
		process(standing(1, "chan send", "app.f")), sender(7), sender(7))
	assert.Equal(t, Warning, f.Severity)

	many := func() *Snapshot {
		return timed(process(born(standing(3, "chan send",
			"app.f"), 10)))
	}
	_, f = opinionOn(t, "app.f", Rules{}, many(), many())
	assert.EqualValues(t, "high", f.Confidence, "medium without the earlier one")

	receivers := func() *Snapshot {
		return process(born(standing(3, "select",
			"app.f"), 10))
	}
	_, f = opinionOn(t, "app.f", Rules{}, receivers(), receivers())
	assert.Nil(t, f, "workers stay where they are")

	waiting := func() *Snapshot {
		return process(born(standing(3, "sync.WaitGroup.Wait", "app.f"), 10, 1))
	}
	g, f := opinionOn(t, "app.f", Rules{}, waiting(), waiting())
	assert.Nil(t, f, "and who waits for them does")
	assert.EqualValues(t, "idle", g.Verdict)

	requests := func() *Snapshot {
		return process(born(standing(10, "chan send", "app.f", inRequest), 10))
	}
	_, f = opinionOn(t, "app.f", Rules{}, requests(), requests())
	assert.Equal(t, Critical, f.Severity, "no less for having stayed")

	slow := func() *Snapshot {
		return process(born(standing(3, "chan send", "app.(*W).Put"), 10),
			standing(1, "running", "app.(*W).loop"))
	}
	g, f = opinionOn(t, "app.(*W).Put", Rules{}, slow(), slow())
	assert.EqualValues(t, "slow", g.Verdict, "the receiver is at work")
	assert.Equal(t, Info, f.Severity)
}

// The goroutine that takes a snapshot is in order.
func TestTracing(t *testing.T) {
	for call, want := range map[string]bool{
		"runtime/pprof.writeGoroutine":                  true,
		"runtime/debug.Stack":                           true,
		"net/http/pprof.Index":                          true,
		"example.com/chanx/doctor.TakeStacks":           true,
		"example.com/chanx/doctor.(*handler).ServeHTTP": true,
		"example.com/chanx/doctor.Watch":                false,
		"runtime/debug.FreeOSMemory":                    false,
		"net/http.(*conn).serve":                        false,
	} {
		assert.Equal(t, want, tracing(standing(1, "running", call)), call)
	}
}

func TestSameFile(t *testing.T) {
	assert.True(t, sameFile("/src/a.go", "/src/a.go"))
	assert.False(t, sameFile("/src/a.go", "/src/b.go"))
	assert.False(t, sameFile("", ""))
}
