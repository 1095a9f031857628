package doctor

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParseHeader(t *testing.T) {
	for _, test := range []struct {
		line string
		want header
	}{
		{"goroutine 1 [running]:", header{id: 1, state: []byte("running")}},
		{"goroutine 7 [chan send, 42 minutes]:",
			header{id: 7, state: []byte("chan send"), minutes: 42}},
		{"goroutine 7 [chan send (nil chan)]:",
			header{id: 7, state: []byte("chan send (nil chan)")}},
		{"goroutine 7 [select (no cases), 3 minutes, locked to thread]:",
			header{id: 7, state: []byte("select (no cases)"), minutes: 3}},
		{"goroutine 7 [chan receive (durable), synctest bubble 3]:",
			header{id: 7, state: []byte("chan receive"), bubble: true}},
		{"goroutine 7 [select (leaked) (scan), 1 minutes]:",
			header{id: 7, state: []byte("select"), leaked: true, minutes: 1}},
		{"goroutine 7 [sync.WaitGroup.Wait (durable), 9 minutes, synctest bubble 1]:",
			header{id: 7, state: []byte("sync.WaitGroup.Wait"), bubble: true,
				minutes: 9}},
		{"goroutine 18 gp=0xc000002380 m=nil [GC worker (idle)]:",
			header{id: 18, state: []byte("GC worker (idle)")}},
		{"goroutine 1 gp=0xc0000021c0 m=0 mp=0x5a8f20 [running, locked to thread]:",
			header{id: 1, state: []byte("running")}},
		{`goroutine 7 [select labels:{"a": "b", "c]:": "d}\"e"}]:`,
			header{id: 7, state: []byte("select"), labels: []byte(`"a": "b", "c]:": "d}\"e"`)}},
		{`goroutine 7 [IO wait, 2 minutes labels:{"k": "v"}]:`,
			header{id: 7, state: []byte("IO wait"), minutes: 2, labels: []byte(`"k": "v"`)}},
		{"goroutine 7 [some new reason (of 2031), new note, 5 minutes]:",
			header{id: 7, state: []byte("some new reason (of 2031)"), minutes: 5}},
		{"goroutine 7 [force gc (idle)]:",
			header{id: 7, state: []byte("force gc (idle)")}},
		{"goroutine 7 [running, synctest bubble 3]:",
			header{id: 7, state: []byte("running"), bubble: true}},
		{`goroutine 7 [select labels:{"a": "b`,
			header{id: 7, state: []byte("select"), labels: []byte(`"a": "b`),
				cut: true}},
		{`goroutine 7 [select labels:{"a": "b"}`,
			header{id: 7, state: []byte("select"), labels: []byte(`"a": "b"`),
				cut: true}},
		{`goroutine 7 [select labels:{"a": "b"}]: listening`,
			header{id: 7, state: []byte("select"), labels: []byte(`"a": "b"`),
				tail: []byte("listening")}},
		{`goroutine 7 [select]: with labels:{"a": "b"}]:`,
			header{id: 7, state: []byte("select"),
				tail: []byte(`with labels:{"a": "b"}]:`)}},
		{"goroutine 7 [chan re", header{id: 7, state: []byte("chan re"), cut: true}},
		{"goroutine 7 gp=0x", header{id: 7, cut: true}},
		{"goroutine 7 [select]: 2026/11/24 listening",
			header{id: 7, state: []byte("select"),
				tail: []byte("2026/11/24 listening")}},
		{"goroutine 18446744073709551615 [select]:",
			header{id: 1<<64 - 1, state: []byte("select")}},
	} {
		got := parseHeader([]byte(test.line))
		if len(got.tail) == 0 {
			got.tail = nil
		}
		assert.Equal(t, test.want, got, test.line)
	}
}

func TestIsHeader(t *testing.T) {
	for line, want := range map[string]bool{
		"goroutine 1 [running]:":            true,
		"goroutine 1 gp=0x1 m=0 [idle]:":    true,
		"goroutine profile: total 8":        true,
		"goroutineleak profile: total 0":    true,
		"goroutine 1":                       false,
		"goroutine x [running]:":            false,
		"goroutine running on other thread": false,
		"goroutines 1 [x]:":                 false,
		"":                                  false,
	} {
		assert.Equal(t, want, isHeader([]byte(line)), line)
	}
}

func TestEachLabel(t *testing.T) {
	for in, want := range map[string][]string{
		`"a": "b", "c": "d"`: {"a=b", "c=d"},
		`"a":"b", "c":"d\n"`: {"a=b", "c=d\n"},
		`"a": `:              nil,
		`"a": "b", "c`:       {"a=b"},
		``:                   nil,
		`]`:                  nil,
	} {
		var got []string
		eachLabel([]byte(in), func(kv string) { got = append(got, kv) })
		assert.Equal(t, want, got, in)
	}
}
