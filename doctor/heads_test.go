package doctor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

// A wait behind a call of a test or of main ends with the process. A WaitGroup
// whose workers are gone does not end.
func TestWaitGroupWithoutWorkers(t *testing.T) {
	wait := "goroutine 20 [sync.WaitGroup.Wait, 30 minutes]:\n" +
		"sync.(*WaitGroup).Wait(0xc000100040)\n\t/go/wg.go:1 +0x1\n" +
		"app.(*J).finish(0xc000100000)\n\t/app/J.go:20 +0x1\n" +
		"created by app.Start in goroutine 1\n\t/app/app.go:5 +0x1\n\n"
	worker := "goroutine 30 [select]:\napp.(*J).work(0xc000100000)\n\t/app/J.go:30 " +
		"+0x1\ncreated by app.(*J).finish in goroutine 20\n\t/app/J.go:19 +0x1\n\n"
	_, f := findingOf(judged(t, wait), "app.(*J).finish")
	require.NotNil(t, f)
	assert.Contains(t, f.Sentence, "no goroutine is left that it or its creator has "+
		"started")
	_, f = findingOf(judged(t, wait+worker), "app.(*J).finish")
	assert.Nil(t, f)
}
