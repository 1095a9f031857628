// Package doctor reports which goroutines of a program are stuck, where, and
// which goroutine should wake them.
//
// It reads what a Go engineer has at hand when a process has stopped
// answering: goroutine profiles as text, goroutine dumps, crash logs, a test
// timeout inside other log text. [Parse] turns them into a [Snapshot],
// [Diagnose] turns one or more snapshots into a [Report]: one sentence per
// finding, worst first, with its evidence and its confidence. [Take] looks at
// the process it runs in; [Watch] does so periodically and reports a change
// once; [Handler] answers over HTTP.
//
// A law of the runtime makes a verdict possible from one snapshot: a goroutine
// parked in a receive and one parked in a send are never on the same
// channel, because the later of the two would have met the earlier instead of
// parking. So where senders are parked no goroutine waits to receive; the receiver
// is busy elsewhere, or gone, and the doctor looks for one that is busy.
//
// How often it is right is measured: CORPUS.md has generated programs with one
// fault each, GOKER.md the leaks of published programs, and FIELD.md dumps
// modelled on public reports. Of those it had not seen before it was right in
// full on 298 of 424.
//
// The package imports only the standard library, so a service can link it.
// Profiles in protobuf form and the analysis of source code need more and are
// in the command chanx.
package doctor
