//go:build race

package language

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// After runtime/race/testdata/chan_test.go: what a channel orders, chanx
// orders too, and it does not order more than it says, so that the detector
// still finds the mistakes of those who use it. Each scenario is run by a copy
// of this binary, whose exit status is 66 if a race was reported.
//
// x is written by one goroutine and read by another, before or after the two
// meet in the scenario.
var scenarios = map[string]struct {
	races bool
	run   func(x *int)
}{
	"TrySend, TryRecv": {false, func(x *int) {
		meet(x, tryQueue(1))
	}},
	"SendTimeout, RecvTimeout, hand-off": {false, func(x *int) {
		meet(x, timeoutQueue(0))
	}},
	"SendContext, RecvContext": {false, func(x *int) {
		meet(x, contextQueue(1))
	}},
	"Ring.TrySend, Recv":  {false, func(x *int) { meet(x, ringQueue(1)) }},
	"Ring.TrySend, Ready": {false, func(x *int) { meet(x, readyQueue(1)) }},
	"Ring.RecvBatch":      {false, func(x *int) { meet(x, batchQueue(1)) }},
	"SendDropOldest": {false, func(x *int) {
		ch := make(chan int, 1)
		ch <- 0
		go func() {
			*x = 1
			chanx.SendDropOldest(ch, 1)
		}()
		for <-ch == 0 {
		}
		_ = *x
	}},
	"Ring.Close, then ErrClosed": {false, func(x *int) {
		r := chanx.NewRing[int](1)
		go func() {
			*x = 1
			r.Close()
		}()
		_, _ = r.Recv(context.Background())
		_ = *x
	}},
	"an evicted value, in onDrop": {false, func(x *int) {
		done := make(chan struct{})
		r := chanx.NewRingFunc(1, func(p *int) { *p++; close(done) })
		sent := make(chan struct{})
		go func() {
			*x = 1
			r.Send(x)
			close(sent)
		}()
		<-sent
		r.Send(new(int))
		<-done
	}},
	"written after Send": {true, func(x *int) {
		r := chanx.NewRing[int](1)
		done := make(chan struct{})
		go func() {
			r.Send(1)
			*x = 1
			close(done)
		}()
		_, _ = r.Recv(context.Background())
		*x = 2
		<-done
	}},
	"written after TrySend": {true, func(x *int) {
		q := tryQueue(1)
		done := make(chan struct{})
		go func() {
			q.send(1)
			*x = 1
			close(done)
		}()
		q.recv()
		*x = 2
		<-done
	}},
	"a TrySend that failed": {true, func(x *int) {
		ch := make(chan int, 1)
		ch <- 0
		done := make(chan struct{})
		go func() {
			*x = 1
			chanx.TrySend(ch, 1)
			close(done)
		}()
		*x = 2
		<-done
	}},
	"a RecvTimeout that timed out": {true, func(x *int) {
		ch := make(chan int)
		done := make(chan struct{})
		go func() {
			*x = 1
			_, _ = chanx.RecvTimeout(ch, short)
			close(done)
		}()
		*x = 2
		<-done
	}},
}

func meet(x *int, q queue) {
	go func() {
		*x = 1
		q.send(1)
	}()
	q.recv()
	*x = 2
}

func TestRacesAreReportedAndOnlyThey(t *testing.T) {
	if name := os.Getenv("CHANX_RACE_SCENARIO"); name != "" {
		x := 0
		scenarios[name].run(&x)
		return
	}
	for name, s := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reported := false
			// A race is reported when it is seen; one that is there may
			// need a few tries, one that is not must survive them all.
			for range 5 {
				cmd := exec.CommandContext(t.Context(), os.Args[0],
					"-test.run", "^TestRacesAreReportedAndOnlyThey$")
				cmd.Env = append(os.Environ(), "CHANX_RACE_SCENARIO="+name, "GORACE=exitcode=66")
				out, err := cmd.CombinedOutput()
				if err == nil {
					continue
				}
				require.Contains(t, string(out), "DATA RACE")
				reported = true
				break
			}
			require.Equal(t, s.races, reported)
		})
	}
}
