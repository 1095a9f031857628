package observe

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"example.com/chanx"
)

// Each value belongs to a metric of the list, has all its labels, and no other
// has the same labels.
func TestMeasure(t *testing.T) { synctest.Test(t, testMeasure) }

func testMeasure(t *testing.T) {
	o := New()
	sick(t, o)
	o.Ring("panics", ringStats(func() chanx.RingStats { panic("x") }))
	o.Broadcast("too", broadcastStats(func() chanx.BroadcastStats { panic("x") }))
	known, left := make(map[string]Metric), make(map[string]bool)
	for _, m := range Metrics() {
		assert.NotContains(t, known, m.Name)
		assert.NotEmpty(t, m.Help)
		assert.NotEmpty(t, m.Unit)
		known[m.Name], left[m.Name] = m, true
	}
	seen := make(map[string]uint64)
	s := o.Snapshot()
	s.Measure(func(m Metric, value uint64, labels ...string) {
		assert.Equal(t, known[m.Name], m)
		assert.Len(t, labels, len(m.Labels), m.Name)
		key := m.Name + " " + strings.Join(labels, ",")
		assert.NotContains(t, seen, key)
		seen[key] = value
		delete(left, m.Name)
	})
	assert.Empty(t, left, "metrics without a value")
	for key, want := range map[string]uint64{
		"unreadable ":                            2,
		"ring.dropped metrics":                   236,
		"log.accepted access":                    1,
		"log.buffered_records access":            1,
		"log.buffered_bytes access":              5,
		"log.records audit,written":              1,
		"log.bytes audit,written":                7,
		"log.stalled access":                     1,
		"log.stalled audit":                      0,
		"worker.crash_looping workers,2 loops":   1,
		"worker.running workers,1 well":          1,
		"worker.exits workers,3 panics,panic":    1,
		"supervisor.workers workers,backing off": 2,
	} {
		assert.Equal(t, want, seen[key], key)
	}
	Metrics()[0].Name = "changed"
	assert.NotEqual(t, "changed", Metrics()[0].Name)
}

// Of more than 1,000 workers the failed one is kept, and the others are counted.
func TestManyWorkers(t *testing.T) {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	for i := range 1500 {
		err := s.Add(fmt.Sprint(i), func(context.Context) error {
			if i >= 1490 {
				return chanx.Permanent(errTest)
			}
			return chanx.ErrStop
		}, chanx.RestartPolicy{})
		assert.NoError(t, err)
	}
	_ = s.Run(t.Context())
	o := New()
	o.Supervisor("many", s)
	snap := o.Snapshot()
	sup := snap.Supervisors[0]
	assert.Len(t, sup.Workers, 1000)
	assert.Equal(t, 500, sup.Omitted)
	assert.Equal(t, "1490", sup.Workers[0].Name)
	assert.Equal(t, "0", sup.Workers[10].Name)
	assert.Equal(t, map[chanx.WorkerState]int{chanx.StateStopped: 1490,
		chanx.StateFailed: 10}, sup.States)
	var sentences []string
	for _, p := range snap.Problems {
		sentences = append(sentences, p.Sentence)
	}
	assert.Len(t, sentences, 7)
	assert.Contains(t, sentences, "5 more workers of supervisor \"many\" fail as well")
	assert.Contains(t, get(o, "/").Body.String(), "<p class=\"meta\">and 1,400 more</p>")
	assert.Contains(t, get(o, "/?format=text").Body.String(), "and 500 more workers\n")
}
