package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The situations below are those of public reports about tools that fetch
// profiles; each test names its own.

// TestUnixSocket: moby/moby#37061 and docker/for-linux#499 ask for the dump of
// a daemon that listens on a Unix socket only.
func TestUnixSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "d.sock")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	server := &http.Server{Handler: pod(requests(12))}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	defer func() { server.Close(); <-done }()
	for _, args := range [][]string{{socket}, {"-for", "5ms",
		socket}} {
		got := diagnose(t, args...)
		require.Equal(t, exitFindings, got.code, got.stderr)
		require.Contains(t, got.stdout, "12 goroutines in "+socket)
	}
}

// TestIndexElsewhere: getarcaneapp/arcane#3562 mounts pprof.Index under
// another path, where it answers every profile with its page.
func TestIndexElsewhere(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/debug/pprof/", pprof.Index)
	url := serve(t, mux.ServeHTTP)
	for _, path := range []string{"/api", "/api/debug/pprof/",
		"/api/debug/pprof/goroutine"} {
		got := diagnose(t, url+path)
		require.Equal(t, exitTrouble, got.code, path)
		require.Contains(t, got.stderr, `mount pprof.Handler("goroutine")`, path)
	}
}

// authority makes an https server whose clients need a certificate, and the
// files that both sides need.
func authority(t *testing.T, h http.Handler) (url, ca, pair string) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = nolog
	s.StartTLS()
	t.Cleanup(s.Close)
	// The certificate of httptest signs itself, and serves as that of the
	// client, too.
	own := s.TLS.Certificates[0]
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	s.TLS.ClientCAs, s.TLS.ClientAuth = pool, tls.RequireAnyClientCert
	key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	require.NoError(t, err)
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: own.Certificate[0]}))
	return s.URL, write(t, "ca.pem", certificate), write(t, "pair.pem",
		certificate+string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY",
			Bytes: key})))
}

// TestClientCertificate: golang/go#20939, servers that ask for one.
func TestClientCertificate(t *testing.T) {
	url, ca, pair := authority(t, pod(requests(12)))
	got := diagnose(t, "-cacert", ca, url)
	require.Equal(t, exitTrouble, got.code)
	require.Contains(t, got.stderr, "give yours with -cert FILE and -key FILE")
	for _, args := range [][]string{{"-cert", pair}, {"-cert", pair, "-key", pair}} {
		got = diagnose(t, append(args, "-cacert", ca, url)...)
		require.Equal(t, exitFindings, got.code, got.stderr)
	}
	require.Contains(t, diagnose(t, "-cert", ca, url).stderr, "-cert, -key: ")
	require.Contains(t, diagnose(t, "-key", pair, url).stderr, "want -cert")
}

// TestInsecureSymbols: google/pprof#94, where the switch for certificates did
// not hold for the request for symbols.
func TestInsecureSymbols(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		switch r.URL.Path {
		case "/debug/pprof/symbol":
			io.WriteString(w, "num_symbols: 1\n0x43e0c4 runtime.gopark\n")
		case "/debug/pprof/goroutine":
			io.WriteString(w, unnamed)
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	got := diagnose(t, "-insecure", "-form", "1", "-json", "-stacks", s.URL)
	require.Contains(t, got.stdout, "runtime.gopark")
}

// TestRedirectInSteps: CVE-2024-45336, where a second redirect got the headers
// that the first one had lost.
func TestRedirectInSteps(t *testing.T) {
	reached := false
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		reached = true
	})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/again") {
			http.Redirect(w, r, other, http.StatusFound)
			return
		}
		http.Redirect(w, r, r.URL.Path+"/again", http.StatusFound)
	})
	got := diagnose(t, "-header", "X-Token: s", url)
	require.Contains(t, got.stderr, "not followed")
	require.False(t, reached)
}

// TestWriteTimeout: nats-io/nats-server#602, where the server cuts what takes
// it longer than two seconds to write: the short form is whole, and is taken.
func TestWriteTimeout(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/debug/pprof/goroutine":
			http.NotFound(w, r)
		case r.URL.Query().Get("debug") == "2":
			w.Header().Set("Content-Length", "1000000")
			io.WriteString(w, requests(3))
		default:
			io.WriteString(w, leakProfile(t, "goroutine", 30))
		}
	})
	got := diagnose(t, url)
	require.Contains(t, got.stdout, "30 goroutines in")
	require.NotContains(t, got.stdout, "cut short")
}

// TestOtherProtocols: google/gops#73 among others, an address at which there
// is something else: an agent that closes, a port for gRPC, one for Redis.
func TestOtherProtocols(t *testing.T) {
	for answer, says := range map[string]string{
		"":                                 "is it an HTTP server?",
		"\x00\x00\x06\x04\x00\x00\x00\x00": "speaks no HTTP",
		"-ERR unknown command\r\n":         "speaks no HTTP",
		"220 mail ESMTP\r\n":               "speaks no HTTP",
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				conn.Read(make([]byte, 1024))
				io.WriteString(conn, answer)
				conn.Close()
			}
		}()
		got := diagnose(t, l.Addr().String())
		require.Equal(t, exitTrouble, got.code)
		require.Contains(t, got.stderr, says, "%q", answer)
		l.Close()
		<-done
	}
}

// TestRefusalSaysWhy: chain/Core#1213, a refusal whose reason is in the body.
func TestRefusalSaysWhy(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `{"code":"CH011","message":"Request is unauthorized"}`)
	})
	got := diagnose(t, url)
	require.Contains(t, got.stderr, "give -header")
	require.Contains(t, got.stderr, "Request is unauthorized")
}

// TestFleetOfFormats: kube-burner/kube-burner#977, where the error of one pod
// was taken for its profile; the others count all the same.
func TestFleetOfFormats(t *testing.T) {
	missing := serve(t, http.NotFound)
	got := diagnose(t, "-json", text(t, requests(12)), missing)
	r := parse(t, got.stdout)
	require.Len(t, r.Instances, 1)
	require.Equal(t, 12, r.Goroutines)
	require.Equal(t, exitFindings, got.code)
}

// TestManyDescriptors: moby/moby#37061 once more, a server that accepts no
// connection any more: it is said within the timeout.
func TestManyDescriptors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	got := diagnose(t, "-timeout", "100ms", l.Addr().String())
	require.Equal(t, exitTrouble, got.code)
	require.Contains(t, got.stderr, "did not answer within 100ms")
}
