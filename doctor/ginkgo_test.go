package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGinkgoProgressReport(t *testing.T) {
	const report = `Automatically polling progress:
  drains the queue (Spec Runtime: 2m30.1s)
    /src/app/queue_test.go:20
    In [It] (Node Runtime: 2m30s)
      /src/app/queue_test.go:20

      Spec Goroutine
      goroutine 54 [semacquire, 2 minutes]
        sync.runtime_Semacquire(0xc0000a6018)
          /usr/local/go/src/runtime/sema.go:62
        sync.(*WaitGroup).Wait(0xc0000a6010)
          /usr/local/go/src/sync/waitgroup.go:116
      > example.com/app.(*Queue).Close(0xc0000a6000)
          /src/app/queue.go:88
            | close(q.done)
            > q.wg.Wait()
            | return nil
        github.com/onsi/ginkgo/v2/internal.(*Suite).runNode.func3()
          /go/pkg/mod/github.com/onsi/ginkgo/v2@v2.9.1/internal/suite.go:863
        github.com/onsi/ginkgo/v2/internal.(*Suite).runNode
          /go/pkg/mod/github.com/onsi/ginkgo/v2@v2.9.1/internal/suite.go:850

      Goroutines of Interest
      goroutine 61 [chan send, 2 minutes]
      > example.com/app.(*Queue).run(0xc0000a6000, {0x4b1d20, 0xc00001c0a8})
          /src/app/queue.go:61
            | for v := range q.in {
            > 	q.out <- v
            | }
      > example.com/app.New in goroutine 54
          /src/app/queue.go:40
            | q := &Queue{}
            > go q.run()
            | return q
  ------------------------------
`
	for name, text := range map[string]string{
		"": report,
		"log": "2024-02-16T20:10:11.12Z   " + strings.ReplaceAll(strings.TrimSpace(report), "\n",
			"\n2024-02-16T20:10:12.43Z   ") + "\n",
	} {
		p := parseOne(t, text)
		assert.Equal(t, 2, p.Goroutines, name)
		assert.Zero(t, p.Unreadable, "%s %v", name, p.Troubles)
		require.Len(t, p.Stacks, 2, name)
		assert.Len(t, p.Stacks[0].Frames, 4, name)
		assert.Equal(t, "github.com/onsi/ginkgo/v2/internal.(*Suite).runNode",
			p.Stacks[0].CreatedBy.Func, name)
		assert.Len(t, p.Stacks[1].Frames, 1, name)
		assert.Equal(t, "example.com/app.New", p.Stacks[1].CreatedBy.Func, name)
		assert.Equal(t, uint64(54), p.Stacks[1].members.member(0).Parent, name)
		r := Diagnose(Rules{}, p)
		assert.Contains(t, r.Root, "goroutine 54", name)
	}
}
