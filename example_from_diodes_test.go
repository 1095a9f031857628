package chanx_test

// Coming from cloudfoundry/go-diodes.
//
//	d := diodes.NewManyToOne(4, alerter)     d := chanx.NewRing[line](4)
//	d.Set(diodes.GenericDataType(&v))        d.Send(v)
//	p, ok := d.TryNext(); *(*line)(p)        v, err := d.TryRecv()
//	w := diodes.NewWaiter(d, …); w.Next()    v, err := d.Recv(ctx)
//	diodes.NewPoller(d, …)                   not needed
//	alerter.Alert(missed)                    Stats().Dropped, or NewRingFunc
//
// Use when: code has a diode, often behind a shell of its own that casts the
// pointers, and wants types, an exact count, an end, or more than one reader.
//
// What changes:
//   - values, not pointers: no cast, no allocation for each Set.
//   - several receivers are fine. A diode has one reader, and OneToOne one
//     writer; nothing checks that.
//   - a full ring loses the oldest value only. A diode that has been lapped
//     jumps to the newest value in the slot it reads: six values set in four
//     slots, it loses four of them, of which two are still there.
//   - the count is there when the value is lost, on the sending side. A diode
//     notices when it reads next: a reader that has stopped sees nothing.
//   - there is an end: Close, then the rest, then ErrClosed. Next of a waiter
//     returns nil when its context is done, and shells that cast it crash.
//   - Set logs when writers collide; nothing here logs.
//
// To change: missedReader keeps the alerter on the reader's goroutine as it
// was. Where every lost value matters by itself use NewRingFunc: its function
// gets the value, on the sender's goroutine.

import (
	"context"
	"fmt"

	"example.com/chanx"
)

// A missedReader is for one goroutine, as a diode's reader is.
type missedReader[T any] struct {
	ring  *chanx.Ring[T]
	alert func(missed int)
	told  uint64
}

// Next waits for a value until ctx is done, and first calls alert if values
// have been lost since it last did.
func (r *missedReader[T]) Next(ctx context.Context) (T, error) {
	v, err := r.ring.Recv(ctx)
	if dropped := r.ring.Stats().Dropped; dropped > r.told {
		r.alert(int(dropped - r.told))
		r.told = dropped
	}
	return v, err
}

func Example_fromDiodes() {
	ctx := context.Background()
	d := chanx.NewRing[string](4)
	r := &missedReader[string]{ring: d, alert: func(missed int) {
		fmt.Println("missed", missed)
	}}

	for i := range 6 {
		d.Send(fmt.Sprint("line ", i))
	}
	d.Close()
	for {
		line, err := r.Next(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(line)
	}
	// Output:
	// missed 2
	// line 2
	// line 3
	// line 4
	// line 5
	// chanx: closed
}
