package vet

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestIncident: the outage is found in the source of the server that had it,
// and nothing in that of the one that did not stop.
func TestIncident(t *testing.T) {
	r, err := Check("../../../examples/incident", []string{"."}, Options{})
	require.NoError(t, err)
	require.Empty(t, r.Unread)
	var outage bool
	for _, f := range r.Findings {
		require.Equal(t, "before.go", filepath.Base(f.File), f.Message)
		require.Equal(t, "lostconsumer", f.Check)
		outage = outage || strings.Contains(f.Message, "then (*traceWriter).LogWrite ")
	}
	require.True(t, outage, "the send of every request, which blocked")
}
