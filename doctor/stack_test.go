package doctor

import (
	"strings"
	"testing"

	"example.com/chanx/internal/printable"
	"github.com/stretchr/testify/assert"
)

func TestStackLabels(t *testing.T) {
	s := &Stack{}
	for i := range 40 {
		s.label("request="+printable.Number(i), 2)
	}
	s.label("request=0", 5)
	assert.Len(t, s.Labels, maxLabels)
	assert.Equal(t, 7, s.Labels["request=0"])
	assert.NotContains(t, s.Labels, "request=39")
}

func TestStackRoot(t *testing.T) {
	for calls, want := range map[string]string{
		"app.f app.g runtime.goexit":                  "app.g",
		"app.f main.main runtime.main runtime.goexit": "main.main",
		"runtime.goexit":                              "",
		"":                                            "",
	} {
		assert.Equal(t, want, standing(1, "", strings.Fields(calls)...).root().Func,
			calls)
	}
}
