package doctor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A goroutine of the standard library that a leak detector reports names the
// object that was not closed.
func TestJudgeLeftBehind(t *testing.T) {
	const loop = "goroutine 10 [IO wait]:\nnet.(*conn).Read(0xc42000e068)\n" +
		"\t/go/src/net/net.go:176 +0x6a\nnet/http.(*http2ClientConn).readLoop(0xc4200c4000)\n" +
		"\t/go/src/net/http/h2_bundle.go:8124 +0x76\ncreated by net/http.(*T).dial\n" +
		"\t/go/src/net/http/h2_bundle.go:7389 +0x637\n"
	r := Diagnose(Rules{}, parseOne(t, "a.go:150: leaktest: leaked goroutine: "+loop))
	require.Len(t, r.Findings, 1)
	assert.Equal(t, "net/http.(*http2ClientConn).readLoop", r.Findings[0].Function)
	assert.Contains(t, r.Root, "found alive after the tests had ended; it keeps a "+
		"client connection")
	assert.Empty(t, judged(t, loop).Findings)
	r = Diagnose(Rules{}, parseOne(t, "    e2e_test.go:1388: Leaked goroutine: "+loop))
	assert.Len(t, r.Findings, 1)
}
