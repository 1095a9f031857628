package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEntry(t *testing.T) {
	for calls, want := range map[string]string{
		"app.write gin.(*Engine).ServeHTTP net/http.(*conn).serve":   "HTTP request",
		"app.write net/http.(*conn).serve":                           "HTTP request",
		"net/http.(*conn).readRequest net/http.(*conn).serve":        "",
		"app.f google.golang.org/grpc.(*Server).processUnaryRPC":     "gRPC request",
		"app.f google.golang.org/grpc.(*Server).processStreamingRPC": "gRPC request",
		"app.f reflect.Value.Call net/rpc.(*service).call":           "RPC request",
		"app.f github.com/valyala/fasthttp.(*Server).serveConn":      "HTTP request",
		"app.f net/http.HandlerFunc.ServeHTTP testing.tRunner":       "test",
		"app.f time.goFunc":                       "timer",
		"app.f runtime.runFinalizers":             "finalizer",
		"app.init.0 runtime.doInit1 runtime.main": "package initialization",
		"app.f main.main runtime.main":            "main",
		"main.main":                               "main",
		"app.f app.(*S).ServeHTTPS":               "",
		"app.worker":                              "",
		"":                                        "",
		"app.f testing.(*B).runN testing.(*B).run1":  "test",
		"app.f net/http.(*ServeMux).ServeHTTP":       "HTTP request",
		"net/http.(*conn).serve.func1 net/http.open": "",
	} {
		assert.Equal(t, want, entryOf(standing(1, "", strings.Fields(calls)...)),
			calls)
	}
	assert.True(t, isRequest("gRPC request"))
	assert.False(t, isRequest("test"))
}

// The user's call stands for the goroutine; without any, the first that is
// more than waiting.
func TestSite(t *testing.T) {
	for calls, want := range map[string]string{
		"runtime.gopark sync.(*Mutex).Lock app.f app.g": "app.f",
		"runtime.gopark internal/poll.(*FD).Accept " +
			"net.(*netFD).accept net.(*TCPListener).Accept": "net.(*netFD).accept",
		"internal/poll.runtime_pollWait net.(*conn).Read " +
			"net/http.(*persistConn).readLoop runtime.goexit": "net/http.(*persistConn).readLoop",
		"internal/poll.runtime_pollWait net.(*conn).Read app.f app.g": "app.f",
		"runtime.gopark runtime.selectgo net/http.(*persistConn).writeLoop": "" +
			"net/http.(*persistConn).writeLoop",
		"runtime.gopark runtime.bgsweep":                           "runtime.gopark",
		"sync.runtime_Semacquire sync.(*Mutex).Lock sync.(*Map).f": "sync.(*Map).f",
		"": "",
	} {
		assert.Equal(t, want, siteOf(standing(1, "", strings.Fields(calls)...)).Func,
			calls)
	}
}
