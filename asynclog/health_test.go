package asynclog

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx/chanxhttp"
)

func TestSupervisorShowsASinkThatHangsOverHttp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		w := New(h, Options{})
		health := chanxhttp.Health(w.Supervisor())
		status := func() int {
			rec := httptest.NewRecorder()
			health.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
			return rec.Code
		}
		synctest.Wait()
		require.Equal(t, http.StatusOK, status())
		_, _ = w.Write([]byte("x\n"))
		time.Sleep(11 * time.Second)
		require.Equal(t, http.StatusServiceUnavailable, status())
		close(h)
		synctest.Wait()
		require.Equal(t, http.StatusOK, status())
		require.NoError(t, w.Close())
	})
}
