package golangci

import (
	"testing"

	"github.com/golangci/plugin-module-register/register"
	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

// TestPlugin: golangci-lint finds the plugin by its name, and its settings
// reach the checks.
func TestPlugin(t *testing.T) {
	build, err := register.GetPlugin("chanx")
	require.NoError(t, err)
	for _, more := range []bool{false, true} {
		p, err := build(map[string]any{"more": more})
		require.NoError(t, err)
		require.Equal(t, register.LoadModeTypesInfo, p.GetLoadMode())
		all, err := p.BuildAnalyzers()
		require.NoError(t, err)
		require.Len(t, all, 6)
		for _, a := range all {
			require.Equal(t, more, a.Flags.Lookup("more").Value.String() == "true")
		}
	}
	_, err = build(map[string]any{"mroe": true})
	require.Error(t, err)
}
