package main

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// record is one request, on its way into the log.
type record struct {
	at     time.Time
	method string
	uri    string
	took   time.Duration
}

// appendTo writes r as one line: in the URI of a request line there can be no
// newline, so lines and records can be counted against each other.
func (r record) appendTo(buf *bytes.Buffer) {
	b := buf.AvailableBuffer()
	b = r.at.AppendFormat(b, time.RFC3339Nano)
	b = append(append(append(b, ' '), r.method...), ' ')
	b = append(append(append(b, r.uri...), ' '),
		strconv.FormatInt(r.took.Microseconds(), 10)...)
	buf.Write(append(b, "us\n"...))
}

// logged is the middleware of both servers. It logs after the handler, to know
// how long that took; by then the answer is complete, but net/http has it in
// a buffer and sends it when this function returns. This is how a finished
// answer did not leave the server.
func logged(next http.Handler, log func(record)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		next.ServeHTTP(w, r)
		log(record{start, r.Method, r.URL.RequestURI(), time.Since(start)})
	})
}
