package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The folded stacks of a goroutine profile are read; those of another are not.
func TestFolded(t *testing.T) {
	const put = "runtime.goexit;app.(*Queue).Put;runtime.chansend;runtime.gopark 7978\n"
	for _, text := range []string{put, "app;" + put, "The graph:\n\n```\n" + put + "```\n"} {
		p := parseOne(t, text)
		require.Len(t, p.Stacks, 1, text)
		assert.Equal(t, 7978, p.Goroutines)
		assert.Equal(t, "runtime.gopark", p.Stacks[0].Frames[0].Func)
		assert.Equal(t, ChanSend, operationOf(p.Stacks[0]))
		assert.Equal(t, "app.(*Queue).Put", siteOf(p.Stacks[0]).Func)
	}
	p := parseOne(t, put+"main.main;runtime/pprof.writeGoroutine 1\n")
	assert.Equal(t, 7978, p.Goroutines)
	assert.Equal(t, 1, p.Unreadable)
	for _, text := range []string{"main.main;main.f;sync.(*Mutex).Lock 9\n",
		"main.main;main.f 9\n" + put} {
		_, err := Parse(strings.NewReader(text), "t")
		require.ErrorIs(t, err, ErrNoDump, text)
		assert.Contains(t, err.Error(), "flame graph")
	}
	for _, text := range []string{"a;b 7\n", "x = 1; y = 2; z 3\n", "a.b; c.d 7\n"} {
		_, err := Parse(strings.NewReader(text), "t")
		assert.Contains(t, err.Error(), "no goroutine in it", text)
	}
}
