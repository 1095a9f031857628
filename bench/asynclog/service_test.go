package asynclog

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Every writer that does not drop has a line for each request.
func TestServiceLogsEachRequest(t *testing.T) {
	for _, p := range []peer{ours, guarded, plain} {
		v, err := service(t.TempDir(), p, 50*time.Millisecond)
		require.NoError(t, err)
		require.Positive(t, v[serviceRequests], p.name)
		require.InDelta(t, v[serviceRequests], v[serviceDelivered], 1e-6, p.name)
		require.Zero(t, v[serviceLost], p.name)
	}
	v, err := service(t.TempDir(), noLog, 50*time.Millisecond)
	require.NoError(t, err)
	require.Positive(t, v[serviceRequests])
	require.Zero(t, v[serviceDelivered])
	require.Zero(t, v[serviceLost])
}
