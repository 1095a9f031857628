package main

import (
	"bufio"
	"bytes"
	"fmt"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
)

// labelKey is the profiler label that tells the goroutines of the servers
// apart: they share the process, with each other and with the client.
const labelKey = "server"

// goroutines is what the profile says of one server.
type goroutines struct {
	Now     int `json:"now"`
	Blocked int `json:"blocked_in_send"`
	// At is where most of those are blocked, as "dir/file.go:12", and In the
	// function. Both are empty if none is.
	At string `json:"blocked_at,omitempty"`
	In string `json:"blocked_in,omitempty"`

	path string // of the file, whole
	line int
}

// profileAll takes the goroutine profile of this process, in its text form
// because only that has labels and needs no decoder, and sums it up by label.
func profileAll() (map[string]goroutines, error) {
	var buf bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&buf, 1); err != nil {
		return nil, err
	}
	return sumUp(&buf)
}

// sumUp reads entries of the form
//
//	7978 @ 0x47f0c1 0x412b05 …
//	# labels: {"server":"before"}
//	#	0x6b1e64	main.(*traceWriter).LogWrite+0x44	…/before.go:58
//
// The text leaves out the frames of the runtime, which say what a goroutine
// waits for, so the addresses are resolved again.
func sumUp(text *bytes.Buffer) (map[string]goroutines, error) {
	all := make(map[string]goroutines)
	most := make(map[string]int)
	var count int
	var pcs []uintptr
	for in := bufio.NewScanner(text); in.Scan(); {
		line := in.Text()
		if n, stack, ok := strings.Cut(line, " @"); ok {
			var err error
			if count, pcs, err = entry(n, stack); err != nil {
				return nil, err
			}
		}
		label, ok := labelOf(line)
		if !ok {
			continue
		}
		g := all[label]
		g.Now += count
		if frame, ok := sender(pcs); ok {
			g.Blocked += count
			if count > most[label] {
				most[label] = count
				g.In, g.path, g.line = frame.Function, frame.File, frame.Line
				g.At = short(g.path + ":" + strconv.Itoa(g.line))
			}
		}
		all[label] = g
	}
	return all, nil
}

func entry(n, stack string) (count int, pcs []uintptr, err error) {
	if count, err = strconv.Atoi(n); err != nil {
		return 0, nil, fmt.Errorf("goroutine profile: %w", err)
	}
	for _, field := range strings.Fields(stack) {
		pc, err := strconv.ParseUint(field, 0, 64)
		if err != nil {
			return 0, nil, fmt.Errorf("goroutine profile: %w", err)
		}
		pcs = append(pcs, uintptr(pc))
	}
	return count, pcs, nil
}

func labelOf(line string) (string, bool) {
	_, rest, ok := strings.Cut(line, `# labels: {"`+labelKey+`":"`)
	if !ok {
		return "", false
	}
	label, _, ok := strings.Cut(rest, `"`)
	return label, ok
}

// sender returns the frame that sends, if the stack is one of a goroutine that
// waits in a channel send. A select waits in a function of its own.
func sender(pcs []uintptr) (runtime.Frame, bool) {
	frames := runtime.CallersFrames(pcs)
	for sends := false; ; {
		frame, more := frames.Next()
		switch {
		case frame.Function == "runtime.chansend":
			sends = true
		case !strings.HasPrefix(frame.Function, "runtime."):
			return frame, sends
		}
		if !more {
			return frame, false
		}
	}
}
