package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// withSymbols serves a profile with addresses and this symbol endpoint.
func withSymbols(t *testing.T, symbol http.HandlerFunc) string {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/debug/pprof/symbol":
			symbol(w, r)
		case "/debug/pprof/goroutine":
			io.WriteString(w, unnamed)
		default:
			http.NotFound(w, r)
		}
	})
}

// TestSymbolsUnasked: a name counts only for an address that was asked for.
func TestSymbolsUnasked(t *testing.T) {
	url := withSymbols(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "num_symbols: 1")
		fmt.Fprintln(w, "0x43e0c4 runtime.gopark")
		fmt.Fprintln(w, "0x40a1b0 evil.Function")
		fmt.Fprintln(w, "0x1 evil.Other")
	})
	got := diagnose(t, "-json", "-stacks", "-form", "1", url)
	require.Contains(t, got.stdout, "runtime.gopark")
	require.NotContains(t, got.stdout, "evil")
}

// TestSymbolsBounded: an endpoint that never stops is left after maxAnswer.
func TestSymbolsBounded(t *testing.T) {
	for name, line := range map[string]string{
		"lines":    "0x43e0c4 runtime.gopark\n",
		"one line": strings.Repeat("x", 1000),
		"unasked":  "0x99 f\n",
	} {
		t.Run(name, func(t *testing.T) {
			var sent atomic.Int64
			url := withSymbols(t, func(w http.ResponseWriter, r *http.Request) {
				for {
					n, err := io.WriteString(w, line)
					if sent.Add(int64(n)); err != nil {
						return
					}
				}
			})
			got := diagnose(t, "-form", "1", url)
			require.Equal(t, exitFindings, got.code, got.stderr)
			require.Contains(t, got.stdout, "have no names")
			require.Less(t, sent.Load(), int64(64<<20), "what the sockets hold")
		})
	}
}
