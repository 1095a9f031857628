package doctor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const timeoutHead = "panic: test timed out after 10m0s\n\n" +
	"goroutine 41 [running]:\ntesting.(*M).startAlarm.func1()\n" +
	"\t/go/src/testing/testing.go:2373 +0x265\n" +
	"created by time.goFunc\n\t/go/src/time/sleep.go:215 +0x45\n\n"

const testFoot = "testing.tRunner(0xc00012a9c0, 0xc0001247b0)\n" +
	"\t/go/src/testing/testing.go:1690 +0x227\n" +
	"created by testing.(*T).Run in goroutine 35\n" +
	"\t/go/src/testing/testing.go:1743 +0x826\n"

func TestUnfinished(t *testing.T) {
	for state, inner := range map[string]string{
		"runnable": "runtime.Gosched()\n\t/go/src/runtime/proc.go:353 +0x14\n",
		"running":  "",
		"sleep":    "time.Sleep(0x5f5e100)\n\t/go/src/runtime/time.go:300 +0xf2\n",
		"IO wait": "internal/poll.runtime_pollWait(0x7f6de1f4be20, 0x72)\n" +
			"\t/go/src/runtime/netpoll.go:345 +0x85\n",
	} {
		t.Run(state, func(t *testing.T) {
			dump := "goroutine 37 [" + state + "]:\n" + inner +
				"app.waitUntilEmpty(0xc00012c140)\n\t/src/app/app_test.go:53 +0x14\n" +
				"app.TestDrain(0xc00012a9c0)\n\t/src/app/app_test.go:41 +0x22\n" + testFoot
			r := Diagnose(Rules{}, parseOne(t, timeoutHead+dump))
			require.Len(t, r.Findings, 1, r.Root)
			assert.Equal(t, "app.waitUntilEmpty", r.Findings[0].Function)
			assert.Contains(t, r.Root, "goroutine 37")

			r = Diagnose(Rules{}, parseOne(t, dump))
			assert.Empty(t, r.Findings, "no time-out")
		})
	}
}

// TestUnfinishedPolls has a test that polls for what a blocked sender should do.
func TestUnfinishedPolls(t *testing.T) {
	r := Diagnose(Rules{}, parseOne(t, timeoutHead+
		"goroutine 37 [sleep]:\ntime.Sleep(0x5f5e100)\n"+
		"\t/go/src/runtime/time.go:300 +0xf2\n"+
		"app.TestDrain(0xc00012a9c0)\n\t/src/app/app_test.go:41 +0x22\n"+testFoot+
		"\ngoroutine 38 [chan send, 9 minutes]:\napp.(*Queue).Put(0xc00012c140)\n"+
		"\t/src/app/app.go:53 +0x14\ncreated by app.NewQueue in goroutine 37\n"+
		"\t/src/app/app.go:12 +0x14\n"))
	require.Len(t, r.Findings, 1, r.Root)
	assert.Equal(t, "app.(*Queue).Put", r.Findings[0].Function)
}
