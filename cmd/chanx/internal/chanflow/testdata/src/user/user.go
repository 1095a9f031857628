// Package user calls lib.
package user

import (
	"os"
	"os/signal"

	"lib"
)

func calls() {
	a := make(chan int) // want `here 0 elsewhere 1 more false`
	lib.Receive(a)
	a <- 1
	b := make(chan int) // want `here 0 elsewhere 1 more false`
	lib.Twice(b)
	b <- 1
	c := make(chan int) // want `here 1 elsewhere 0 more false`
	lib.Send(c)
	<-c
	d := make(chan int) // want `here 0 elsewhere 0 more true`
	lib.Give(func(chan int) {}, d)
	d <- 1
	e := make(chan int) // want `here 0 elsewhere 0 more true`
	lib.Box(e)
	e <- 1
	f := make(chan int) // want `here 1 elsewhere 1 more true`
	q := lib.New(f)
	f <- 1
	<-q.Kept()
	g, err := lib.Made()
	if err == nil {
		g <- 1
	}
	h := make(chan os.Signal, 1) // want `here 1 elsewhere 1 more false`
	signal.Notify(h)
	<-h
	q.Ch = make(chan int) // want `here 0 elsewhere 0 more true`
	q.Ch <- 1
	<-lib.Unbox(e)
	lib.Global <- 1
}
