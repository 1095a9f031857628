package doctor

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// senders is a dump of n goroutines blocked in one place.
func senders(n int) string {
	return filled(1, func(b *strings.Builder, _ int) {
		for i := range n {
			fmt.Fprintf(b, "goroutine %d [chan send, 20 minutes]:\n"+
				"example.com/app.(*Queue).Put(0xc000012000, 0x%x)\n"+
				"\t/src/app/queue.go:31 +0x1d\ncreated by main.main in goroutine 1\n"+
				"\t/src/app/main.go:8 +0x1d\n\n", i+2, i)
		}
	})
}

// A record is unquoted as a stream: one of half a megabyte is read whole, in
// each form in which a dump becomes one record.
func TestParseLongRecords(t *testing.T) {
	const n = 3000
	dump := senders(n)
	quote := func(s string) string {
		b, err := json.Marshal(s)
		require.NoError(t, err)
		return string(b)
	}
	require.Greater(t, len(dump), 3*maxLine)
	for name, text := range map[string]string{
		"JSON":             `{"level":"error","msg":` + quote(dump) + `,"n":1}` + "\n",
		"JSON after text":  `web_1 | {"msg":` + quote(dump) + "}\n",
		"docker's around":  `{"log":` + quote(`{"msg":`+quote(dump)+"}\n") + "}\n",
		"JSON in an array": `[{"message":"x"},{"message":` + quote(dump) + "}]",
		"long text before": `{"a":` + quote(strings.Repeat("x", 2*maxLine)) +
			`,"msg":` + quote(dump) + "}\n",
		"logfmt":   "time=1 msg=" + strconv.Quote(dump) + " n=1\n",
		"quoted":   strconv.Quote(dump),
		"%q twice": "msg=" + strconv.Quote("dump: "+strconv.Quote(dump)),
		"rsyslog":  "app: " + strings.NewReplacer("\n", "#012", "\t", "#011").Replace(dump),
	} {
		p := parseOne(t, text)
		assert.Equal(t, n, p.Goroutines, name)
		assert.Len(t, p.Stacks, 1, name)
		assert.Zero(t, p.Unreadable, "%s: %v", name, p.Troubles)
	}
}

// What follows a record, or is no record after all, is not lost.
func TestParseRecordsAndText(t *testing.T) {
	const g = "goroutine 7 [select]:\nmain.f()\n\t/a.go:1 +0x1\n\n"
	for name, text := range map[string]string{
		"two on a line": `{"a":1}{"msg":"goroutine 7 [select]:"}` + "\n" +
			`{"msg":"main.f()"}` + "\n" + `{"msg":"\t/a.go:1 +0x1"}` + "\n",
		"one before the dump":    `{"a":1}` + "\n" + g,
		"no JSON":                "{\"a\" b}\n[\"x\"\n{\n" + g,
		"a record that was cut":  `{"log":"listening` + "\n" + g,
		"an array that was cut":  "[\n{\"a\":\n" + g,
		"a log in brackets":      "[GIN] 2026/11/24\n[1, 2] x\n" + g,
		"a surrogate pair":       `{"msg":"\ud83d\ude00 ok"}` + "\n" + g,
		"half a surrogate pair":  `{"msg":"\ud83d x \ud83d"}` + "\n" + g,
		"unknown escapes":        `{"msg":"\q"}` + "\n" + g,
		"a long name":            `{"` + strings.Repeat("k", 100) + `":"v"}` + "\n" + g,
		"nested too deep":        strings.Repeat("[[", 100) + "\n" + g,
		"wrong brackets":         "[{\"a\":1]}\n" + g,
		"literals":               `{"a":true,"b":null,"c":-1.5e3,"d":[1,2,{}],"e":[]}` + "\n" + g,
		"a CRI record cut":       "2026-11-24T00:00:01.12345678Z stderr P half\n" + g,
		"an empty CRI record":    "2026-11-24T00:00:01.12345678Z stderr F\n" + g,
		"no CRI record":          "2026-11-24T00:00:01.12345678Z stderr X x\n" + g,
		"not of a stream":        "2026-11-24T00:00:01.12345678Z stdin F x\n" + g,
		"UTF-16, other order":    wide(g, true),
		"a mark and nothing":     "\xff\xfe" + "",
		"half a character":       wide(g, false) + "x",
		"characters beyond UCS2": wide("\U0001F600\n"+g, false),
	} {
		all, err := Parse(strings.NewReader(text), "x")
		if name == "a mark and nothing" {
			require.ErrorIs(t, err, ErrNoDump)
			continue
		}
		require.NoError(t, err, name)
		require.Len(t, all, 1, name)
		assert.Equal(t, 1, all[0].Goroutines, name)
		require.Len(t, all[0].Stacks[0].Frames, 1, name)
		assert.Equal(t, "main.f", all[0].Stacks[0].Frames[0].Func, name)
	}
}

// wide writes s in UTF-16.
func wide(s string, high bool) string {
	var b strings.Builder
	for _, c := range utf16Units("\ufeff" + s) {
		if high {
			b.Write([]byte{byte(c >> 8), byte(c)})
		} else {
			b.Write([]byte{byte(c), byte(c >> 8)})
		}
	}
	return b.String()
}

// A page writes the quotation marks around a value as entities.
func TestLinesWithEntitiesAroundAValue(t *testing.T) {
	snaps, err := Parse(strings.NewReader("level=info msg=&quot;stacks:\\n"+
		"goroutine 18 [chan send, 20 minutes]:\\nmain.f(0x1)\\n\\t/src/a.go:7 +0x1"+
		"\\n\\n&quot; pid=1\n"), "t")
	require.NoError(t, err)
	assert.Equal(t, 1, snaps[0].Goroutines)
	assert.Zero(t, snaps[0].Unreadable)
}

// A shipper or a program's source has each line in quotation marks, with the
// line's end as an escape.
func TestStringsOfALine(t *testing.T) {
	want := parseOne(t, bare)
	for _, form := range []string{`"%s\r\n"`, `    "%s\n" +`, `'%s\n',`} {
		var b strings.Builder
		for line := range strings.SplitSeq(bare, "\n") {
			line = strings.ReplaceAll(line, "\t", `\t`)
			fmt.Fprintf(&b, form+"\n", strings.ReplaceAll(line, `"`, `\"`))
		}
		got := parseOne(t, b.String())
		assert.Equal(t, want.Goroutines, got.Goroutines, form)
		assert.Zero(t, got.Unreadable, form)
		require.Len(t, got.Stacks, len(want.Stacks), form)
		for i, s := range want.Stacks {
			assert.Equal(t, s.Frames, got.Stacks[i].Frames, form)
		}
	}
}
