package producers

import (
	"fmt"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"

	"example.com/chanx/asynclog"
)

// gin: the access log is on the path of every request, as it was in the
// incident.
func Example_gin() {
	w := asynclog.New(os.Stdout, asynclog.Options{})
	defer w.Close()

	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Use(gin.LoggerWithConfig(gin.LoggerConfig{Output: w, Formatter: short}))
	engine.GET("/ping", func(c *gin.Context) { c.String(200, "pong") })
	engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/ping", nil))
	// Output: 200 GET /ping
}

func short(p gin.LogFormatterParams) string {
	return fmt.Sprintln(p.StatusCode, p.Method, p.Path)
}

func TestGin(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	flood(t, func(w *asynclog.Writer) func(string) {
		engine := gin.New()
		engine.Use(gin.LoggerWithWriter(w))
		engine.GET("/:n", func(c *gin.Context) { c.String(200, "pong") })
		return func(msg string) {
			rec := httptest.NewRecorder()
			engine.ServeHTTP(rec, httptest.NewRequest("GET", "/"+msg, nil))
			assert.Equal(t, "pong", rec.Body.String(), "though the log hangs")
		}
	})
}
