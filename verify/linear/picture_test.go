package linear

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// A ring that loses evicted values is found, and its picture shows the calls.
func TestAViolationLeavesItsPicture(t *testing.T) {
	pic := filepath.Join(t.TempDir(), "violation.html")
	var ops []porcupine.Operation
	res := porcupine.Ok
	for seed := uint64(0); res == porcupine.Ok; seed++ {
		require.Less(t, seed, uint64(1000), "never found")
		var err error
		ops = historyOf(chanx.NewRingFunc(1, func(item) {}), 3, 5, seed)
		res, err = judge(model(1), ops, pic)
		require.NoError(t, err)
	}
	require.Equal(t, porcupine.Illegal, res)
	html, err := os.ReadFile(pic)
	require.NoError(t, err)
	for _, op := range ops {
		require.Contains(t, string(html), op.Input.(call).op)
	}
	require.Contains(t, string(html), "evicts -1")
}

// A linearizable history leaves no picture.
func TestARightHistoryLeavesNoPicture(t *testing.T) {
	pic := filepath.Join(t.TempDir(), "none.html")
	res, err := judge(model(2), history(2, 3, 5, 1), pic)
	require.NoError(t, err)
	require.Equal(t, porcupine.Ok, res)
	require.NoFileExists(t, pic)
}
