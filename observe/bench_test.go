package observe

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/chanx"
)

// BenchmarkLook is a look at 10 rings, and at 10,000 workers that have failed.
func BenchmarkLook(b *testing.B) {
	rings := New()
	for i := range 10 {
		rings.Ring(fmt.Sprint(i), chanx.NewRing[int](1))
	}
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	for i := range 10_000 {
		err := s.Add(fmt.Sprint(i), func(context.Context) error {
			panic("at the first")
		}, chanx.RestartPolicy{Restart: chanx.RestartNever})
		assert.NoError(b, err)
	}
	_ = s.Run(context.Background())
	workers := New()
	workers.Supervisor("s", s)
	for name, o := range map[string]*Observer{"rings=10": rings, "workers=10000": workers} {
		b.Run("snapshot/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o.Snapshot()
			}
		})
		for _, format := range []string{"html", "json"} {
			b.Run(format+"/"+name, func(b *testing.B) {
				r := httptest.NewRequest(http.MethodGet, "/?format="+format, nil)
				var bytes int
				for b.Loop() {
					w := httptest.NewRecorder()
					o.ServeHTTP(w, r)
					bytes = w.Body.Len()
				}
				b.ReportMetric(float64(bytes), "bytes")
			})
		}
	}
}
