package doctor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSeverity(t *testing.T) {
	for s, want := range map[Severity]string{
		Info: "info", Warning: "warning", Critical: "critical", 7: "Severity(7)",
		-1: "Severity(-1)",
	} {
		assert.Equal(t, want, s.String())
	}
	s := Info
	require.NoError(t, s.UnmarshalText([]byte("critical")))
	assert.Equal(t, Critical, s)
	assert.ErrorContains(t, s.UnmarshalText([]byte("Critical")),
		`severity "Critical" is not info, warning or critical`)
	assert.Equal(t, Critical, s, "unchanged")
	require.NoError(t, s.UnmarshalText([]byte("info")))
	assert.Equal(t, Info, s)
}

func TestSentence(t *testing.T) {
	for _, test := range []struct {
		stack *Stack
		want  string
	}{
		{standing(1, "chan send", "app.f",
			"google.golang.org/grpc.(*Server).handleStream"),
			"1 goroutine is blocked sending in app.f (app.go:1), on the path of a " +
				"gRPC request"},
		{standing(1, "chan send", "app.f", inRequest),
			"1 goroutine is blocked sending in app.f (app.go:1), on the path of an " +
				"HTTP request"},
		{standing(1000, "chan send", "app.f", "net/rpc.(*service).call"),
			"1,000 goroutines are blocked sending in app.f (app.go:1), all on the " +
				"path of RPC requests"},
		{&Stack{State: "chan send (nil chan)", Count: 2,
			Frames: []Frame{{Func: "app.f"}}},
			"2 goroutines are blocked forever sending to a nil channel in app.f; " +
				"nothing"},
		{&Stack{State: "chan send", Count: 2, Frames: []Frame{{PC: 0x43e0c5}}},
			"2 goroutines are blocked sending in 0x43e0c5; no"},
	} {
		r := Diagnose(Rules{}, process(test.stack))
		require.NotEmpty(t, r.Findings, test.want)
		assert.Contains(t, r.Findings[0].Sentence, test.want)
	}
}
