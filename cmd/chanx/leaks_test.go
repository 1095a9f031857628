package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"
)

// leakProfile says that n of the goroutines in app.wait are leaked.
func leakProfile(t *testing.T, kind string, n int64) string {
	t.Helper()
	fn := func(id uint64, name, file string) *profile.Function {
		return &profile.Function{ID: id, Name: name, Filename: file}
	}
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: kind, Unit: "count"}},
		PeriodType: &profile.ValueType{Type: kind, Unit: "count"}, Period: 1,
		Function: []*profile.Function{fn(1, "runtime.gopark", "/go/proc.go"),
			fn(2, "example.com/app.wait", "/src/app.go"),
			fn(3, "runtime.chanrecv", "/go/chan.go")},
	}
	p.Location = []*profile.Location{
		{ID: 1, Address: 16, Line: []profile.Line{{Function: p.Function[0], Line: 1}}},
		{ID: 3, Address: 48, Line: []profile.Line{{Function: p.Function[2], Line: 1}}},
		{ID: 2, Address: 32, Line: []profile.Line{{Function: p.Function[1], Line: 7}}},
	}
	p.Sample = []*profile.Sample{{Location: p.Location, Value: []int64{n}}}
	var b bytes.Buffer
	require.NoError(t, p.Write(&b))
	return b.String()
}

const waiting = "goroutine %d [chan receive]:\nexample.com/app.wait(0xc0)\n" +
	"\t/src/app.go:7 +0x1\n\n"

// TestLeaks: a server that has the goroutineleak profile is asked for it, and
// its proof is merged, whatever the form of the rest.
func TestLeaks(t *testing.T) {
	for name, test := range map[string]struct {
		stop, dump string
		leaked     int64
		says       string
	}{
		"all, protobuf":  {"0", "", 3, "3 goroutines are blocked receiving"},
		"some, protobuf": {"0", "", 2, "nothing can ever wake 2 of them"},
		"text": {"100", fmt.Sprintf(waiting+waiting+waiting, 7, 8, 9), 3,
			"3 goroutines are blocked receiving"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/debug/pprof/goroutineleak":
					asked++
					io.WriteString(w, leakProfile(t, "goroutineleak", test.leaked))
				case "/debug/pprof/goroutine":
					if test.dump != "" && r.URL.Query().Get("debug") == "2" {
						io.WriteString(w, test.dump)
						return
					}
					io.WriteString(w, leakProfile(t, "goroutine", 3))
				default:
					http.NotFound(w, r)
				}
			})
			got := diagnose(t, "-max-stop", test.stop, "-for", "9ms",
				url)
			require.Equal(t, exitFindings, got.code, got.stdout+got.stderr)
			text := strings.Join(strings.Fields(got.stdout), " ")
			require.Contains(t, text, test.says)
			require.Contains(t, text, "garbage collector found that nothing")
			require.Equal(t, 1, asked, "it costs a collection")
			require.Contains(t, got.stdout, "3 goroutines in")
		})
	}
}

// TestLeaksHang: a server that does not end its collection is judged without
// it, and the report says it.
func TestLeaksHang(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/debug/pprof/goroutineleak" {
			<-r.Context().Done()
			return
		}
		io.WriteString(w, requests(12))
	})
	got := diagnose(t, "-timeout", "200ms", url)
	require.Equal(t, exitFindings, got.code)
	require.Contains(t, got.stdout, "12 goroutines are blocked sending")
	require.Contains(t, got.stdout, "goroutineleak: did not answer")
}
