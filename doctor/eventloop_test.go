package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A call that an event loop answers waits in vain if the loop does not run, and if
// it is made in a handler of the loop.
func TestEventLoop(t *testing.T) {
	const text = "goroutine %d [%s]:\n%s(0x140000bc008)\n\t/src/lib.go:775 +0x9c\n" +
		"app.(*App).prompt(0x14000170008)\n\t/src/app.go:612 +0x10c\n"
	const main = "main.main()\n\t/src/main.go:57 +0x28\n\n"
	const created = "created by main.main in goroutine 1\n\t/src/main.go:50 +0x1\n\n"
	const loop = "goroutine 9 [select]:\n%s(0x140000bc008)\n\t/src/lib.go:301 +0x1\n" +
		created
	for _, e := range eventLoops {
		runs := fmt.Sprintf(loop, e.loop)
		for name, dump := range map[string]string{
			"main": fmt.Sprintf(text, 1, "chan receive", e.call) + main,
			"another": mainGoroutine +
				fmt.Sprintf(text, 7, "chan receive, 3 minutes", e.call) + created,
			"a full queue": fmt.Sprintf(text, 1, "chan send, 3 minutes", e.call) + main,
			"a select":     fmt.Sprintf(text, 1, "select, 3 minutes", e.call) + main,
		} {
			r := Diagnose(Rules{}, parseOne(t, dump))
			require.Len(t, r.Findings, 1, e.call+name)
			assert.Equal(t, Warning, r.Findings[0].Severity)
			assert.Equal(t, ReceiverMissing, r.Findings[0].Receiver)
			assert.Contains(t, r.Root, "no goroutine runs the event loop, "+short(e.loop))

			if !strings.Contains(dump, "chan send") {
				r = Diagnose(Rules{}, parseOne(t, dump+runs))
				assert.Empty(t, r.Findings, e.call+name)
			}
		}
		young := fmt.Sprintf(text, 7, "chan receive", e.call) + created
		assert.Empty(t, judged(t, young).Findings, "the loop may be about to start")

		handler := fmt.Sprintf(text, 1, "chan receive", e.call) +
			e.loop + "(0x140000bc008)\n\t/src/lib.go:301 +0x1\n" + main
		r := Diagnose(Rules{}, parseOne(t, handler))
		require.Len(t, r.Findings, 1, e.call)
		assert.Contains(t, r.Root, "it runs the event loop, "+short(e.loop)+", itself")

		r = Diagnose(Rules{}, parseOne(t, handler+
			fmt.Sprintf(text, 7, "chan receive", e.call)+created))
		require.Len(t, r.Findings, 1, e.call)
		assert.Contains(t, r.Root, "one of them runs the event loop")
	}
}
