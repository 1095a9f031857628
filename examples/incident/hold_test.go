package main

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReplayHolds has the servers still there after the result was published:
// one hangs, the other answers. Both are gone when the hold is interrupted,
// which is no error by then.
func TestReplayHolds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var published *report
	looked := false
	var stderr strings.Builder
	look := writerFunc(func(p []byte) (int, error) {
		stderr.Write(p)
		urls := regexp.MustCompile(`http://[0-9.:]+`).FindAllString(string(p), -1)
		if strings.Contains(string(p), "before hangs") {
			looked = true
			require.NotNil(t, published)
			require.Len(t, urls, 3)
			before, after := &server{url: urls[0]}, &server{url: urls[2]}
			_, text := get(t, before, "/debug/pprof/goroutine?debug=2")
			assert.Contains(t, text, "(*traceWriter).LogWrite(")
			code, _ := get(t, after, "/v1/healthCheck")
			assert.Equal(t, 200, code)
			code, _ = get(t, after, "/status")
			assert.Equal(t, 200, code)
			cancel()
		}
		return len(p), nil
	})
	err := replay(ctx, settings{requests: minRequests, timeout: time.Second,
		hold: time.Hour}, look, func(rep *report, _ []sample) error {
		published = rep
		return nil
	})
	require.NoError(t, err)
	assert.True(t, looked, "%s", &stderr)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestHoldEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &stage{before: &side{server: &server{url: "http://b"}},
			after: &side{server: &server{url: "http://a"}}}
		var out bytes.Buffer
		start := time.Now()
		st.hold(t.Context(), time.Hour, &out)
		assert.Equal(t, time.Hour, time.Since(start))
		assert.Equal(t, "\nbefore hangs, for 1h0m0s or until Ctrl-C, at http://b\n"+
			"  go run ./cmd/chanx doctor http://b\n"+
			"after answers at http://a/status and /status/log\n", out.String())
	})
}
