package main

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTLS: errors about http, https and certificates name the remedy.
func TestTLS(t *testing.T) {
	quiet := httptest.NewUnstartedServer(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/debug/pprof/goroutine" {
				http.NotFound(w, r)
				return
			}
			io.WriteString(w, requests(12))
		}))
	quiet.Config.ErrorLog = nolog
	quiet.StartTLS()
	defer quiet.Close()
	url := quiet.URL
	authority := write(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{
		Type: "CERTIFICATE", Bytes: quiet.Certificate().Raw})))

	got := diagnose(t, strings.TrimPrefix(url, "https://"))
	require.Equal(t, exitTrouble, got.code)
	require.Contains(t, got.stderr, "speaks TLS: give https://")

	got = diagnose(t, url)
	require.Equal(t, exitTrouble, got.code)
	require.Contains(t, got.stderr, "-cacert FILE, or -insecure")
	require.Contains(t, got.stderr, "not trusted")

	for _, args := range [][]string{{"-insecure"}, {"-cacert", authority}} {
		got = diagnose(t, append(args, url)...)
		require.Equal(t, exitFindings, got.code, got.stderr)
	}
	wrong := strings.Replace(url, "127.0.0.1", "localhost", 1)
	require.Contains(t, diagnose(t, "-cacert", authority, wrong).stderr,
		"not localhost: give that name, or -insecure")

	plain := strings.Replace(text(t, requests(12)), "http://", "https://", 1)
	require.Contains(t, diagnose(t, plain).stderr, "speaks no TLS: give http://")

	require.Contains(t, diagnose(t, "-cacert", "/no/such", url).stderr,
		"-cacert /no/such: no such file")
	require.Contains(t, diagnose(t, "-cacert", write(t, "x.pem", "x"), url).stderr,
		"no certificate in PEM form")
}

// TestTLSAlert: other servers close with an alert or with a page of their own.
func TestTLSAlert(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			io.WriteString(conn, "\x15\x03\x01\x00\x02\x02\x0a")
			conn.Close()
		}
	})
	require.Contains(t, diagnose(t, url).stderr, "speaks TLS: give https://")
	url = serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, "The plain HTTP request was sent to HTTPS port\n")
	})
	require.Contains(t, diagnose(t, url).stderr, "speaks TLS: give https://")
}
