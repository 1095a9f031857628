package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// eventually waits for something that is bound to happen, however slow the
// machine, and says what has not if it did not within a minute.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !happened() {
		require.True(t, time.Now().Before(deadline), "not within a minute: %s", what)
		time.Sleep(time.Millisecond)
	}
}

// recv is a receive that does not wait for ever either.
func recv[T any](t *testing.T, what string, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(time.Minute):
		require.Fail(t, "not within a minute: "+what)
	}
	return v
}
