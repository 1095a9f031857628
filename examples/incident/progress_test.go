package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func samples() []sample {
	var all []sample
	for i := range 31 {
		s := sample{At: time.Duration(i) * 100 * time.Millisecond, Phase: i / 16}
		s.After.Answered = 1000 - 100*i // a line that becomes shorter
		s.Before.Now = i
		all = append(all, s)
	}
	return all
}

func TestProgressPlain(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out)
	assert.False(t, p.live)
	for _, s := range samples() {
		p.sample(s)
	}
	p.end()
	lines := strings.Split(out.String(), "\n")
	var got []string
	for _, l := range lines {
		got = append(got, strings.TrimSpace(l[:min(6, len(l))]))
	}
	// Every second, and at the beginning of a phase.
	assert.Equal(t, []string{"All is", "0.0s", "1.0s", "The lo", "1.6s", "2.6s", ""}, got)
	assert.Equal(t, "  1.0s  answered 0 | 0   timed out 0 | 0   goroutines 10 | 0", lines[2])
}

func TestProgressLineFits(t *testing.T) {
	most := reading{Answered: 6000, TimedOut: 6000}
	most.Now = 9999
	assert.LessOrEqual(t, len(line(sample{At: 99 * time.Second, Before: most, After: most})), 79)
}

// TestProgressLive plays the terminal: what stands in the line after each
// sample is that sample, with nothing left of a longer one.
func TestProgressLive(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out)
	p.live = true
	for _, s := range samples() {
		p.sample(s)
		lines := strings.Split(out.String(), "\n")
		shown := ""
		for _, text := range strings.Split(lines[len(lines)-1], "\r") {
			shown = text + shown[min(len(text), len(shown)):]
		}
		assert.Equal(t, line(s), strings.TrimRight(shown, " "))
	}
	p.end()
	p.end()
	assert.Equal(t, 4, strings.Count(out.String(), "\n"), "2 titles, 2 lines")
}

func TestTerminal(t *testing.T) {
	assert.False(t, terminal(io.Discard))
	f, err := os.Create(t.TempDir() + "/x")
	require.NoError(t, err)
	assert.False(t, terminal(f))
	require.NoError(t, f.Close())
	assert.False(t, terminal(f), "closed")
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer null.Close()
	t.Setenv("TERM", "dumb")
	assert.False(t, terminal(null))
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 950*time.Millisecond)
		defer cancel()
		n := 0
		take := func() (sample, error) { n++; return sample{At: time.Duration(n)}, nil }
		film, err := watch(ctx, 100*time.Millisecond, take, newProgress(io.Discard))
		assert.NoError(t, err)
		require.Len(t, film, 10)
		assert.EqualValues(t, 10, film[9].At)
	})
}

func TestWatchFails(t *testing.T) {
	broken := errors.New("broken")
	film, err := watch(t.Context(), time.Hour,
		func() (sample, error) { return sample{}, broken }, newProgress(io.Discard))
	assert.ErrorIs(t, err, broken)
	assert.Empty(t, film)
}
