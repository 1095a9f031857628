package doctor

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A goroutine that panics is neither idle nor stuck.
func TestPanicking(t *testing.T) {
	g, f := opinionOn(t, "app.TestX", Rules{}, process(standing(1, "running",
		"testing.tRunner.func1.2", "panic", "app.TestX", "testing.tRunner")))
	assert.Equal(t, VerdictWorking, g.Verdict)
	require.NotNil(t, f)
	assert.Equal(t, Info, f.Severity)
	assert.Contains(t, f.Sentence, "it panics")
}

func TestOneShot(t *testing.T) {
	const dump = "goroutine profile: total %[1]d\n%[2]d @ 0x1 0x2 0x3\n" +
		"#\t0x1\tinternal/poll.runtime_pollWait+0x54\t/go/netpoll.go:184\n" +
		"#\t0x2\tnet.(*conn).Read+0x67\t/go/net.go:184\n" +
		"#\t0x3\t%[3]s+0x7b\t/src/ping.go:364\n\n3 @ 0x1 0x5\n" +
		"#\t0x1\tinternal/poll.runtime_pollWait+0x54\t/go/netpoll.go:184\n" +
		"#\t0x5\tapp.(*link).read+0x67\t/src/link.go:18\n\n1 @ 0x8 0x9\n" +
		"#\t0x8\ttime.Sleep+0x121\t/go/time.go:105\n" +
		"#\t0x9\tapp.refresh+0x53\t/src/ip.go:5\n\n"
	findings := func(total, n int, function string) []Finding {
		return Diagnose(Rules{}, parseOne(t, fmt.Sprintf(dump, total, n,
			function))).Findings
	}
	f := findings(1019, 1015, "app.waitMessage.func1")
	require.Len(t, f, 1)
	assert.Equal(t, Warning, f[0].Severity)
	assert.Equal(t, ConfidenceLow, f[0].Confidence)

	assert.Empty(t, findings(1019, 1015, "app.(*client).readPump"))
	assert.Empty(t, findings(1019, 1015, "app.(*server).serve.func1"))
	assert.Empty(t, findings(94, 90, "app.waitMessage.func1"))
}
