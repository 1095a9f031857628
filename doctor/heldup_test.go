package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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

// An extract without times of a sender and a goroutine that waits shows two ends
// of one stall; the main goroutine most often waits for a signal.
func TestHeldUpChosen(t *testing.T) {
	const send = "goroutine 74 [chan send]:\napp.(*collector).Error(0xc0001ca008)\n" +
		"\t/src/t.go:29 +0x80\ncreated by app.Forever\n\t/src/t.go:73 +0xfc\n\n"
	const wait = "goroutine 73 [chan receive]:\napp.(*Trigger).Stop(...)\n" +
		"\t/src/trigger.go:68\napp.use(0x8e9200)\n\t/src/t.go:154 +0x1af\n\n"
	for text, want := range map[string]Severity{
		wait + send: Warning,
		send:        Info,
		"panic: boom\n\ngoroutine 5 [running]:\napp.crash(0x1)\n\t/src/c.go:1 +0x1\n\n" +
			wait + send + "goroutine 80 [chan re": Info,
		strings.ReplaceAll(wait, "app.use", "main.main") + send:               Warning,
		"goroutine 1 [chan receive]:\nmain.main()\n\t/m.go:3 +0x1\n\n" + send: Info,
	} {
		r := Diagnose(Rules{}, parseOne(t, text))
		require.NotEmpty(t, r.Findings, text)
		assert.Equal(t, want, r.Findings[0].Severity, text)
	}
}
