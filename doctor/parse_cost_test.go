package doctor

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// filled repeats what f writes until the text has n bytes.
func filled(n int, f func(b *strings.Builder, i int)) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		f(&b, i)
	}
	return b.String()
}

// expensive are texts made to be expensive. Each was, or could have been.
var expensive = map[string]func(n int) string{
	"one header again and again": func(n int) string {
		return filled(n, func(b *strings.Builder, _ int) {
			b.WriteString("goroutine 1 [running]:\n")
		})
	},
	"one header in different states": func(n int) string {
		return filled(n, func(b *strings.Builder, i int) {
			fmt.Fprintf(b, "goroutine 1 [a%d]:\n", i)
		})
	},
	"a crash again and again": func(n int) string {
		return filled(n, func(b *strings.Builder, i int) {
			fmt.Fprintf(b, "panic: %d\n\ngoroutine 1 [a%d]:\n", i, i)
		})
	},
	"a small dump after a large one, again and again": func(n int) string {
		return filled(n/2, func(b *strings.Builder, i int) {
			fmt.Fprintf(b, "goroutine %d [select]:\n", i+1)
		}) + filled(n/2, func(b *strings.Builder, i int) {
			fmt.Fprintf(b, "\nsee:\n\ngoroutine %d [select]:\n", i%7+1)
		})
	},
	"profiles without goroutines": func(n int) string {
		return filled(n, func(b *strings.Builder, _ int) {
			b.WriteString("goroutine profile: total 1\n")
		})
	},
	"profiles of one": func(n int) string {
		return filled(n, func(b *strings.Builder, i int) {
			fmt.Fprintf(b, "goroutine profile: total 1\n1 @ 0x%x\n\n", i+1)
		})
	},
	"headers alone": func(n int) string {
		return filled(n, func(b *strings.Builder, i int) {
			fmt.Fprintf(b, "goroutine %d [select]:\n", i+1)
		})
	},
	"a state each": func(n int) string {
		return filled(n, func(b *strings.Builder, i int) {
			fmt.Fprintf(b, "goroutine %d [s%d]:\n", i+1, i)
		})
	},
	"labels of every kind": func(n int) string {
		return filled(n, func(b *strings.Builder, i int) {
			b.WriteString("goroutine 7 [select labels:{")
			for j := range 200 {
				fmt.Fprintf(b, `"k%d": "v%d", `, i, j)
			}
			b.WriteString("}]:\n")
		})
	},
	"labels of a profile": func(n int) string {
		return "goroutine profile: total 9\n" +
			filled(n, func(b *strings.Builder, i int) {
				b.WriteString("1 @ 0x1\n# labels: {" +
					strings.Repeat(`"k":"v", `, 5000) + "}\n")
			})
	},
	"headers in a line": func(n int) string {
		return strings.Repeat("goroutine 1 [x]: ", n/17) + "\n"
	},
	"headers without an end in a line": func(n int) string {
		return strings.Repeat("goroutine 1 [", n/13) + "\n"
	},
	"escaped headers in a line": func(n int) string {
		return strings.Repeat(`goroutine 1 [x]:\n`, n/18) + "\n"
	},
	"escapes within escapes": func(n int) string {
		return strings.Repeat(`goroutine 1 [x]:\\\\\\\\n`, n/24) + "\n"
	},
	"long prefixes": func(n int) string {
		return filled(n, func(b *strings.Builder, i int) {
			p := strings.Repeat("- ", 500)
			fmt.Fprintf(b, "%sgoroutine %d [x]:\n%sx\n%sx\n", p, i, p[2:], p[4:])
		})
	},
	"tags without an end": func(n int) string {
		return strings.Repeat("<a ", n/3) + "\n"
	},
	"links without an end": func(n int) string {
		return strings.Repeat("](http", n/6) + "\n"
	},
	"calls without an end": func(n int) string {
		return "goroutine 7 [x]:\n" + filled(n, func(b *strings.Builder, _ int) {
			b.WriteString("main.f(" + strings.Repeat("0x1, ", 700) + "\n")
		})
	},
	"calls on one line": func(n int) string {
		return filled(n, func(b *strings.Builder, i int) {
			fmt.Fprintf(b, "goroutine %d [x]: ", i+1)
			for range 1000 {
				b.WriteString("main.f(0x1) /a.go:1 +0x1 ")
			}
			b.WriteByte('\n')
		})
	},
	"nested JSON": func(n int) string {
		return filled(n, func(b *strings.Builder, _ int) {
			b.WriteString(strings.Repeat(`[[{"a":`, 1000) + "\n")
		})
	},
	"JSON that is none": func(n int) string {
		return filled(n, func(b *strings.Builder, _ int) {
			b.WriteString(strings.Repeat(`{"a":1}`, 1000) + `{"a":x` + "\n")
		})
	},
	"pieces without an end": func(n int) string {
		return filled(n, func(b *strings.Builder, _ int) {
			b.WriteString("2026-11-24T00:00:01.123Z stderr P " + "{\"msg\":\"x\n")
		})
	},
	"traces of one call": func(n int) string {
		return filled(n, func(b *strings.Builder, i int) {
			fmt.Fprintf(b, "-----------+-----\n 1 main.f%d\n", i)
		})
	},
	"groups of many": func(n int) string {
		return filled(n, func(b *strings.Builder, i int) {
			fmt.Fprintf(b, "99999: running\n    main a.go:%d f()\n\n", i)
		})
	},
}

// What the parser keeps of an input, and what it allocates on the way, is
// linear in it whatever it is: at most maxKept bytes for each of its bytes and
// maxAllocated, besides a megabyte.
func TestParseHostile(t *testing.T) {
	const size, maxKept, maxAllocated, fixed = 1 << 20, 16, 64, 8 << 20
	for name, text := range expensive {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{size, 4 * size} {
				text := text(n)
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				all, _ := Parse(strings.NewReader(text), "hostile")
				runtime.ReadMemStats(&after)
				allocated := after.TotalAlloc - before.TotalAlloc
				runtime.GC()
				runtime.ReadMemStats(&after)
				kept := int64(after.HeapAlloc) - int64(before.HeapAlloc)
				assert.Less(t, allocated, uint64(fixed+maxAllocated*len(text)),
					"allocated, of %d", len(text))
				assert.Less(t, kept, int64(fixed+maxKept*len(text)), "kept, of %d",
					len(text))
				assert.LessOrEqual(t, len(all), maxSnapshots)
				t.Logf("%d kB: %.1f allocated, %.1f kept", len(text)>>10,
					float64(allocated)/float64(len(text)), float64(kept)/float64(len(text)))
				runtime.KeepAlive(all)
				runtime.KeepAlive(text)
			}
		})
	}
}
