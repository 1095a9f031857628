package doctor

import (
	"bytes"
	"encoding/json"
	"testing"

	"example.com/chanx/internal/printable"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJSONHasNoNull(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Diagnose(Rules{}).WriteJSON(&b))
	assert.JSONEq(t, `{"targets":[],"goroutines":0,"judged":0,
		"unreadable":0,"extract":false,"root":"no goroutine","findings":[],
		"waits":[],"edges":[]}`, b.String())
}

// The JSON can be read by people too: a line each, and names as they are.
func TestJSONIsReadable(t *testing.T) {
	r := &Report{Targets: []string{"a&b"}, Findings: []Finding{
		{Function: "main.run[<T>]"}}}
	var b bytes.Buffer
	require.NoError(t, r.WriteJSON(&b))
	assert.Contains(t, b.String(), "\n  \"goroutines\": 0,\n")
	assert.Contains(t, b.String(), `"a&b"`)
	assert.Contains(t, b.String(), "main.run[<T>]")
}

// No character that a terminal obeys or a reader does not see gets into a
// string, escaped or not; what JSON has to escape stays as it is.
func TestJSONIsClean(t *testing.T) {
	const hostile = "q\" b\\ \x1b[2J \u009b \u202e \u200b \x7f \ufeff \n\t\r\b \u2028 \xff é"
	p := process(&Stack{State: "chan send", Count: 20, Frames: []Frame{
		{Func: "app." + hostile, File: hostile, Line: 1}}})
	p.Target = hostile
	var b bytes.Buffer
	require.NoError(t, Diagnose(Rules{}, p).WriteJSON(&b))
	for _, c := range b.String() {
		assert.True(t, c == '\n' || c == printable.Rune(c), "%q", c)
	}
	var got struct {
		Targets  []string
		Findings []Finding
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &got))
	const want = "q\" b\\ \uFFFD[2J \uFFFD \uFFFD \uFFFD \uFFFD \uFFFD \uFFFD \uFFFD\uFFFD " +
		"\uFFFD \uFFFD é"
	assert.Equal(t, []string{want}, got.Targets)
	assert.Equal(t, "app."+want, got.Findings[0].Function)
	assert.Equal(t, want, got.Findings[0].File)
}
