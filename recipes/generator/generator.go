// Package generator yields the items of a source that gives them in pages, and
// turns a sequence into a channel.
//
// When to use it: an API or a database returns a page and a cursor for the next
// one, and callers want to range over the items and stop at any of them.
//
// When not: the items are in a slice; use [slices.Values]. The next page should
// be fetched while the last one is handled; range over Chan of Pages.
//
// Without it: the items come through a channel, and a consumer that breaks out
// of the loop leaves the goroutine that sends them: 10,539 of them in one
// service (schwarmco/go-cartesian-product#6):
//
//	go func() {
//		defer close(ch)
//		for item := range items() {
//			ch <- item // the consumer has found what it looked for
//		}
//	}()
//
// Edge cases:
//   - break: ends it; no further page is fetched, and no goroutine is left.
//   - lazy: a page is fetched when its first item is asked for.
//   - empty page: the next one is fetched.
//   - no pages: the first fetch tells, and nothing is yielded.
//   - error: of fetch is yielded after the items before it, and is the last.
//   - context done: yields ctx.Err() in place of the next page.
//   - again: a second loop over the sequence begins with the first page.
//   - channel: of Chan is closed after the last item, or when ctx is done; its
//     goroutine then ends, also without a receiver. A receiver that stops
//     early must cancel ctx.
//
// Search: generator, pagination, paginate, cursor, iter.Seq, iterator to
// channel, lazy sequence.
package generator

import (
	"context"
	"iter"
)

// A Page is some of the items. Next is the cursor of the page after it.
type Page[T, C any] struct {
	Items []T
	Next  C
	Last  bool
}

// Pages yields the items of the page at cursor first and of those after it.
func Pages[T, C any](ctx context.Context, first C,
	fetch func(context.Context, C) (Page[T, C], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for cursor := first; ; {
			page, err := Page[T, C]{}, ctx.Err()
			if err == nil {
				page, err = fetch(ctx, cursor)
			}
			if err != nil {
				yield(*new(T), err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.Last {
				return
			}
			cursor = page.Next
		}
	}
}

// Chan returns a channel with room for size items that receives those of seq.
func Chan[T any](ctx context.Context, size int, seq iter.Seq[T]) <-chan T {
	ch := make(chan T, size)
	go func() {
		defer close(ch)
		for v := range seq {
			if ctx.Err() != nil {
				return
			}
			select {
			case ch <- v:
			case <-ctx.Done():
				return
			}
		}
	}()
	return ch
}
