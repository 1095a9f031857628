package supervise

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// patience is how long a restart may take before it counts as not happening.
// Where a worker is known to hang it is spent to the end, hence the short one;
// the tests, which fail if ours is too slow, take the long one.
const (
	patience      = 20 * time.Second
	shortPatience = 2 * time.Second
)

const (
	restarted   = "restarted"
	goesThrough = "panic goes through"
)

// after says what becomes of a worker that ends in a certain way, times times,
// under a hook, which may be nil.
func after(p peer, exit func() error, times int, hook func(cause)) string {
	ctx, cancel := context.WithCancel(context.Background())
	again := make(chan struct{})
	runs := 0
	ended := keepOn(ctx, p, func(context.Context) error {
		if runs++; runs <= times {
			return exit()
		}
		close(again)
		return errDone
	}, hook)
	defer func() { <-ended }()
	defer cancel()
	select {
	case <-again:
		return restarted
	case how := <-ended:
		ended <- how
		return settle(again, how)
	case <-time.After(patience):
		return "not restarted"
	}
}

// settle decides for a worker that was run again if both have happened.
func settle(again <-chan struct{}, how string) string {
	select {
	case <-again:
		return restarted
	default:
		return how
	}
}

// keepOn runs p.keep on a goroutine of its own, which may end in any way.
func keepOn(ctx context.Context, p peer, w work, hook func(cause)) chan string {
	ended := make(chan string, 1)
	go func() {
		how := "loop is gone"
		defer func() {
			if v := recover(); v != nil {
				how = goesThrough
			}
			ended <- how
		}()
		_ = p.keep(ctx, w, hook)
		how = "counts as done"
	}()
	return ended
}

// afterHang is after with a hook that hangs until the check is over. A hook
// called once may be called later than the restart, hence three of them.
func afterHang(p peer, patience time.Duration) string {
	if !p.hooks {
		return "no hook"
	}
	gate := make(chan struct{})
	var once sync.Once
	defer once.Do(func() { close(gate) })
	got := make(chan string, 1)
	go func() {
		got <- after(p, fails, 3, func(cause) { <-gate })
	}()
	select {
	case how := <-got:
		return how
	case <-time.After(patience):
		once.Do(func() { close(gate) })
		<-got
		return "worker hangs too"
	}
}

// told returns what a hook is told of an exit.
func told(p peer, exit func() error) (c cause) {
	if !p.hooks {
		return cause{}
	}
	var mu sync.Mutex
	first := make(chan struct{})
	var once sync.Once
	how := after(p, exit, 1, func(heard cause) {
		once.Do(func() {
			mu.Lock()
			c = heard
			mu.Unlock()
			close(first)
		})
	})
	if how == restarted {
		select {
		case <-first:
		case <-time.After(patience):
		}
	}
	mu.Lock()
	defer mu.Unlock()
	return c
}

// loses says whether the cause of a failure, and of a panic, reaches a hook as
// an error that errors.Is knows, and of the panic the stack.
func loses(p peer) (failure, panicked, stack, goexit string) {
	failure, panicked = kept(told(p, fails)), "–"
	stack, goexit = "–", "–"
	if !p.panics {
		return
	}
	c := told(p, panics)
	panicked, stack = kept(c), "lost"
	if c.stack {
		stack = "kept"
	}
	goexit = "lost"
	if told(p, goexits).text != "" {
		goexit = "kept"
	}
	return
}

func kept(c cause) string {
	switch {
	case errors.Is(c.err, errBoom):
		return "kept"
	case c.text != "":
		return "as text"
	}
	return "lost"
}

// later says whether the reason can be asked for when all is over.
func later(p peer) string {
	if p.history == nil {
		return "no"
	}
	runs := 0
	err := p.history(func(context.Context) error {
		if runs++; runs == 1 {
			return errBoom
		}
		return errDone
	})
	if errors.Is(err, errBoom) {
		return "yes"
	}
	return "no"
}

func returnsNil() error { return nil }

func foreign() error { return context.Canceled }

func goexits() error {
	runtime.Goexit()
	return nil
}
