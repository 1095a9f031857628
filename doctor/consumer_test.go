package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Workers that were started with the sender's channel and have read from a peer
// for longer than it has waited are its receivers; they do not come back.
func TestConsumer(t *testing.T) {
	dump := func(state, words string, minutes ...int) *Report {
		var b strings.Builder
		b.WriteString("goroutine 6 [chan send, 69 minutes]:\n" +
			"main.expand(0xc00007c120, 0xc00001a0a0, 0xc00006a060)\n" +
			"\t/src/targets.go:58 +0x1f3\ncreated by main.main\n\t/src/main.go:71 +0x2ab\n\n")
		for i, m := range minutes {
			fmt.Fprintf(&b, "goroutine %d [%s, %d minutes]:\n", 14+i, state, m)
			if state == "IO wait" {
				b.WriteString("internal/poll.runtime_pollWait(0x7f89f67c1590, 0x72)\n" +
					"\t/go/netpoll.go:222 +0x55\nnet.(*conn).Read(0xc000098058)\n" +
					"\t/go/net.go:182 +0x68\n")
			}
			fmt.Fprintf(&b, "main.banner(0xc0002ced80)\n\t/src/banner.go:25 +0x5b\n"+
				"main.(*scanner).worker(0xc0000a2000, %s)\n\t/src/scan.go:41 +0xb9\n"+
				"created by main.main\n\t/src/main.go:90 +0x41d\n\n", words)
		}
		return judged(t, b.String())
	}
	inlined := func(minutes ...int) *Report {
		var b strings.Builder
		b.WriteString("goroutine 6 [chan send, 69 minutes]:\nmain.expand(...)\n" +
			"\t/src/targets.go:58\nmain.main.gowrap1()\n\t/src/main.go:71 +0x1\n" +
			"created by main.main in goroutine 1\n\t/src/main.go:71 +0x2ab\n\n")
		for i, m := range minutes {
			fmt.Fprintf(&b, "goroutine %d [IO wait, %d minutes]:\nnet.(*conn).Read(0xc01)\n"+
				"\t/go/net.go:182 +0x68\nmain.banner(0xc0002ced80)\n\t/src/b.go:25 +0x5b\n"+
				"created by main.main in goroutine 1\n\t/src/main.go:90 +0x41d\n\n", 14+i, m)
		}
		return judged(t, b.String())
	}
	const channel = "0xc00006a060, 0xc00001a0b0"
	r := dump("IO wait", channel, 71, 69, 130)
	require.Len(t, r.Findings, 2)
	assert.Contains(t, r.Root, "everything waits for goroutines 14, 15 and 16: "+
		"they have been waiting for IO in main.banner")
	_, f := findingOf(r, "main.expand")
	assert.Contains(t, f.Sentence, "main.(*scanner).worker, which has an argument in "+
		"common with it, is busy, waiting for IO")
	_, f = findingOf(r, "main.banner")
	require.NotNil(t, f)
	assert.Equal(t, ConfidenceLow, f.Confidence)

	for name, r := range map[string]*Report{
		"one has come back since": dump("IO wait", channel, 71, 2, 130),
		"another channel":         dump("IO wait", "0xc00006a0c0", 71, 69, 130),
		"waiting for work":        dump("select", channel, 71, 69, 130),
	} {
		_, f := findingOf(r, "main.banner")
		assert.Nil(t, f, name)
		_, f = findingOf(r, "main.expand")
		require.NotNil(t, f, name)
		assert.NotContains(t, f.Sentence, "in common", name)
	}
	_, f = findingOf(inlined(71, 69, 130), "main.expand")
	assert.Contains(t, f.Sentence, "main.banner, which has its creator in common with it")
	for _, r := range []*Report{inlined(71, 67, 130), inlined(71, 80, 130), inlined(69)} {
		_, f = findingOf(r, "main.banner")
		assert.Nil(t, f)
	}
}
