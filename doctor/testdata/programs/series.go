package main

import (
	"net/http"
	"time"
)

func init() {
	cases["worker-vanishes"] = workerVanishes
	cases["leak-grows"] = leakGrows
	cases["pool-stays"] = idlePool
	cases["batch-ends"] = batchEnds
	cases["traffic-varies"] = trafficVaries
}

// workerVanishes: the first dump still has the consumer.
func workerVanishes() {
	q := &mailbox{in: make(chan int, 2)}
	go q.deliver()
	for {
		go q.post(1)
		time.Sleep(100 * time.Millisecond)
	}
}

type mailbox struct{ in chan int }

func (q *mailbox) deliver() {
	for range 10 {
		<-q.in
	}
}

func (q *mailbox) post(v int) { q.in <- v }

// leakGrows: one goroutine more with each round, from one and the same
// parent, so that only time tells it from a pool.
func leakGrows() {
	for {
		answer := make(chan int)
		go func() { <-answer }()
		time.Sleep(40 * time.Millisecond)
	}
}

// batchEnds: workers vanish because they are done.
func batchEnds() {
	for range 10 {
		go work(900 * time.Millisecond)
	}
}

func work(d time.Duration) { time.Sleep(d) }

// trafficVaries: a few connections more each time are no leak.
func trafficVaries() {
	for {
		serve(func(rw http.ResponseWriter, r *http.Request) {}, 2)
		time.Sleep(300 * time.Millisecond)
	}
}
