package doctor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A goroutine that panics is neither idle nor stuck.
func TestPanicking(t *testing.T) {
	g, f := opinionOn(t, "app.TestX", Rules{}, process(standing(1, "running",
		"testing.tRunner.func1.2", "panic", "app.TestX", "testing.tRunner")))
	assert.Equal(t, VerdictWorking, g.Verdict)
	require.NotNil(t, f)
	assert.Equal(t, Info, f.Severity)
	assert.Contains(t, f.Sentence, "it panics")
}
