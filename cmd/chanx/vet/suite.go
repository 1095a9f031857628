// Package vet finds, in the source, channel operations that can block forever.
//
// [Analyzers] are checks in the form of golang.org/x/tools/go/analysis, for the
// command chanx vet, for go vet -vettool, and for golangci-lint as a module
// plugin. Each looks for one shape that has taken services down:
//
//   - lostconsumer: the only receiver of a channel can return, on an error or
//     after a recovered panic, while senders cannot notice.
//   - abandonedsend: a function starts a goroutine that sends a result, and can
//     return without receiving it.
//   - waitfirst: values are received only after a WaitGroup has waited for
//     their senders.
//   - lockedsend: a send holds a mutex that the receiver takes.
//   - defaultsend: a select asks whether to stop, and sends in its default.
//   - noreceiver (opt-in): no code of the package receives.
//
// A finding says "likely": the checks do not prove that a goroutine blocks, and
// do not find each that does. FIELD.md has the figures. A comment
//
//	//chanx:ignore reason
//
// on the line of a finding or the line before it silences it. Tests and generated
// files are not reported, nor are abandoned sends in commands, which end soon,
// unless more is set.
//
// # Other packages
//
// What a package does with the channels of its callers is a fact for those that
// import it. An exported channel may be used by packages that are not read; the
// checks then say nothing, except in package main, and in internal packages when
// chanx vet reads the whole module. Dependencies outside the module are read
// only by go vet -vettool.
package vet

import (
	"golang.org/x/tools/go/analysis"

	"example.com/chanx/cmd/chanx/internal/chanflow"
)

// Analyzers returns the checks, for drivers other than [Check].
func Analyzers(o Options) []*analysis.Analyzer { return newSuite(nil, o.More) }

// newSuite returns the checks on one shared model, which knows the module mod, if
// that is not nil. More turns on the checks that are off by default.
func newSuite(mod *chanflow.Module, more bool) []*analysis.Analyzer {
	m := newModelAnalyzer(chanflow.New(mod))
	return []*analysis.Analyzer{
		newCheck(m, more, "lostconsumer", lostConsumerDoc, lostConsumer),
		newCheck(m, more, "abandonedsend", abandonedSendDoc, abandonedSend),
		newCheck(m, more, "waitfirst", waitFirstDoc, waitFirst),
		newCheck(m, more, "lockedsend", lockedSendDoc, lockedSend),
		newCheck(m, more, "defaultsend", defaultSendDoc, defaultSend),
		newCheck(m, more, "noreceiver", noReceiverDoc, noReceiver),
	}
}

func newCheck(m *analysis.Analyzer, more bool, name, doc string,
	check func(*reporter)) *analysis.Analyzer {
	a := &analysis.Analyzer{Name: name, Doc: doc,
		Requires: []*analysis.Analyzer{m}}
	a.Flags.BoolVar(&more, "more", more, "report weaker findings too")
	a.Run = func(pass *analysis.Pass) (any, error) {
		check(&reporter{model: pass.ResultOf[m].(*model), pass: pass,
			more: more})
		return nil, nil
	}
	return a
}

const (
	lostConsumerDoc = "report channels whose only receiver can return unnoticed" +
		"\n\nWhen the receiver returns on an error, every later send blocks " +
		"forever: with a request in it, a service that is alive and answers nothing."
	abandonedSendDoc = "report goroutines whose result may not be received\n\n" +
		"The function that starts them can return before it receives; without " +
		"room in the channel, the goroutine stays for the life of the process."
	waitFirstDoc = "report values that are received only after WaitGroup.Wait" +
		"\n\nOnce the buffer is full, the senders wait for the receiver, which " +
		"waits for the senders."
	lockedSendDoc = "report sends that hold a mutex which the receiver takes\n\n" +
		"When the buffer is full, the sender waits for the receiver, and the " +
		"receiver for the mutex."
	defaultSendDoc = "report sends in the default of a select on a done channel" +
		"\n\nThe select looks at done once, before the send, and not while it waits."
	noReceiverDoc = "report channels without a receiver in the package (opt-in)" +
		"\n\nOff by default: tests and code to come are common reasons."
)
