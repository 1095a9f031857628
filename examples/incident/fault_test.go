package main

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"example.com/chanx"
	"github.com/stretchr/testify/assert"
)

func stallErr() error { return fmt.Errorf("late: %w", chanx.ErrStalled) }

func TestFaultNames(t *testing.T) {
	for i, name := range faultNames {
		var f fault
		assert.NoError(t, f.Set(name))
		assert.Equal(t, fault(i), f)
		assert.Equal(t, name, f.String())
	}
	f := stall
	assert.Error(t, f.Set("fire"))
	assert.Equal(t, stall, f)
}

func TestFaultCaused(t *testing.T) {
	// In the order of the faults: each error is the trace of one of them.
	errs := []error{
		fmt.Errorf("wrapped: %w", &fs.PathError{Op: "write", Err: errors.New("x")}),
		fmt.Errorf("wrapped: %w", chanx.ErrGoexit),
		&chanx.PanicError{Value: "x"},
		stallErr(),
	}
	for f := range fault(len(faultNames)) {
		for i, err := range errs {
			assert.Equal(t, int(f) == i, f.caused(err), "%v: %v", f, err)
		}
	}
	for f := range fault(len(faultNames)) {
		assert.False(t, f.caused(nil))
	}
	assert.False(t, full.caused(&fs.PathError{Op: "open", Err: fs.ErrPermission}))
	assert.False(t, full.caused(errors.New("some other error")))
}
