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
		"a receive": strings.Replace(dump, "7 [select", "7 [chan receive", 1),
		"one file":  strings.Replace(dump, "src/parallel.go", "src/main.go", 1),
		"Go 1.25":   strings.Replace(dump, "semacquire", "sync.WaitGroup.Wait", 1)} {
		_, f := findingOf(judged(t, d), "parallel.Run.func1")
		require.NotNil(t, f, name)
		assert.Equal(t, Warning, f.Severity, name)
		assert.NotEqual(t, ReceiverPresent, f.Receiver, name)
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

// A reader of a connection that has sent for minutes holds up the caller that
// waits for an answer on the same connection.
func TestHeldUp(t *testing.T) {
	const dump = "goroutine 1 [select, 2 minutes]:\n" +
		"mail.(*Client).execute(0xc0000d2000, 0x1)\n\t/src/client.go:276 +0x3b1\n" +
		"app.poll(0x7)\n\t/src/poll.go:68 +0x5b7\n\n" +
		"goroutine 6 [chan send, 2 minutes]:\n" +
		"mail.(*Client).handle.func1(0xc0001a6080)\n\t/src/client.go:413 +0x4a6\n" +
		"mail.(*Client).handle(0xc0000d2000)\n\t/src/client.go:118 +0x9c\n" +
		"mail.(*Client).reader(0xc0000d2000)\n\t/src/client.go:135 +0x65\n" +
		"created by mail.New\n\t/src/client.go:517 +0x185\n\n" +
		"goroutine 7 [IO wait]:\napp.other(0x7)\n\t/src/other.go:1 +0x1\n\n"
	severity := func(text string) Severity {
		r := Diagnose(Rules{}, parseOne(t, text))
		require.Len(t, r.Findings, 1, r.Root)
		assert.Equal(t, ChanSend, r.Findings[0].Operation)
		return r.Findings[0].Severity
	}
	assert.Equal(t, Warning, severity(dump))
	for name, text := range map[string]string{
		"another client": strings.Replace(dump, "execute(0xc0000d2000",
			"execute(0xc0000d3000", 1),
		"doubtful receiver": strings.ReplaceAll(dump, "(0xc0000d2000)",
			"(0xc0000d2000?)"),
		"its own loop": strings.Replace(dump, "app.poll(0x7)\n\t/src/poll.go:68 +0x5b7\n",
			"", 1),
		"just now": strings.Replace(dump, "select, 2 minutes", "select", 1),
		"a moment": strings.ReplaceAll(dump, ", 2 minutes", ""),
	} {
		assert.Equal(t, Info, severity(text), name)
	}
}

// The main goroutine that sends while no other goroutine is at work is stuck
// without any time; one that rests between two values may be its receiver.
func TestJudgeAbandonedMain(t *testing.T) {
	const main = "goroutine 1 [chan send]:\nmain.execute(0xc0001c2000)\n" +
		"\t/src/main.go:271 +0x1\nmain.main()\n\t/src/main.go:120 +0x1\n\n" +
		"goroutine 5 [syscall]:\nos/signal.signal_recv(0x0)\n\t/go/src/sigqueue.go:116 +0x1\n" +
		"os/signal.loop()\n\t/go/src/signal_unix.go:22 +0x1\n\n"
	for state, want := range map[string]Severity{"select": Warning,
		"chan receive": Info, "sleep": Info, "IO wait": Info, "running": Info} {
		r := Diagnose(Rules{}, parseOne(t, main+"goroutine 20 ["+state+"]:\n"+
			"app.consume(0xc000196000)\n\t/src/log.go:88 +0x1\n\n"))
		require.NotEmpty(t, r.Findings, state)
		assert.Equal(t, want, r.Findings[0].Severity, state)
	}
	worker := strings.ReplaceAll(strings.Replace(main, "main.main()", "app.run()", 1),
		"goroutine 1 ", "goroutine 9 ")
	assert.Equal(t, Info, judged(t, worker).Findings[0].Severity)
}
