package queue

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheck_ours(t *testing.T) {
	for _, p := range peers[[1]uint64]() {
		if !p.ours {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			v := check(p, 100_000)
			assert.False(t, v.fails(), "%+v", v)
			assert.False(t, v.silent)
			late := map[bool]string{true: "is refused", false: "panics"}
			assert.Equal(t, late[p.name == "chanx.Ring"], v.late)
		})
	}
}

// One slot of its ring stays free, and there is no ring of none.
func TestOverlapped_holdsOneAtLeast(t *testing.T) {
	q := openOverlapped[[1]uint64](1)
	assert.Zero(t, q.send([1]uint64{1}))
	assert.Equal(t, 1, q.send([1]uint64{2}))
	q.close()
	v, ok := q.recv()
	assert.True(t, ok)
	assert.Equal(t, uint64(2), v[0])
	_, ok = q.recv()
	assert.False(t, ok)
}

// liar is an ordinary channel with a fault.
type liar struct {
	channel[[1]uint64]
	fault string
}

func (q liar) send(v [1]uint64) int {
	seq := v[0] & 0xff
	switch {
	case q.fault == "loses" && seq == 7:
	case q.fault == "repeats" && seq == 7:
		q.ch <- v
		q.ch <- v
	case q.fault == "reorders" && seq == 8:
		v[0] -= 2
		q.ch <- v
	default:
		q.ch <- v
	}
	return 0
}

func (q liar) close() {
	if q.fault == "forgets" {
		select {
		case <-q.ch:
		default:
		}
	}
	q.channel.close()
}

func TestCheck_namesTheFault(t *testing.T) {
	for fault, failed := range map[string]string{
		"":         "",
		"loses":    "sum closing",
		"repeats":  "sum order closing",
		"reorders": "order",
		"forgets":  "closing",
	} {
		t.Run(fault, func(t *testing.T) {
			v := check(peer[[1]uint64]{name: "liar", open: func(n int) queue[[1]uint64] {
				ch := make(chan [1]uint64, n)
				return liar{channel: channel[[1]uint64]{ch}, fault: fault}
			}}, 1000)
			found := failures(v)
			if fault == "forgets" { // the flood may or may not notice
				found = strings.TrimPrefix(found, "sum ")
			}
			assert.Equal(t, failed, found)
			assert.Equal(t, failed != "", v.fails())
			assert.Len(t, v.notes(), len(strings.Fields(failures(v))))
		})
	}
}

func failures(v verdict) string {
	var all []string
	for _, one := range []struct{ name, why string }{
		{"sum", v.sum}, {"order", v.order}, {"closing", v.closing}} {
		if one.why != "" {
			all = append(all, one.name)
		}
	}
	return strings.Join(all, " ")
}

func TestVerdictTable_namesWhoFails(t *testing.T) {
	table := verdictTable([]verdict{
		{name: "good", late: "panics"},
		{name: "silent", silent: true, late: "panics"},
		{name: "bad", order: "value 3 came twice", late: "is lost"},
	})
	require.Equal(t, [][]string{
		{"good", "yes", "yes", "yes", "panics"},
		{"silent", "–", "yes", "yes", "panics"},
		{"bad", "yes", "**no**", "yes", "is lost"},
	}, table.Rows)
	assert.Contains(t, table.Notes, "bad: value 3 came twice.")
	assert.Contains(t, table.Notes, "silent: does not count what it drops.")
	assert.Contains(t, table.Notes, "Who fails a check: bad.")
}
