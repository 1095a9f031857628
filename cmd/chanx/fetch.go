package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"example.com/chanx/doctor"
)

// fetcher gets profiles from servers, any number of them at once.
type fetcher struct {
	client   *http.Client
	timeout  time.Duration // a server may be silent for so long
	header   http.Header
	progress *progress
	reading  chan struct{} // has room for the answers to read at once
	shared   *sharing      // of all targets, or nil
}

// newFetcher returns a fetcher that shares no connections, because close must
// end them and no others.
func newFetcher(o *options, p *progress) (*fetcher, error) {
	config, err := o.tls()
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 1 << 20
	// Each server of a fleet is asked a few times in a row and then not again.
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = askAtOnce, 1
	transport.TLSClientConfig = config
	transport.DialContext = o.dialer().DialContext
	transport.TLSHandshakeTimeout = o.timeout
	client := &http.Client{Transport: transport, CheckRedirect: sameOrigin}
	return &fetcher{client, o.timeout, o.header, p,
		make(chan struct{}, readAtOnce), newSharing()}, nil
}

// dialer returns a dialer bounded by -timeout. That of net/http gives up after
// 30 s, even if this program could not run for that long on a loaded machine:
// servers that had accepted the connection then counted as down.
func (o *options) dialer() *net.Dialer {
	return &net.Dialer{Timeout: o.timeout, KeepAlive: 30 * time.Second}
}

// tls returns how to verify https servers, and to be verified by them.
func (o *options) tls() (*tls.Config, error) {
	config := &tls.Config{InsecureSkipVerify: o.insecure}
	if o.caCert != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		pem, err := os.ReadFile(o.caCert)
		if err != nil {
			return nil, fmt.Errorf("-cacert %s: %w", o.caCert, errors.Unwrap(err))
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("-cacert %s: no certificate in PEM form in it",
				o.caCert)
		}
		config.RootCAs = pool
	}
	if o.cert != "" {
		pair, err := tls.LoadX509KeyPair(o.cert, cmp.Or(o.key, o.cert))
		if err != nil {
			return nil, fmt.Errorf("-cert, -key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// through returns a fetcher that reaches its one server at a Unix socket.
func (f *fetcher) through(socket string) *fetcher {
	transport := f.client.Transport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn,
		error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	own := *f
	own.client = &http.Client{Transport: transport, CheckRedirect: sameOrigin}
	return &own
}

func (f *fetcher) close() { f.client.CloseIdleConnections() }

// sameOrigin follows redirects within the scheme, host and port of the target
// only. The user named no other host, and none must get the credentials:
// net/http drops Authorization for another domain, but not the other headers,
// and none of them for a subdomain.
func sameOrigin(req *http.Request, via []*http.Request) error {
	first, next := via[0].URL, req.URL
	if origin(first) != origin(next) {
		to := origin(next) + next.EscapedPath()
		return redirectError{to[:min(len(to), 200)]}
	}
	if len(via) >= 10 {
		return errors.New("redirects in circles")
	}
	return nil
}

// redirectError is a redirect that is not followed.
type redirectError struct{ to string }

func (e redirectError) Error() string {
	return fmt.Sprintf("redirects to %s, which was not named: not followed, give "+
		"that URL if you trust it with your headers", e.to)
}

// origin is the scheme, host and port of u.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// The causes for which a request is given up.
var (
	errSilent = errors.New("silent for too long")
	errSlow   = errors.New("slow for too long")
)

// statusError is an answer other than 200, with the reason the server gives.
type statusError struct {
	code int
	says string
}

func (e statusError) Error() string {
	text := fmt.Sprintf("answered %d %s", e.code, http.StatusText(e.code))
	switch e.code {
	case http.StatusNotFound:
		return text + `: import _ "net/http/pprof" in the program, or give the ` +
			"URL of the profile itself"
	case http.StatusUnauthorized, http.StatusForbidden:
		text += ": give -header 'Authorization: …' or http://USER:PASSWORD@HOST"
	case http.StatusBadRequest:
		if says := strings.ToLower(e.says); strings.Contains(says, "https") &&
			strings.Contains(says, "http request") {
			return text + ": the server speaks TLS: give https://"
		}
	}
	if e.says != "" {
		text += ": " + e.says
	}
	return text
}

// statusOf reads the reason from the first line of a text or from the message
// of an API server, cut to 300 bytes.
func statusOf(resp *http.Response) statusError {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	var status struct{ Message string }
	says := ""
	switch kind := resp.Header.Get("Content-Type"); {
	case json.Unmarshal(text, &status) == nil:
		says = status.Message
	case kind == "" || strings.HasPrefix(kind, "text/plain"):
		says, _, _ = strings.Cut(strings.TrimSpace(string(text)), "\n")
	}
	return statusError{resp.StatusCode, says[:min(len(says), 300)]}
}

// do sends one request and passes the body to read. The timeout bounds silence,
// not the whole: a large dump over a slow line is legitimate. The whole is
// bounded by ten times the timeout, so that a server that sends a byte at a time
// cannot hold the program forever. The wait for the others that are being read
// does not count.
func (f *fetcher) do(ctx context.Context, url string,
	read func(io.Reader) error) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	timer := time.AfterFunc(f.timeout, func() { end(errSilent) })
	defer timer.Stop()
	started := time.Now()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	for name, values := range f.header {
		req.Header[name] = values
	}
	if host := f.header.Get("Host"); host != "" {
		req.Host = host
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return f.why(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return statusOf(resp)
	}
	left := 10*f.timeout - time.Since(started)
	timer.Stop()
	select {
	case f.reading <- struct{}{}:
		defer func() { <-f.reading }()
	case <-ctx.Done():
		return f.why(ctx, ctx.Err())
	}
	whole := time.AfterFunc(left, func() { end(errSlow) })
	defer whole.Stop()
	return read(f.progress.reader(explained{&bounded{
		awake{resp.Body, timer, f.timeout}, maxBody}, f, ctx}))
}

// maxBody bounds the answer of a server. One with net/http/pprof cuts a dump at
// 64 MB; a profile has an entry for each distinct stack.
const maxBody = 256 << 20

// bounded fails, rather than end, after so many bytes: the dump is cut short.
type bounded struct {
	io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("sends more than %d MB: save it and give the file",
			maxBody>>20)
	}
	n, err := b.Reader.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// awake lets the timer run only while it waits for data: the time that the
// reader takes for the data it has is not the server's silence.
type awake struct {
	io.Reader
	timer   *time.Timer
	timeout time.Duration
}

func (a awake) Read(b []byte) (int, error) {
	a.timer.Reset(a.timeout)
	defer a.timer.Stop()
	return a.Reader.Read(b)
}

// explained turns the errors of a body into ones that say what happened: the
// reader of the body may keep a part of a dump, along with the error.
type explained struct {
	io.Reader
	f   *fetcher
	ctx context.Context
}

func (e explained) Read(b []byte) (int, error) {
	n, err := e.Reader.Read(b)
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case errors.Is(context.Cause(e.ctx), errSilent):
		return n, unanswered{fmt.Errorf("stopped in the middle of its answer, and "+
			"was silent for %v", e.f.timeout)}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, errors.New("closed the connection in the middle of its answer")
	}
	return n, e.f.why(e.ctx, err)
}

// why turns an error of net/http into one that names the remedy.
func (f *fetcher) why(ctx context.Context, err error) error {
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	var other x509.HostnameError
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errSilent):
		return unanswered{fmt.Errorf("did not answer within %v", f.timeout)}
	case errors.Is(context.Cause(ctx), errSlow),
		errors.Is(ctx.Err(), context.DeadlineExceeded):
		return unanswered{fmt.Errorf("was still sending after %v", 10*f.timeout)}
	case errors.Is(ctx.Err(), context.Canceled):
		return errInterrupted
	case errors.Is(err, syscall.EMFILE):
		return errors.New("too many open files here: raise the limit with ulimit -n")
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return fmt.Errorf("the proxy cannot be reached: %w: see HTTP_PROXY, "+
			"HTTPS_PROXY and NO_PROXY", op.Err)
	case errors.As(err, &op) && op.Op == "dial":
		return unanswered{fmt.Errorf("cannot be reached: %w", op.Err)}
	case errors.As(err, &certificate) && errors.As(certificate.Err, &other):
		return fmt.Errorf("its certificate is of another name: %w: give that name, "+
			"or -insecure", other)
	case errors.As(err, &certificate):
		return fmt.Errorf("its certificate is not trusted: %w: give the "+
			"authority's with -cacert FILE, or -insecure", certificate.Err)
	}
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // the target is named already
	}
	return protocolError(err)
}

