package supervise

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"example.com/chanx"
)

var function = peer{
	name: "chanx.Supervise", hooks: true, panics: true,
	keep: func(ctx context.Context, w work, hook func(cause)) error {
		return chanx.Supervise(ctx, stopping(w), policy(hook))
	},
	herd: func(n int, w work) func() {
		return together(n, func(ctx context.Context) {
			_ = chanx.Supervise(ctx, w, chanx.RestartPolicy{})
		})
	},
}

var supervisor = peer{
	name: "chanx.Supervisor", set: true, hooks: true, panics: true,
	keep: func(ctx context.Context, w work, hook func(cause)) error {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		if err := s.Add("worker", stopping(w), policy(hook)); err != nil {
			return err
		}
		return s.Run(ctx)
	},
	herd:    supervised,
	history: askedLater,
}

func stopping(w work) work {
	return func(ctx context.Context) error {
		err := w(ctx)
		if err == errDone {
			return chanx.ErrStop
		}
		return err
	}
}

func policy(hook func(cause)) chanx.RestartPolicy {
	p := chanx.RestartPolicy{MinBackoff: -1}
	if hook == nil {
		return p
	}
	p.OnEvent = func(e chanx.Event) {
		if e.Exit.Err == nil {
			return
		}
		c := cause{err: e.Exit.Err, text: e.Exit.Err.Error()}
		var p *chanx.PanicError
		if errors.As(e.Exit.Err, &p) {
			c.stack = len(p.Stack) > 0
		}
		hook(c)
	}
	return p
}

// together starts n goroutines with a context, and returns how to end it and
// wait for all.
func together(n int, f func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range n {
		all.Go(func() { f(ctx) })
	}
	return func() {
		cancel()
		all.Wait()
	}
}

func supervised(n int, w work) (stop func()) {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	for i := range n {
		err := s.Add(strconv.Itoa(i), w, chanx.RestartPolicy{})
		if err != nil {
			panic(err)
		}
	}
	return together(1, func(ctx context.Context) { _ = s.Run(ctx) })
}

// askedLater returns what Status knows once everything is over.
func askedLater(w work) error {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	if err := s.Add("worker", stopping(w), policy(nil)); err != nil {
		return err
	}
	_ = s.Run(context.Background())
	exits := s.Status()[0].Exits
	if len(exits) == 0 {
		return nil
	}
	return exits[0].Err
}
