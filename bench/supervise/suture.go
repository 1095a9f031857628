package supervise

import (
	"context"
	"errors"
	"math"

	"github.com/thejerf/suture/v4"
)

// The threshold is never reached: what is measured is a restart without a
// wait, and suture waits by the number of failures of all its services.
var sutures = peer{
	name: "suture v4", set: true, hooks: true, panics: true,
	keep: func(ctx context.Context, w work, hook func(cause)) error {
		s := newSuture(hook)
		over := make(chan struct{})
		s.Add(service(func(ctx context.Context) error {
			err := w(ctx)
			if err == errDone {
				close(over)
				return suture.ErrDoNotRestart
			}
			return err
		}))
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		ended := s.ServeBackground(ctx)
		select {
		case <-over:
		case <-ctx.Done():
		}
		cancel()
		return <-ended
	},
	herd: func(n int, w work) func() {
		s := newSuture(nil)
		for range n {
			s.Add(service(w))
		}
		return together(1, func(ctx context.Context) { _ = s.Serve(ctx) })
	},
}

type service work

func (s service) Serve(ctx context.Context) error { return s(ctx) }

func (service) String() string { return "worker" }

func newSuture(hook func(cause)) *suture.Supervisor {
	return suture.New("bench", suture.Spec{
		FailureThreshold: math.MaxFloat64,
		EventHook: func(e suture.Event) {
			if hook == nil {
				return
			}
			switch e := e.(type) {
			case suture.EventServicePanic:
				hook(cause{text: e.PanicMsg, stack: e.Stacktrace != ""})
			case suture.EventServiceTerminate:
				err, _ := e.Err.(error)
				if err == nil {
					err = errors.New("")
				}
				hook(cause{err: err, text: err.Error()})
			}
		},
	})
}
