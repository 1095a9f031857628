// Command stuck is a server with the defect that the doctor is to find: its
// handlers send to a channel whose receiver has returned. It prints its
// address once as many requests as its argument says are blocked; with 0 it
// is well.
package main

import (
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

func main() {
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	log := newWriter()
	http.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		log.Write("hello")
	})
	go http.Serve(listener, nil)
	if n > 0 {
		log.Write("poison")
		for !log.gone.Load() || len(log.rec) < cap(log.rec) {
			if log.gone.Load() {
				log.rec <- "fill"
			}
			runtime.Gosched()
		}
	}
	for range n {
		go http.Get("http://" + listener.Addr().String() + "/hello")
	}
	for blocked() < n {
		time.Sleep(time.Millisecond)
	}
	fmt.Println(listener.Addr())
	os.Stdin.Read(make([]byte, 1)) // until the parent is gone
}

// blocked counts the handlers that are in Write.
func blocked() int {
	buf := make([]byte, 16<<20)
	buf = buf[:runtime.Stack(buf, true)]
	n := 0
	for g := range strings.SplitSeq(string(buf), "\n\n") {
		if strings.Contains(g, "[chan send") && strings.Contains(g, ").Write(") {
			n++
		}
	}
	return n
}
