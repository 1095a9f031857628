package dump

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGeneratedDumpIsReadAlikeByAll(t *testing.T) {
	const n = 3 * 8 * 7
	for _, p := range parsers {
		got, result, err := p.read(newGenerator(n))
		require.NoError(t, err, p.name)
		assert.Equal(t, n, got, p.name)
		assert.NotNil(t, result, p.name)
	}
}

func TestGeneratorIsAReader(t *testing.T) {
	whole, err := io.ReadAll(newGenerator(20))
	require.NoError(t, err)
	require.NoError(t, iotest.TestReader(newGenerator(20), whole))
	text := string(whole)
	assert.Equal(t, 20, strings.Count(text, "\n\n"))
	assert.True(t, strings.HasPrefix(text, "goroutine 101 [chan send, 2 minutes]:\n"))
	assert.False(t, strings.Contains(text, pointer), "of nobody")
	assert.True(t, strings.Contains(text, "LogWrite(0xc000000110, 0xc000000110)"))
}
