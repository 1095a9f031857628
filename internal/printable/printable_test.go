package printable

import (
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "",
		"plain (*T).Method · ünïcode": "plain (*T).Method · ünïcode",
		"a\tb":                        "a b",
		"a\nchanx: forged":            "a\uFFFDchanx: forged",
		"\x1b]0;owned\a":              "\uFFFD]0;owned\uFFFD",
		"\u009b31m":                   "\uFFFD31m",
		"\x9b31m":                     "\uFFFD31m",
		"exe\u202etxt.go":             "exe\uFFFDtxt.go",
		"\u2066a\u2069\u200f\u061c":   "\uFFFDa\uFFFD\uFFFD\uFFFD",
		"zero\u200bwidth\u200d":       "zero\uFFFDwidth\uFFFD",
		"\ufeffbom\u2060":             "\uFFFDbom\uFFFD",
		"soft\u00adhyphen":            "soft\uFFFDhyphen",
		"fill\u3164er\ufe0f":          "fill\uFFFDer\uFFFD",
		"tag\U000e0041":               "tag\uFFFD",
		"two\u2028lines\u2029":        "two\uFFFDlines\uFFFD",
		"del\x7f":                     "del\uFFFD",
	} {
		assert.Equal(t, want, Text(in), "%q", in)
	}
}

// Nothing that Unicode calls a control or a format character gets through,
// and what prints stays as it is.
func TestRune(t *testing.T) {
	for c := rune(0); c <= unicode.MaxRune; c++ {
		got := Rune(c)
		switch {
		case c == '\t':
			assert.Equal(t, ' ', got)
		case unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
			assert.Equal(t, unicode.ReplacementChar, got, "%U", c)
		case unicode.In(c, unicode.L, unicode.N, unicode.P, unicode.S) &&
			!unicode.Is(unicode.Other_Default_Ignorable_Code_Point, c):
			if got != c {
				t.Fatalf("%U became %U", c, got)
			}
		}
	}
	var kept string
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		kept = Text("net/http.(*conn).serve")
	}), kept)
}

func BenchmarkText(b *testing.B) {
	var kept string
	for b.Loop() {
		kept = Text("net/http.(*conn).serve /usr/local/go/src/net/http/server.go:2067")
	}
	assert.NotEmpty(b, kept)
}
