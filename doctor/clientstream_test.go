package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClientStreams(t *testing.T) {
	dump := func(streams, readers, minutes int, function string) *Report {
		var b strings.Builder
		b.WriteString(mainGoroutine)
		for i := range streams {
			fmt.Fprintf(&b, "goroutine %d [select, %d minutes]:\n"+
				"google.golang.org/grpc.%s(0xc33a48%04x, 0xc000126500)\n"+
				"\t/src/stream.go:324 +0xd7\n"+
				"created by google.golang.org/grpc.newClientStream\n"+
				"\t/src/stream.go:323 +0x8c3\n\n", 100+i, minutes+i, function, 8*i)
		}
		for i := range readers {
			fmt.Fprintf(&b, "goroutine %d [select, %d minutes]:\n"+
				"google.golang.org/grpc/internal/transport.(*recvBuffer).read(0x1)\n"+
				"\t/src/transport.go:171 +0x1\n"+
				"google.golang.org/grpc.(*clientStream).RecvMsg(0xc33a49%04x)\n"+
				"\t/src/stream.go:900 +0x1\napp.(*watcher).run(0xc00031%04x)\n"+
				"\t/src/watch.go:9 +0x1\ncreated by app.watch\n\t/src/watch.go:3 +0x1\n\n",
				5000+i, minutes+i, 8*i, 8*i)
		}
		return Diagnose(Rules{}, parseOne(t, b.String()))
	}
	for _, function := range []string{"newClientStream.func5", "NewClientStream.func1",
		"newClientStreamWithParams.func4"} {
		r := dump(30, 2, 300, function)
		require.Len(t, r.Findings, 1, function)
		assert.Equal(t, Warning, r.Findings[0].Severity)
		assert.Contains(t, r.Findings[0].Sentence, "gRPC stream")
	}
	const function = "newClientStream.func5"
	assert.Empty(t, dump(30, 30, 300, function).Findings, "each is read")
	assert.Empty(t, dump(30, 0, 0, function).Findings, "young ones")
	assert.Empty(t, dump(3, 0, 300, function).Findings, "a few")
}
