package doctor

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A text in octets may be as long as it likes, end anywhere, and have more of
// its record behind it.
func TestOctets(t *testing.T) {
	dump := strings.Repeat(strings.ReplaceAll(sample, "src dir", "src")+"\n", 300)
	inBase64 := base64.StdEncoding.EncodeToString([]byte(dump))
	inNumbers := strings.Trim(fmt.Sprint([]byte(dump)), "[]")
	for _, text := range []string{
		`level=error stack="` + inBase64 + `" caller=main.go:7`,
		`{"stack":"` + inBase64 + `","caller":"main.go:7"}`,
		inBase64[:len(inBase64)-7],
		"stack=[" + inNumbers + "] caller=main.go:7",
	} {
		all, err := Parse(strings.NewReader(text+"\n"), "x")
		require.NoError(t, err)
		n := 0
		for _, p := range all {
			n += p.Goroutines
		}
		assert.Equal(t, 4, all[0].Goroutines, "%v", all[0].Troubles)
		assert.GreaterOrEqual(t, n, 1190)
	}
}
