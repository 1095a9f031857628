package doctor

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The goroutines of a group may start others of it and end first.
func TestHeadsNestedGroup(t *testing.T) {
	wait := func(literal string) *Report {
		return judged(t, "goroutine 60 [sync.WaitGroup.Wait, 7 minutes]:\n"+
			"sync.(*WaitGroup).Wait(0xc0001)\n\t/go/waitgroup.go:206 +0x1\n"+
			"app.(*S).Analyze(0xc0002)\n\t/src/a.go:374 +0x1\n\n"+
			"goroutine 99 [select]:\napp."+literal+"()\n\t/src/a.go:315 +0x1\n"+
			"created by errgroup.(*Group).Go in goroutine 98\n\t/src/g.go:78 +0x1\n\n")
	}
	assert.Empty(t, wait("(*S).Analyze.func6.1").Findings)
	assert.Len(t, wait("(*S).Parse.func6.1").Findings, 1)
}
