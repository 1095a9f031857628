// Package watch holds a value that changes, such as a configuration, gives it
// to each reader at once, and tells those that watch it of each change.
//
// When to use it: parts of a program must notice that a configuration, a list
// of servers or a certificate has changed, and need the latest version only.
//
// When not: no reader needs to be told; use [atomic.Pointer]. Every version
// matters; use chanx.Broadcast or the recipe pubsub. Many requests should cause
// one reload; put the recipe reload before Reload.
//
// Without it: the change is sent to the readers that are receiving at that
// moment, and the others keep the old configuration until they are restarted
// (container-registry/harbor-satellite#652):
//
//	select {
//	case changed <- struct{}{}:
//	default: // the reader was at work: it never learns of it
//	}
//
// Edge cases:
//   - first value: Get and Watch have the current value at once.
//   - slow watcher: gets the latest version, and holds up nothing; versions in
//     between are skipped.
//   - last version: reaches every watcher, however slow.
//   - failed reload: keeps the old value, tells no watcher, and returns the
//     error of load.
//   - one reload at a time: others wait until their ctx is done, so that the
//     latest result is not replaced by an older one.
//   - panic: in load passes through, keeps the value and lets others reload.
//   - same value: is a version too; compare in the watcher if that matters.
//   - context done: Watch ends, and begins with nothing if it is done before.
//   - close: Watch yields the last value to those that have not seen it, and
//     ends; Get still returns it. A Set afterwards changes nothing.
//   - many watchers: a Set costs the same for each that is not waiting.
//
// Search: config reload, watch, configuration change, hot reload, notify of
// changes, observable value.
package watch

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"

	"example.com/chanx"
)

// A Value is one that changes. New makes one.
type Value[T any] struct {
	current  atomic.Pointer[T]
	mu       sync.Mutex // guards the order of Set
	versions *chanx.Broadcast[T]
	reloads  chan struct{} // one slot
}

// New returns a value that is first.
func New[T any](first T) *Value[T] {
	v := &Value[T]{versions: chanx.NewBroadcast[T](1)}
	v.reloads = make(chan struct{}, 1)
	v.Set(first)
	return v
}

// Get returns the current value.
func (v *Value[T]) Get() T { return *v.current.Load() }

// Set makes t the current value.
func (v *Value[T]) Set(t T) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.versions.Send(t) {
		v.current.Store(&t)
	}
}

// Reload sets the result of load, unless that fails.
func (v *Value[T]) Reload(
	ctx context.Context, load func(context.Context) (T, error)) error {
	if err := chanx.SendContext(ctx, v.reloads, struct{}{}); err != nil {
		return err
	}
	defer func() { <-v.reloads }()
	t, err := load(ctx)
	if err == nil {
		v.Set(t)
	}
	return err
}

// Watch yields the current value and then each newer one, until ctx is done or
// v is closed.
func (v *Value[T]) Watch(ctx context.Context) iter.Seq[T] {
	return func(yield func(T) bool) {
		s := v.versions.Subscribe(1)
		defer s.Close()
		for t := range s.All(ctx) {
			if !yield(t) {
				return
			}
		}
	}
}

// Close ends what watches v.
func (v *Value[T]) Close() { v.versions.Close() }
