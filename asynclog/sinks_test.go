package asynclog

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// Why the documentation wants two Writers for two sinks.
func TestSinksAMultiWriterRepeatsRecordsAndTwoWritersDoNot(t *testing.T) {
	failing := func() io.Writer {
		calls := 0
		return sinkFunc(func(p []byte) (int, error) {
			if calls++; calls <= 3 {
				return 0, errors.New("not now")
			}
			return len(p), nil
		})
	}
	good := &tape{}
	w := New(io.MultiWriter(good, failing()), Options{})
	fmt.Fprintln(w, "a record")
	require.NoError(t, w.Close())
	require.Equal(t, 4, countOf(good.String(), "a record"))

	good = &tape{}
	w1, w2 := New(good, Options{}), New(failing(), Options{})
	fmt.Fprintln(io.MultiWriter(w1, w2), "a record")
	require.NoError(t, w1.Close())
	require.NoError(t, w2.Close())
	require.Equal(t, "a record\n", good.String())
	require.EqualValues(t, 1, w2.Stats().Written.Records)
}

// Two Writers on one File mix whole records.
func TestSinksTwoWritersOnOneFile(t *testing.T) {
	f, path := openFile(t)
	l := newLedger(2)
	w1, w2 := New(f, faultOptions), New(f, faultOptions)
	for range 2000 {
		require.NoError(t, l.write(w1, 0))
		require.NoError(t, l.write(w2, 1))
	}
	require.NoError(t, w1.Close())
	require.NoError(t, w2.Close())
	r := l.read(t, readAll(t, path))
	require.EqualValues(t, 4000, r.records.Records)
}
