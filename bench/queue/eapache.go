package queue

import "github.com/eapache/channels"

// eapache adapts both of its bounded channels that do not block the sender.
// They count no drops.
type eapache[T any] struct{ channels.Channel }

func openEapacheRing[T any](capacity int) queue[T] {
	return eapache[T]{channels.NewRingChannel(channels.BufferCap(capacity))}
}

func openEapacheOverflowing[T any](capacity int) queue[T] {
	size := channels.BufferCap(capacity)
	return eapache[T]{channels.NewOverflowingChannel(size)}
}

func (q eapache[T]) send(v T) int {
	q.In() <- v
	return 0
}

func (q eapache[T]) recv() (v T, ok bool) {
	got, ok := <-q.Out()
	if ok {
		v = got.(T)
	}
	return v, ok
}

func (q eapache[T]) close()               { q.Close() }
func (q eapache[T]) told() (uint64, bool) { return 0, false }
