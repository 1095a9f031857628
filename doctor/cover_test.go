package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPlainBefore(t *testing.T) {
	for s, want := range map[string]bool{
		"":                            true,
		"2026/11/24 ":                 true,
		"app | ":                      true,
		"2026/11/24":                  false,
		"we saw a ":                   false,
		"2026/11/24 http: ":           false,
		strings.Repeat("1", 62) + " ": true,
		strings.Repeat("1", 63) + " ": false,
	} {
		assert.Equal(t, want, plainBefore([]byte(s)), s)
	}
}

// What a collector writes before each line differs in its numbers only.
func TestAfterPrefix(t *testing.T) {
	for _, test := range []struct {
		prefix, line, want string
		ok                 bool
	}{
		{"app | ", "app | main.f()", "main.f()", true},
		{"app | ", "web | main.f()", "", false},
		{"app | ", "app |", "", true}, // loggers trim
		{"app | ", "app", "", false},
		{"  ", "", "", false},
		{"9 10 ", "123 4 x", "x", true},
		{"9 10 ", "123 x", "", false},
		{"9 10 ", "1", "", false},
		{"9 ", "x ", "", false},
		{"app|", "app|x", "x", true},
		{"app|", "app|", "", true},
		{"[7]", "[42]x", "x", true},
		{"v1", "v22", "", true},
		{"v1", "v22x", "x", true},
		{"a  b", "a b", "", true},
		{"a  b: ", "a      b: \t/a.go", "\t/a.go", true},
		{"a: ", "a:   x", "  x", true}, // the indentation of a file
		{"a:  ", "a: x", "", false},
		{"a:  ", "a:  ", "", true},
		{"a:  ", "a: ", "", false},
	} {
		got, ok := afterPrefix([]byte(test.line), []byte(test.prefix))
		assert.Equal(t, test.ok, ok, "%q after %q", test.line, test.prefix)
		assert.Equal(t, test.want, string(got), "%q after %q", test.line,
			test.prefix)
	}
}

func TestHeaderAt(t *testing.T) {
	for line, want := range map[string]int{
		"goroutine 7 [running]:":                     0,
		"app | goroutine 7 [running]:":               6,
		"this goroutine is goroutine 7 [running]:":   18,
		"goroutine by goroutine: goroutine 1 gp=0x1": 24,
		"subgoroutine 7 [running]:":                  -1,
		"created by main.main in goroutine 7":        -1,
		"\"goroutine 7 [running]:\"":                 1,
		"'goroutine 7 [running]:'":                   1,
		"goroutine profile: total 7":                 0,
		"goroutine profile":                          -1,
		"":                                           -1,
		"@goroutine 7 [running]:":                    1,
		"`goroutine 7 [running]:":                    1,
		"/goroutine 7 [running]:":                    1,
		":goroutine 7 [running]:":                    1,
		"[goroutine 7 [running]:":                    1,
		"{goroutine 7 [running]:":                    1,
	} {
		assert.Equal(t, want, headerAt([]byte(line)), line)
	}
	for _, c := range "09AZMazm_" {
		assert.Equal(t, -1, headerAt([]byte(string(c)+"goroutine 7 [running]:")),
			"%c", c)
	}
}
