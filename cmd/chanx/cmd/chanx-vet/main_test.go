package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/leakgate"
)

// asTool in the environment makes the test binary the tool.
const asTool = "CHANX_VET_TEST_TOOL"

func TestMain(m *testing.M) {
	if os.Getenv(asTool) != "" {
		main()
	}
	leakgate.Main(m)
}

// TestGoVet: go vet finds with the tool what one package and the facts of its
// imports show.
func TestGoVet(t *testing.T) {
	tool, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command("go", "vet", "-vettool="+tool, "./...")
	cmd.Dir = "../../vet/testdata/module"
	cmd.Env = append(os.Environ(), asTool+"=1", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	for _, want := range []string{"facts.go:19:4: likely abandoned send: FirstOf",
		"facts.go:32:14: likely abandoned send: Once",
		"facts.go:48:5: likely lost consumer: channel lines"} {
		require.Contains(t, string(out), want)
	}
}
