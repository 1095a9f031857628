package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A goroutine has sent for minutes, another one waits for it to end, and none of
// the process is at work: the collector of its errors comes after the wait.
func TestAbandoned(t *testing.T) {
	const text = "goroutine 7 [select]:\nmain.progress(0xc0001fdc78)\n" +
		"\t/src/main.go:79 +0xcf\ncreated by main.main in goroutine 1\n" +
		"\t/src/main.go:20 +0x1d\n\n" +
		"goroutine 53 [%s, 4 minutes]:\n%s" +
		"main.progress.func1()\n\t/src/main.go:73 +0x28\n" +
		"created by main.progress in goroutine 1\n\t/src/main.go:72 +0xb6\n\n" +
		"goroutine 52 [chan send, 4 minutes]:\nparallel.Run.func1()\n" +
		"\t/src/parallel.go:27 +0xb3\n" +
		"created by parallel.Run in goroutine 1\n\t/src/parallel.go:21 +0xca\n\n"
	const wait = "sync.runtime_Semacquire(0xc0003361f8)\n\t/go/sema.go:62 +0x27\n" +
		"sync.(*WaitGroup).Wait(0xc0003361f0)\n\t/go/waitgroup.go:116 +0x4b\n"
	dump := fmt.Sprintf(text, "semacquire", wait)
	for name, d := range map[string]string{"Go 1.20": dump,
		"Go 1.25": strings.Replace(dump, "semacquire", "sync.WaitGroup.Wait", 1)} {
		_, f := findingOf(judged(t, d), "parallel.Run.func1")
		require.NotNil(t, f, name)
		assert.Equal(t, Warning, f.Severity, name)
		assert.Equal(t, ReceiverMissing, f.Receiver, name)
	}
	for name, d := range map[string]string{
		"one at work":  strings.Replace(dump, "7 [select", "7 [running", 1),
		"one sleeps":   strings.Replace(dump, "7 [select", "7 [sleep", 1),
		"none waits":   fmt.Sprintf(text, "select", ""),
		"just now":     strings.ReplaceAll(dump, ", 4 minutes", ""),
		"a later wait": strings.Replace(dump, "semacquire, 4 minutes", "semacquire", 1),
	} {
		for _, f := range judged(t, d).Findings {
			assert.Less(t, f.Severity, Warning, name)
		}
	}
}
