package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A goroutine that has been in a call for an answer for long does not wait for
// something to do.
func TestBriefCall(t *testing.T) {
	const dump = "goroutine 38 [select, 36 minutes]:\n" +
		"amqp.(*Sender).Send(0xc42000e0a8, 0xa56e00)\n\t/src/client.go:407 +0x5b6\n" +
		"app.(*hub).SendBatch(0xc420132a80)\n\t/src/hub.go:559 +0x19d\n" +
		"app.work(0xc42032fba8)\n\t/src/app.go:87 +0x389\n" +
		"created by app.start in goroutine 1\n\t/src/app.go:136 +0x285\n\n"
	for name, d := range map[string]string{
		"select":      dump,
		"receive":     strings.Replace(dump, "select", "chan receive", 1),
		"call":        strings.Replace(dump, "Sender).Send", "Connection).call", 1),
		"a condition": strings.Replace(dump, "select", "sync.Cond.Wait", 1),
	} {
		r := judged(t, d)
		require.Len(t, r.Findings, 1, name)
		f := r.Findings[0]
		assert.Equal(t, Warning, f.Severity, name)
		assert.Equal(t, ConfidenceLow, f.Confidence, name)
		assert.Contains(t, f.Sentence, "rarely takes that long", name)
	}
	for name, d := range map[string]string{
		"a while":    strings.Replace(dump, "36 minutes", "3 minutes", 1),
		"a loop":     strings.Replace(dump, "Sender).Send", "Sender).sendUpdates", 1),
		"a function": strings.Replace(dump, "(*Sender).Send", "Send", 1),
		"for work":   strings.Replace(dump, "Sender).Send", "Sender).receive", 1),
		"its root": dump[:strings.Index(dump, "app.(*hub)")] +
			dump[strings.Index(dump, "created"):],
	} {
		assert.Empty(t, judged(t, d).Findings, name)
	}
}
