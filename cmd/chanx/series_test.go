package main

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/chanx/doctor"
)

func number(n int) string { return strconv.Itoa(n) }

// receiver is the goroutine that should receive what stuckDump sends.
const receiver = `goroutine 7 [IO wait]:
example.com/app/log.(*Writer).flush(0xc000010000)
	/src/app/log/writer.go:80 +0x5c
example.com/app/log.NewWriter.func1()
	/src/app/log/writer.go:60 +0x5c
created by example.com/app/log.NewWriter in goroutine 1
	/src/app/log/writer.go:55 +0x7a

`

// TestVanished: the receiver was there in the first look and is not any more.
func TestVanished(t *testing.T) {
	var looks atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if looks.Add(1) == 1 {
			io.WriteString(w, receiver+idleDump)
			return
		}
		io.WriteString(w, idleDump+"\n"+requests(12))
	})
	got := diagnose(t, "-form", "2", "-for", "20ms", url)
	require.Equal(t, exitFindings, got.code, got.stderr)
	require.Contains(t, got.stdout, "NewWriter.func1: 1 then, 0 now")
	require.Greater(t, looks.Load(), int32(1))

	before, after := write(t, "before.txt", receiver+idleDump),
		write(t, "after.txt", idleDump+"\n"+requests(12))
	got = diagnose(t, before, after)
	require.Equal(t, exitFindings, got.code, got.stderr)
	require.Contains(t, got.stdout, "NewWriter.func1: 1 then, 0 now")
	require.Contains(t, got.stderr, "one process over time")

	// A saved dump is older than a live process, wherever it is given.
	got = diagnose(t, text(t, idleDump+"\n"+requests(12)), before)
	require.Contains(t, got.stdout, "NewWriter.func1: 1 then, 0 now")

	got = diagnose(t, "-as", "fleet", before, after)
	require.NotContains(t, got.stdout, "1 then, 0 now")
	require.NotContains(t, got.stderr, "one process over time")
}

// TestLost: a server that answered once and then no more is a finding, and
// what it said before still counts.
func TestLost(t *testing.T) {
	var looks atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if looks.Add(1) > 1 {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, requests(12))
	})
	got := diagnose(t, "-json", "-form", "2", "-for", "20ms", url)
	require.Equal(t, exitFindings, got.code)
	r := parse(t, got.stdout)
	require.Len(t, r.Findings, 2)
	require.ElementsMatch(t, []string{"chan send", "unreachable"},
		[]string{r.Findings[0].Operation, r.Findings[1].Operation})
}

// other is a dump of another program.
var other = strings.NewReplacer("example.com/app", "example.com/shop",
	"main.handle",
	"main.sell").Replace(requests(12))

// TestAlike: files of different programs are never taken for one process,
// or the findings of the first would be lost.
func TestAlike(t *testing.T) {
	a, b := write(t, "a.txt", requests(12)), write(t, "b.txt", other)
	r := parse(t, diagnose(t, "-json", a, b).stdout)
	require.Equal(t, 24, r.Goroutines)
	require.Len(t, r.Findings, 2)

	r = parse(t, diagnose(t, "-json", "-as", "series", a, b).stdout)
	require.Equal(t, 12, r.Goroutines)
	r = parse(t, diagnose(t, "-json", a, a).stdout)
	require.Equal(t, 12, r.Goroutines)
	r = parse(t, diagnose(t, "-json", "-as", "fleet", a,
		write(t, "c.txt", requests(12))).stdout)
	require.Equal(t, 24, r.Goroutines)
	require.Len(t, r.Findings, 1)
}

// TestInstances is the table of who is one process.
func TestInstances(t *testing.T) {
	at := func(name, function string, live bool) *target {
		snap := &doctor.Snapshot{Target: name}
		snap.Add(&doctor.Stack{Count: 1, Frames: []doctor.Frame{{Func: function}}})
		tg := &target{name: name, snaps: []*doctor.Snapshot{snap}}
		if live {
			tg.server = &server{}
		}
		return tg
	}
	for name, test := range map[string]struct {
		as      string
		targets []*target
		want    []string
		series  bool
	}{
		"one": {"auto", []*target{at("a", "x.y/p.F", false)}, []string{"a"},
			false},
		"alike": {"auto", []*target{at("a", "x.y/p.F", false),
			at("b", "x.y/p.F", false)}, []string{"a", "a"}, true},
		"unlike": {"auto", []*target{at("a", "x.y/p.F", false),
			at("b", "x.y/q.F", false)}, []string{"a", "b"}, false},
		"servers": {"auto", []*target{at("a", "x.y/p.F", true),
			at("b", "x.y/p.F", true)}, []string{"a", "b"}, false},
		"mixed": {"auto", []*target{at("a", "x.y/p.F", false),
			at("b", "x.y/p.F", true)}, []string{"a", "a"}, true},
		"fleet": {"fleet", []*target{at("a", "x.y/p.F", false),
			at("b", "x.y/p.F", false)}, []string{"a", "b"}, false},
		"series": {"series", []*target{at("a", "x.y/p.F", false),
			at("b", "x.y/q.F", false)}, []string{"a", "a"}, true},
		"main": {"auto", []*target{at("a", "main.f", false),
			at("b", "main.g", false)}, []string{"a", "b"}, false},
		"std": {"auto", []*target{at("a", "net/http.f", false),
			at("b", "x.y/q.F", false)}, []string{"a", "a"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.series, instances(test.as, test.targets))
			for i, tg := range test.targets {
				require.Equal(t, test.want[i], tg.snaps[0].Instance)
			}
		})
	}
}
