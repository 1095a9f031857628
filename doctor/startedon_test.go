package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A goroutine sends in a method of a stub while it holds a lock; the goroutine
// that was started with the stub should receive, and sends itself.
func TestStartedOnReceiver(t *testing.T) {
	const dump = mainGoroutine + "goroutine 11 [chan send, 1 minutes]:\n" +
		"app.(*Stub).Interrupt(0xc2080adec0)\n\t/src/stub.go:57 +0x3f\n" +
		"app.(*Set).Reset(0xc208032230)\n\t/src/set.go:46 +0x151\n" +
		"created by app.run\n\t/src/run.go:9 +0x1\n\n" +
		"goroutine 58 [semacquire]:\nsync.(*Mutex).Lock(0xc208032230)\n" +
		"\t/go/mutex.go:66 +0xd3\napp.(*Set).Reset(0xc208032230)\n" +
		"\t/src/set.go:42 +0x3c\ncreated by app.run\n\t/src/run.go:9 +0x1\n\n" +
		"goroutine 30 [chan send, 1 minutes]:\n" +
		"app.(*Latency).Pipe(0xc2080ac3c0, 0xc2080adec0)\n\t/src/latency.go:51 +0x233\n" +
		"created by app.(*Link).Set\n\t/src/link.go:81 +0xc6\n\n"
	r := Diagnose(Rules{}, parseOne(t, dump))
	_, f := findingOf(r, "app.(*Latency).Pipe")
	require.NotNil(t, f)
	assert.Equal(t, Warning, f.Severity)
	assert.Contains(t, f.Sentence, "goroutine 11 waits for 30 to receive")
	assert.Contains(t, r.Root, "everything waits for goroutine 30")

	for name, text := range map[string]string{
		"another stub": strings.Replace(dump, "0xc2080ac3c0, 0xc2080adec0",
			"0xc2080ac3c0, 0xc2080aded0", 1),
		"a doubtful word": strings.Replace(dump, "0xc2080ac3c0, 0xc2080adec0",
			"0xc2080ac3c0, 0xc2080adec0?", 1),
		"a younger one": strings.ReplaceAll(strings.Replace(dump, "11 [chan send, 1",
			"11 [chan send, 4", 1), "58 [semacquire", "58 [semacquire, 4 minutes"),
		"a parked one": strings.Replace(dump, "30 [chan send", "30 [select", 1),
	} {
		r := Diagnose(Rules{}, parseOne(t, text))
		assert.NotContains(t, r.Root, "goroutine 30", name)
		_, f := findingOf(r, "app.(*Latency).Pipe")
		assert.True(t, f == nil || f.Severity == Info, name)
	}
}

// A goroutine closes a world and waits for those that were started with it.
func TestStartedOnUnended(t *testing.T) {
	const dump = mainGoroutine + "goroutine 83 [chan receive, 87 minutes]:\n" +
		"app.ticker.loop({0x0?}, 0xc000160f00)\n\t/src/tick.go:27 +0x112\n" +
		"created by app.New in goroutine 42\n\t/src/conf.go:106 +0x4e5\n\n" +
		"goroutine 42 [sync.WaitGroup.Wait, 87 minutes]:\n" +
		"sync.runtime_SemacquireWaitGroup(0xc000161108?)\n\t/go/sema.go:110 +0x25\n" +
		"sync.(*WaitGroup).Wait(0x0?)\n\t/go/waitgroup.go:118 +0x48\n" +
		"app.(*World).close(0xc000160f00)\n\t/src/world.go:1089 +0x245\n" +
		"app.(*lobby).drop(0xc0002d6000)\n\t/src/lobby.go:212 +0x5e\n" +
		"created by app.match in goroutine 611\n\t/src/lobby.go:180 +0x3ac\n\n"
	r := Diagnose(Rules{}, parseOne(t, dump))
	_, f := findingOf(r, "app.ticker.loop")
	require.NotNil(t, f, r.Root)
	assert.Contains(t, f.Sentence, "goroutine 42 waits for 83 to end")
	assert.Contains(t, r.Root, "goroutine 83")

	// The loop of a stopped object is in a send, or waits for the world outside.
	loop := strings.Replace(dump, "83 [chan receive", "83 [chan send", 1)
	r = Diagnose(Rules{}, parseOne(t, strings.Replace(loop, "42 [sync.WaitGroup.Wait",
		"42 [chan receive", 1)))
	assert.Contains(t, r.Root, "83")
	r = Diagnose(Rules{}, parseOne(t, strings.Replace(dump, "83 [chan receive",
		"83 [IO wait", 1)))
	require.Len(t, r.Findings, 1)
	assert.Contains(t, r.Root, "everything waits for goroutine 83")

	for name, text := range map[string]string{
		"another world": strings.Replace(dump, "{0x0?}, 0xc000160f00",
			"{0x0?}, 0xc000170f00", 1),
		"a younger one": strings.Replace(dump, "chan receive, 87", "chan receive, 7", 1),
		"no one closes": strings.Replace(dump, "World).close", "World).serve", 1),
		"closed just now": strings.Replace(dump, "WaitGroup.Wait, 87 minutes",
			"WaitGroup.Wait", 1),
	} {
		_, f := findingOf(Diagnose(Rules{}, parseOne(t, text)), "app.ticker.loop")
		assert.Nil(t, f, name)
	}
}
