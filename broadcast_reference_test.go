package chanx_test

import "example.com/chanx"

// sliceBroadcast is what a Broadcast does, one step after the other, with a
// slice of all values and a position for each subscription.
type sliceBroadcast struct {
	all      []int
	capacity int
	closed   bool
	subs     []*sliceSubscription
}

type sliceSubscription struct {
	b                *sliceBroadcast
	start, pos       int
	received, missed int
	closed           bool
	end              int
}

func (b *sliceBroadcast) oldest() int { return max(0, len(b.all)-b.capacity) }

func (b *sliceBroadcast) Send(v int) bool {
	if !b.closed {
		b.all = append(b.all, v)
	}
	return !b.closed
}

func (b *sliceBroadcast) Subscribe(replay int) *sliceSubscription {
	at := max(b.oldest(), len(b.all)-replay)
	s := &sliceSubscription{b: b, start: at, pos: at}
	b.subs = append(b.subs, s)
	return s
}

func (b *sliceBroadcast) Stats() chanx.BroadcastStats {
	open := 0
	for _, s := range b.subs {
		if !s.closed {
			open++
		}
	}
	return chanx.BroadcastStats{
		Sent:        uint64(len(b.all)),
		Len:         len(b.all) - b.oldest(),
		Cap:         b.capacity,
		Subscribers: open,
	}
}

func (s *sliceSubscription) Len() int {
	if s.closed {
		return 0
	}
	return len(s.b.all) - max(s.pos, s.b.oldest())
}

func (s *sliceSubscription) Take(most int) (got []int, missed uint64, err error) {
	if s.Len() == 0 {
		if s.closed || s.b.closed {
			return nil, 0, chanx.ErrClosed
		}
		return nil, 0, chanx.ErrEmpty
	}
	if most == 0 {
		return nil, 0, nil
	}
	from := max(s.pos, s.b.oldest())
	missed = uint64(from - s.pos)
	got = s.b.all[from:min(from+most, len(s.b.all))]
	s.pos = from + len(got)
	s.received += len(got)
	s.missed += int(missed)
	return got, missed, nil
}

func (s *sliceSubscription) Close() {
	if !s.closed {
		s.end = len(s.b.all)
		s.closed = true
	}
}

func (s *sliceSubscription) Stats() chanx.SubscriptionStats {
	end := len(s.b.all)
	if s.closed {
		end = s.end
	}
	missed := s.missed
	if s.closed {
		missed = end - s.start - s.received
	} else {
		missed += max(s.pos, s.b.oldest()) - s.pos
	}
	return chanx.SubscriptionStats{
		Offered:  uint64(end - s.start),
		Received: uint64(s.received),
		Missed:   uint64(missed),
		Len:      s.Len(),
	}
}
