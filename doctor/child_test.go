package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A child that has ended keeps its parent waiting while another process has its
// output open; one that runs does not.
func TestChildBehindAPipe(t *testing.T) {
	dump := func(state string) string {
		return "goroutine 7 [" + state + "]:\n" +
			"os/exec.(*Cmd).Wait(0xc0001)\n\t/go/src/exec.go:9 +0x1\n" +
			"main.probe(0xc0002)\n\t/src/a.go:9 +0x1\n"
	}
	r := judged(t, dump("chan receive, 146 minutes"))
	require.Len(t, r.Findings, 1)
	assert.Equal(t, Warning, r.Findings[0].Severity)
	assert.Contains(t, r.Root, "output open for 146 minutes")
	assert.Empty(t, judged(t, dump("syscall, 146 minutes")).Findings)
	assert.Len(t, judged(t, dump("chan receive, 2 minutes")).Findings, 1)
	assert.Empty(t, judged(t, dump("chan receive, 1 minutes")).Findings)
	alone := strings.NewReplacer("goroutine 7", "goroutine 1", "main.probe", "main.main").
		Replace(dump("chan receive"))
	assert.Len(t, Diagnose(Rules{}, parseOne(t, alone)).Findings, 1)
	assert.Empty(t, Diagnose(Rules{}, parseOne(t, alone+"\ngoroutine 9 [running]:\n"+
		"app.work(0x1)\n\t/src/a.go:9 +0x1\n")).Findings)
}

// The goroutine that copies the input or output of a child tells what keeps it,
// if it cannot be another child's.
func TestChildCopier(t *testing.T) {
	const wait = "goroutine 9 [chan receive]:\n" +
		"os/exec.(*Cmd).Wait(0xc82008a000)\n\t/go/exec.go:385 +0x2c9\n" +
		"app.(*job).run(0xc820010000)\n\t/src/job.go:22 +0x130\n" +
		"created by app.start\n\t/src/job.go:9 +0x130\n\n"
	main := strings.Replace(mainGoroutine, ", 90 minutes", "", 1)
	copier := func(state, calls string) string {
		return "goroutine 12 [" + state + "]:\n" + calls +
			"io.Copy(0x7fa3eff921c0)\n\t/go/io.go:350 +0x64\n" +
			"os/exec.(*Cmd).Start.func1(0xc82008a000)\n\t/go/exec.go:343 +0x22\n" +
			"created by os/exec.(*Cmd).Start\n\t/go/exec.go:344 +0xa4c\n\n"
	}
	const (
		file = "syscall.Read(0x4)\n\t/go/s.go:9 +0x5\n" +
			"os.(*File).Read(0xc820030038)\n\t/go/file.go:95 +0x8a\n"
		input  = "io.(*pipe).read(0xc8201)\n\t/go/pipe.go:52 +0x8a\n"
		output = "app.(*sink).Write(0xc8201)\n\t/src/sink.go:52 +0x8a\n"
		other  = "goroutine 20 [running]:\napp.work(0x1)\n\t/src/a.go:9 +0x1\n\n"
	)
	for text, says := range map[string]string{
		copier("syscall", file):     "another process has kept the child's output open",
		copier("select", input):     "the reader of the child's input has not returned",
		copier("chan send", output): "the writer of the child's output has not returned",
	} {
		_, f := findingOf(Diagnose(Rules{}, parseOne(t, main+wait+other+text)), "app.(*job).run")
		require.NotNil(t, f, says)
		assert.Equal(t, Warning, f.Severity)
		assert.Contains(t, f.Sentence, "its child has ended, and "+says)
	}
	const second = "goroutine 30 [syscall]:\nos.(*Process).Wait(0xc8201)\n" +
		"\t/go/exec.go:9 +0x5\nos/exec.(*Cmd).Wait(0xc8202)\n\t/go/exec.go:9 +0x5\n" +
		"app.(*job).run(0xc820010000)\n\t/src/job.go:22 +0x130\n\n"
	for name, text := range map[string]string{
		"at work":    copier("running", file),
		"no copier":  "",
		"another's":  copier("syscall", file) + second,
		"just begun": copier("syscall", file) + strings.Replace(other, "running", "select, 9 minutes", 1),
	} {
		_, f := findingOf(Diagnose(Rules{}, parseOne(t, main+wait+other+text)), "app.(*job).run")
		assert.Nil(t, f, name)
	}
	r := Diagnose(Rules{}, parseOne(t, "fatal error: all goroutines are asleep - deadlock!\n\n"+wait+
		copier("semacquire", "sync.(*Cond).Wait(0xc2)\n\t/go/cond.go:62 +0x9e\n"+input)))
	_, f := findingOf(r, "app.(*job).run")
	require.NotNil(t, f)
	assert.Equal(t, Critical, f.Severity)
}
