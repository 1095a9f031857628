package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"example.com/chanx/doctor"
)

// dump is what SIGQUIT prints of a server whose log writer has lost one of its
// two goroutines.
const dump = `goroutine 101 [chan send, 7 minutes]:
log4go.(*Writer).Write(0xc000010000)
	/src/log4go/filelog.go:212 +0x4f
net/http.HandlerFunc.ServeHTTP(0x1)
	/go/net/http/server.go:2286 +0x29

goroutine 102 [chan send, 6 minutes]:
log4go.(*Writer).Write(0xc000010000)
	/src/log4go/filelog.go:212 +0x4f
net/http.HandlerFunc.ServeHTTP(0x1)
	/go/net/http/server.go:2286 +0x29

goroutine 20 [select]:
log4go.NewWriter.func2()
	/src/log4go/filelog.go:120 +0x4f
created by log4go.NewWriter in goroutine 1
	/src/log4go/filelog.go:110 +0x4f

goroutine 1 [IO wait]:
net.(*TCPListener).Accept(0xc000012000)
	/go/net/tcpsock.go:380 +0x30
main.main()
	/src/main.go:20 +0x1d
`

func Example() {
	snapshots, err := doctor.Parse(strings.NewReader(dump), "goroutines.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	report := doctor.Diagnose(doctor.Rules{}, snapshots...)
	report.WriteText(os.Stdout, doctor.TextOptions{Width: 72})
	// Output:
	// 2 goroutines are blocked sending in log4go.(*Writer).Write
	// (filelog.go:212), all on the path of HTTP requests; no goroutine is
	// receiving there: log4go.NewWriter.func1, by the numbering of closures a
	// sibling of log4go.NewWriter.func2, is in no stack.
	// 4 goroutines in goroutines.txt: 1 warning; 4 of 4 goroutines judged
	//
	// WARNING   2 blocked sending in log4go.(*Writer).Write (filelog.go:212).
	//           confidence high, receiver missing (confidence medium)
	//           - log4go.NewWriter.func2 is alive and parked, blocked in a
	//             select (filelog.go:120): not the receiver, or the runtime
	//             would have handed it a value
	//           - log4go.NewWriter.func2 is alive, so log4go.NewWriter.func1
	//             exists, and it is in no stack: if it was a goroutine it has
	//             returned; -src tells
	//           - the longest has waited 7 minutes
	//             goroutines 101, 102
	//             log4go.(*Writer).Write /src/log4go/filelog.go:212
	//             net/http.HandlerFunc.ServeHTTP /go/net/http/server.go:2286
	//
	// In order: 2 goroutines in 2 places, idle by design or at work.
}

// Two dumps of one process say what grew and who has left.
func ExampleDiagnose_overTime() {
	parse := func(text string) *doctor.Snapshot {
		all, err := doctor.Parse(strings.NewReader(text), "server")
		if err != nil {
			panic(err)
		}
		return all[0]
	}
	before := parse(`goroutine 20 [select]:
log4go.NewWriter.func1()
	/src/log4go/filelog.go:90 +0x4f
`)
	report := doctor.Diagnose(doctor.Rules{}, before, parse(dump))
	for _, c := range report.Changes[:1] {
		fmt.Printf("%s: %d then, %d now\n", c.Function, c.Then, c.Now)
	}
	// Output: log4go.NewWriter.func1: 1 then, 0 now
}

// Snapshots with different instances are a fleet.
func ExampleDiagnose_fleet() {
	var fleet []*doctor.Snapshot
	for _, host := range []string{"10.0.0.1", "10.0.0.2"} {
		all, err := doctor.Parse(strings.NewReader(dump), host)
		if err != nil {
			panic(err)
		}
		fleet = append(fleet, all...)
	}
	f := doctor.Diagnose(doctor.Rules{}, fleet...).Findings[0]
	fmt.Println(f.Count, f.Instances)
	// Output: 4 map[10.0.0.1:2 10.0.0.2:2]
}

// Functions whose goroutines may wait as long as they like are named once.
func ExampleRules() {
	all, err := doctor.Parse(strings.NewReader(dump), "goroutines.txt")
	if err != nil {
		panic(err)
	}
	rules := doctor.Rules{Ignore: []string{"log4go.(*Writer).Write"}}
	fmt.Println(len(doctor.Diagnose(doctor.Rules{}, all...).Findings),
		len(doctor.Diagnose(rules, all...).Findings))
	// Output: 1 0
}

func ExampleParse_nothing() {
	_, err := doctor.Parse(strings.NewReader("all is well\n"), "app.log")
	fmt.Println(errors.Is(err, doctor.ErrNoDump))
	// Output: true
}

// An instance that does not answer is a finding of the caller's.
func ExampleReport_Add() {
	report := doctor.Diagnose(doctor.Rules{})
	report.Add(doctor.Finding{Severity: doctor.Critical, Operation: "unreachable",
		Sentence: "10.0.0.3 did not answer within 30s"})
	fmt.Println(report.Findings[0].Severity, report.Findings[0].Sentence)
	// Output: critical 10.0.0.3 did not answer within 30s
}

// Outside of every middleware, on a listener of its own, it answers when the
// rest of the server hangs.
func ExampleHandler() {
	mux := http.NewServeMux()
	mux.Handle("/debug/chanx/", doctor.Handler())
	debug := &http.Server{Addr: "127.0.0.1:6060", Handler: mux}
	go debug.ListenAndServe()
}

func ExampleWatch() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go doctor.Watch(ctx, doctor.Options{
		Every:  time.Minute,
		Logger: slog.Default(),
	})
}
