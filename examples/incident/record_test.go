package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRecordLine(t *testing.T) {
	buf := bytes.NewBufferString("before\n")
	at := time.Date(2024, 2, 3, 15, 4, 5, 6000, time.UTC)
	record{at, "GET", "/v1/x?text=%0A", 1234 * time.Microsecond}.appendTo(buf)
	assert.Equal(t, "before\n2024-02-03T15:04:05.000006Z GET "+
		"/v1/x?text=%0A 1234us\n", buf.String())
}

// TestLoggedAfterTheAnswer pins down what made the outage one: the answer is
// complete when the log is called, and not yet sent.
func TestLoggedAfterTheAnswer(t *testing.T) {
	rec := httptest.NewRecorder()
	var got []record
	h := logged(http.HandlerFunc(healthCheck), func(r record) {
		assert.Equal(t, healthy, rec.Body.String())
		assert.False(t, rec.Flushed)
		got = append(got, r)
	})
	h.ServeHTTP(rec, httptest.NewRequest("GET", "http://x/v1/healthCheck?a=b", nil))
	require.Len(t, got, 1)
	assert.Equal(t, "/v1/healthCheck?a=b", got[0].uri)
	assert.Equal(t, "GET", got[0].method)
	assert.False(t, got[0].at.IsZero())
}
