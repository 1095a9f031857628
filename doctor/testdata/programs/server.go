package main

import (
	"fmt"
	"net"
	"net/http"
)

// clients keeps the connections open, and out of the finalizer's reach.
var clients []net.Conn

// serve starts a server and sends it requests whose answers nobody reads:
// a waiting client costs no goroutine that way, as in another process.
func serve(h http.HandlerFunc, requests int) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(l, h)
	for range requests {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		clients = append(clients, c)
	}
	return l.Addr().String()
}
