package doctor

import "strings"

// entries are the calls through which work comes in from outside, and what
// it is then. The first from the outside that matches counts.
var entries = []struct {
	call  string // a symbol, or its end if it begins with a dot
	entry string
}{
	{"google.golang.org/grpc.(*Server).processUnaryRPC", "gRPC request"},
	{"google.golang.org/grpc.(*Server).processStreamingRPC", "gRPC request"},
	{"google.golang.org/grpc.(*Server).handleStream", "gRPC request"},
	{".ServeHTTP", "HTTP request"},
	{"github.com/valyala/fasthttp.(*Server).serveConn", "HTTP request"},
	{"net/rpc.(*service).call", "RPC request"},
	{"testing.tRunner", "test"},
	{"testing.(*B).runN", "test"},
	{"testing.(*F).Fuzz.func1.1", "test"},
	{"time.goFunc", "timer"},
	{"runtime.runfinq", "finalizer"},
	{"runtime.runFinalizers", "finalizer"},
	{"runtime.runCleanups", "finalizer"},
	{"runtime.doInit1", "package initialization"},
	{"runtime.doInit", "package initialization"},
	{"main.main", "main"},
}

// entryOf returns how the goroutines of s came in, or "".
func entryOf(s *Stack) string {
	for i := len(s.Frames) - 1; i >= 0; i-- {
		name := unvendored(s.Frames[i].Func)
		for _, e := range entries {
			if name == e.call || e.call[0] == '.' && strings.HasSuffix(name, e.call) {
				return e.entry
			}
		}
	}
	// A dump cut in depth or by a rewriting server may lack the handler but
	// still have its connection below the user's call.
	if s.has("net/http.(*conn).serve") && userCall(s) >= 0 {
		return "HTTP request"
	}
	return ""
}

func isRequest(entry string) bool {
	return strings.HasSuffix(entry, " request")
}

// userCall returns the index of the innermost call that is not the standard
// library's, or -1.
func userCall(s *Stack) int {
	for i := range s.Frames {
		if !isStd(s.Frames[i].Func) {
			return i
		}
	}
	return -1
}

// siteOf returns the call that stands for s: the user's, or the innermost
// that is neither the runtime's nor a lock's. Where a goroutine of the standard
// library waits for IO, it is the function that was started, such as
// net/http.(*persistConn).readLoop: all of them are in net.(*conn).Read.
func siteOf(s *Stack) Frame {
	if i := userCall(s); i >= 0 {
		return s.Frames[i]
	}
	if root := s.root(); root.Func != "" && operationOf(s) == IO {
		return root
	}
	for _, f := range s.Frames {
		if packageOf(f.Func) != "" && !waitsInside(f.Func) {
			return f
		}
	}
	// The paste begins or ends within the calls that wait.
	for i := len(s.Frames) - 1; i > 0; i-- {
		if packageOf(s.Frames[i].Func) == "sync" {
			return s.Frames[i]
		}
	}
	if len(s.Frames) > 0 {
		return s.Frames[0]
	}
	return Frame{}
}

// lastUser returns the index of the outermost call that is not the standard
// library's.
func lastUser(s *Stack) int {
	for i := len(s.Frames) - 1; i >= 0; i-- {
		if !isStd(s.Frames[i].Func) {
			return i
		}
	}
	return len(s.Frames)
}
