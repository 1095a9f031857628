package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// hold keeps the servers as they are, before with its requests hanging, for
// whoever wants to look at a live process, until d has passed or ctx is done.
// The address ends its line, for scripts.
func (st *stage) hold(ctx context.Context, d time.Duration, stderr io.Writer) {
	fmt.Fprintf(stderr, "\nbefore hangs, for %v or until Ctrl-C, at %s\n"+
		"  go run ./cmd/chanx doctor %[2]s\n"+
		"after answers at %[3]s/status and /status/log\n",
		d, st.before.url, st.after.url)
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}
