package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A table has no stacks, but tells where most goroutines are.
func TestTable(t *testing.T) {
	const rows = "     44362   100%   100%      44362   100%  runtime.gopark\n" +
		"         0     0%   100%       6888 15.53%  app/proxy.(*Hedge).Read.func1\n" +
		"         0     0%   100%      44260 99.77%  runtime.chansend\n" +
		"         0     0%   100%      37158 83.76%  app/proxy.(*Hedge).Revision.func1\n" +
		"         0     0%   100%      37158 83.76%  net/http.(*conn).serve\n"
	const head = "Type: goroutine\n      flat  flat%   sum%        cum   cum%\n"
	for _, text := range []string{head + rows, rows, "> " + strings.ReplaceAll(rows,
		"\n", "\n> ")} {
		_, err := Parse(strings.NewReader(text), "t")
		require.ErrorIs(t, err, ErrNoDump)
		assert.Contains(t, err.Error(), "go tool pprof -traces; most goroutines in it "+
			"are in runtime.chansend (44,260), proxy.(*Hedge).Revision.func1 (37,158), "+
			"proxy.(*Hedge).Read.func1 (6,888)")
	}
	for _, text := range []string{strings.ReplaceAll(rows, "gopark", "mallocgc"),
		strings.ReplaceAll(head+rows, "44362", "4.2s")} {
		_, err := Parse(strings.NewReader(text), "t")
		assert.NotContains(t, err.Error(), "most goroutines")
		assert.Contains(t, err.Error(), "-traces")
	}
	_, err := Parse(strings.NewReader("10 20% 30% 40 50% of it\n1 2% 3 % 4%\n"), "t")
	assert.Contains(t, err.Error(), "no goroutine in it")
}
