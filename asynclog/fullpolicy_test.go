package asynclog

import (
	"encoding/json"
	"flag"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFullPolicyText(t *testing.T) {
	for p, text := range map[FullPolicy]string{
		DropOldest: "drop-oldest", DropNewest: "drop-newest", Wait: "wait",
	} {
		require.Equal(t, text, p.String())
		b, err := p.MarshalText()
		require.NoError(t, err)
		require.Equal(t, text, string(b))
		q := FullPolicy(7)
		require.NoError(t, q.UnmarshalText(b))
		require.Equal(t, p, q)
	}
}

func TestFullPolicyUnknown(t *testing.T) {
	for _, p := range []FullPolicy{-1, 3} {
		_, err := p.MarshalText()
		require.ErrorContains(t, err, p.String())
	}
	require.Equal(t, "FullPolicy(3)", FullPolicy(3).String())
	for _, text := range []string{"", "Wait", "block", "FullPolicy(3)"} {
		p := DropNewest
		require.ErrorContains(t, p.UnmarshalText([]byte(text)), "drop-oldest")
		require.Equal(t, DropNewest, p)
	}
}

func TestFullPolicyFromAConfiguration(t *testing.T) {
	var c struct {
		Full FullPolicy `json:"full"`
	}
	require.NoError(t, json.Unmarshal([]byte(`{"full":"drop-newest"}`), &c))
	require.Equal(t, DropNewest, c.Full)
	require.Error(t, json.Unmarshal([]byte(`{"full":"never"}`), &c))

	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.TextVar(&c.Full, "full", DropOldest, "")
	require.NoError(t, flags.Parse([]string{"-full", "wait"}))
	require.Equal(t, Wait, c.Full)
}
