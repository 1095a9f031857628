package queue

// evict drops the oldest value, as it is written by hand.
type evict[T any] struct{ channel[T] }

func openEvict[T any](capacity int) queue[T] {
	return evict[T]{channel[T]{make(chan T, capacity)}}
}

func (q evict[T]) send(v T) (lost int) {
	for {
		select {
		case q.ch <- v:
			return lost
		default:
		}
		select {
		case <-q.ch:
			lost++
		default:
		}
	}
}
