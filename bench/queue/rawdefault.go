package queue

// raw drops the newest value, as select with default does.
type raw[T any] struct{ channel[T] }

func openRaw[T any](capacity int) queue[T] {
	return raw[T]{channel[T]{make(chan T, capacity)}}
}

func (q raw[T]) send(v T) int {
	select {
	case q.ch <- v:
		return 0
	default:
		return 1
	}
}
