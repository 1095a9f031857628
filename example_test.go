package chanx_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"example.com/chanx"
)

// A disk that is full at first.
type mendedDisk struct{ writes int }

func (d *mendedDisk) Write(p []byte) (int, error) {
	if d.writes++; d.writes == 1 {
		return 0, errors.New("no space left on device")
	}
	return os.Stdout.Write(p)
}

// Requests that log through a Ring never wait for the disk, and the writer at
// the other end survives it. The line a writer has in hand when it fails is
// lost here; see the supervised consumer for one that tries it again.
func Example() {
	ctx := context.Background()
	disk := &mendedDisk{}
	done := make(chan error, 1)

	lines := chanx.NewRing[string](1024)
	writer := func(ctx context.Context) error {
		for line := range lines.All(ctx) {
			if _, err := fmt.Fprintln(disk, line); err != nil {
				return err // kept, and the writer is started again
			}
		}
		return cmp.Or(ctx.Err(), chanx.ErrStop) // told to stop, or drained
	}
	go func() { done <- chanx.Supervise(ctx, writer, chanx.RestartPolicy{}) }()

	lines.Send("served /v1/orders") // never waits, whatever the disk does

	lines.Send("served /v1/users")
	lines.Close()
	fmt.Println(<-done)
	// Output:
	// served /v1/users
	// <nil>
}
