package main

import (
	"bytes"
	"context"
	"runtime/pprof"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// park is where the goroutines of the test below block.
func park(send, receive chan int, i int) {
	switch i % 3 {
	case 0:
		send <- i // the line
	case 1:
		<-receive
	case 2:
		select {
		case send <- i:
		case <-receive:
		}
	}
}

// TestProfileAll blocks nine goroutines under one label and three under
// another, and finds only the plain sends blocked in a send, each where it is.
func TestProfileAll(t *testing.T) {
	send, receive := make(chan int), make(chan int)
	start := func(label string, n int) {
		pprof.Do(context.Background(), pprof.Labels(labelKey, label),
			func(context.Context) {
				for i := range n {
					go park(send, receive, i)
				}
			})
	}
	start("a", 9)
	start("b 127.0.0.1:1", 3)
	parked := func() bool {
		all, err := profileAll()
		require.NoError(t, err)
		a, b := all["a"], all["b 127.0.0.1:1"]
		return a.Blocked == 3 && a.Now == 9 && b.Blocked == 1 && b.Now == 3
	}
	eventually(t, "all are parked", parked)
	all, err := profileAll()
	require.NoError(t, err)
	for _, label := range []string{"a", "b 127.0.0.1:1"} {
		g := all[label]
		assert.Regexp(t, `\.park$`, g.In)
		assert.Equal(t, "incident/profile_test.go:"+strconv.Itoa(g.line), g.At)
		assert.Equal(t, "send <- i // the line", sourceLine(g.path, g.line))
	}
	close(receive)
	for range 4 {
		recv(t, "a send", send)
	}
	eventually(t, "all have ended", func() bool {
		all, err := profileAll()
		require.NoError(t, err)
		return len(all) == 0
	})
}

func TestSumUp(t *testing.T) {
	const labels = "# labels: {\"server\":\"x\"}\n"
	for name, c := range map[string]struct {
		text string
		want map[string]goroutines
		err  bool
	}{
		"empty":      {"", map[string]goroutines{}, false},
		"no label":   {"goroutine profile: total 3\n3 @ 0x1\n#\t0x1\tf\n", map[string]goroutines{}, false},
		"more label": {"2 @ 0x1\n# labels: {\"a\":\"b\"}\n", map[string]goroutines{}, false},
		"two stacks": {"2 @ 0x1 0x2\n" + labels + "\n3 @ 0x3\n" + labels,
			map[string]goroutines{"x": {Now: 5}}, false},
		"no stack":  {"2 @\n" + labels, map[string]goroutines{"x": {Now: 2}}, false},
		"no number": {"two @ 0x1\n" + labels, nil, true},
		"no pc":     {"2 @ main\n" + labels, nil, true},
	} {
		got, err := sumUp(bytes.NewBufferString(c.text))
		assert.Equal(t, c.err, err != nil, name)
		assert.Equal(t, c.want, got, name)
	}
}
