package doctor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A loop that sends on the channel it receives from has no other receiver.
func TestReceiverIsTheOwnLoop(t *testing.T) {
	r := judged(t, "goroutine 7 [chan send, 60 minutes]:\n"+
		"main.(*P).fail(0xc000240000)\n\t/src/a.go:7 +0x1\n"+
		"main.(*P).watch(0xc000240000)\n\t/src/a.go:9 +0x1\n"+
		"created by main.main in goroutine 1\n\t/src/a.go:20 +0x1\n")
	require.Len(t, r.Findings, 1)
	assert.Equal(t, ReceiverPresent, r.Findings[0].Receiver)
	assert.Equal(t, ConfidenceLow, r.Findings[0].ReceiverConfidence)
	assert.Contains(t, r.Root, "(*P).watch, which it is in, may be the receiver")
}
