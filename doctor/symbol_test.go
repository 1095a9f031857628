package doctor

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBuilds(t *testing.T) {
	for function, want := range map[string]bool{
		"p.NewWriter":           true,
		"p.NewWriter.func1":     true,
		"p.newFileWriter":       true,
		"p.New":                 true,
		"p.Open":                true,
		"p.startWriter":         true,
		"p.(*Writer).Start":     true,
		"p.(*Reader).Start":     false, // of another type
		"p.NewReader":           false,
		"p.run":                 false, // the program's own, of no type
		"p.start":               false,
		"p.init":                false,
		"p.write":               false,
		"other.NewWriter":       false,
		"p.(*Writer).run.func2": true,
	} {
		assert.Equal(t, want, builds(function, "p", "Writer"), function)
	}
}
