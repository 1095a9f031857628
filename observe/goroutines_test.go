package observe

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/chanx"
)

// A sample that takes long holds up no page, is shared by all who wait for it,
// and is shown by the next page.
func TestSlowSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New()
		o.Ring("r", chanx.NewRing[int](1))
		var samples atomic.Int64
		o.goroutines.doctor = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			samples.Add(1)
			time.Sleep(5 * time.Second)
			_, _ = w.Write([]byte(`{"targets":[],"goroutines":7,"judged":7,` +
				`"findings":[{"severity":"critical","sentence":"7 are stuck"}]}`))
		})
		page := func() (time.Duration, string) {
			start := time.Now()
			body := get(o, "/").Body.String()
			assert.Contains(t, body, "0/1")
			return time.Since(start), body
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				took, body := page()
				assert.Equal(t, 2*time.Second, took)
				assert.Contains(t, body, "the goroutines are not sampled yet: reload")
			})
		}
		wg.Wait()
		assert.EqualValues(t, 1, samples.Load())
		time.Sleep(2 * time.Second)
		took, body := page()
		assert.Equal(t, time.Second, took)
		assert.Contains(t, body, "7 are stuck")
		assert.NotContains(t, body, "sampled yet")
		for range 2 {
			took, body = page()
			assert.Equal(t, 2*time.Second, took)
			assert.Contains(t, body, "7 are stuck")
			assert.Equal(t, 1, strings.Count(body, "those of an earlier sample"))
		}
		assert.EqualValues(t, 2, samples.Load())

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		start := time.Now()
		o.ServeHTTP(httptest.NewRecorder(),
			httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx))
		assert.Zero(t, time.Since(start), "the client has gone")
		time.Sleep(time.Minute)

		start = time.Now()
		body = get(o, "/?format=json").Body.String()
		assert.Equal(t, 5*time.Second, time.Since(start), "a program waits")
		assert.Contains(t, body, "7 are stuck")
	})
}
