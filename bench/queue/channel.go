package queue

// channel is the receiving side of all that are ordinary channels.
type channel[T any] struct{ ch chan T }

func (q channel[T]) recv() (T, bool) {
	v, ok := <-q.ch
	return v, ok
}

func (q channel[T]) close()               { close(q.ch) }
func (q channel[T]) told() (uint64, bool) { return 0, true }
