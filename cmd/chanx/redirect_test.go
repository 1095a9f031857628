package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRedirects: only within the scheme, host and port of the target. Another
// one is said, and gets neither a request nor a header.
func TestRedirects(t *testing.T) {
	var strangers atomic.Int32
	stranger := func(w http.ResponseWriter, r *http.Request) {
		strangers.Add(1)
		io.WriteString(w, requests(12))
	}
	other := serve(t, stranger)
	secure := httptest.NewTLSServer(http.HandlerFunc(stranger))
	defer secure.Close()
	for name, to := range map[string]string{
		"another port":   other + "/debug/pprof/goroutine",
		"another scheme": secure.URL,
		"another name":   strings.Replace(other, "127.0.0.1", "localhost", 1),
		"another user":   strings.Replace(other, "http://", "http://eve:pw@", 1),
		"no scheme":      strings.TrimPrefix(other, "http:"),
		"not http":       "file:///etc/passwd",
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				require.Equal(t, "s.xyz", r.Header.Get("X-Vault-Token"))
				http.Redirect(w, r, to, http.StatusTemporaryRedirect)
			})
			got := diagnose(t, "-insecure", "-header", "X-Vault-Token: s.xyz",
				"-header", "Authorization: Bearer x", url)
			require.Equal(t, exitTrouble, got.code)
			require.Contains(t, got.stderr, "redirects to ")
			require.NotContains(t, got.stderr, "pw")
			require.Zero(t, strangers.Load())
		})
	}
	circles := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path, http.StatusFound)
	})
	require.Contains(t, diagnose(t, circles).stderr, "in circles")
}

// TestSymbolRedirect: the symbol endpoint is asked with the same headers, and
// so under the same rule.
func TestSymbolRedirect(t *testing.T) {
	var leaked atomic.Bool
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		leaked.Store(true)
	})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/debug/pprof/symbol":
			http.Redirect(w, r, other, http.StatusFound)
		case "/debug/pprof/goroutine":
			io.WriteString(w, unnamed)
		default:
			http.NotFound(w, r)
		}
	})
	got := diagnose(t, "-form", "1", "-header", "X-Token: s", url)
	require.Contains(t, got.stdout, "redirects to")
	require.False(t, leaked.Load())
}

// unnamed is a profile with addresses that have no names.
const unnamed = "goroutine profile: total 20\n20 @ 0x43e0c5 0x40a1b2\n" +
	"#\t0x40a1b1\texample.com/app.Run+0x55\t/src/app.go:7\n\n"