// protocolError adds the remedy to the error of a server that answered, but not
// over HTTP as it should have.
func protocolError(err error) error {
	var op *net.OpError
	switch text := err.Error(); {
	case errors.As(err, &op) && op.Op == "remote error" &&
		strings.Contains(text, "certificate"):
		return fmt.Errorf("%w: give yours with -cert FILE and -key FILE", err)
	case err == io.EOF:
		return errors.New("closed the connection without an answer: is it an " +
			"HTTP server?")
	case strings.Contains(text, "server gave HTTP response to HTTPS client"):
		return errors.New("speaks no TLS: give http://")
	case strings.Contains(text, `malformed HTTP response "\x15\x03`):
		return errors.New("speaks TLS: give https://")
	case strings.Contains(text, "malformed HTTP"):
		return errors.New("speaks no HTTP: is it a port for gRPC, or for gops?")
	}
	return err
}

// unanswered is the error of a server that is down or hangs, as opposed to one
// that refuses.
type unanswered struct{ error }

// get fetches and decodes one profile or report.
func (f *fetcher) get(ctx context.Context, u *url.URL,
	target string) (input, error) {
	var in input
	taken := time.Now()
	var bad error
	err := f.do(ctx, u.String(), func(body io.Reader) error {
		in, bad = readInput(body, target, &anchors{})
		f.shared.share(in.snaps) // before another answer is read
		return bad
	})
	for _, s := range in.snaps {
		if s.Taken.IsZero() {
			s.Taken = taken
		}
	}
	if silent := (unanswered{}); errors.As(err, &silent) {
		err = silent // and not at which line
	} else if bad != nil && errors.Is(err, bad) {
		return input{}, bad // has the target already
	}
	if err != nil {
		return input{}, fmt.Errorf("%s: %w", target, err)
	}
	return in, nil
}

// profile fetches a profile; a report is an error.
func (f *fetcher) profile(ctx context.Context, u *url.URL,
	target string) ([]*doctor.Snapshot, error) {
	in, err := f.get(ctx, u, target)
	if err == nil && len(in.snaps) == 0 {
		err = fmt.Errorf("%s: a report, not a profile", target)
	}
	return in.snaps, err
}
