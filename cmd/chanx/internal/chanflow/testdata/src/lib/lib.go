// Package lib does things with the channels of its callers.
package lib

import "os"

var Global = make(chan int) // want `here 1 elsewhere 0 more true`

func Receive(ch <-chan int) int { return <-ch }
func Twice(ch <-chan int) int   { return Receive(ch) + Receive(ch) }
func Drain(ch <-chan int) {
	for range ch {
	}
}
func Send(ch chan<- int)                { ch <- 1 }
func Give(f func(chan int), c chan int) { f(c) }
func Box(ch chan int) any               { return ch }
func Unbox(v any) chan int              { return v.(chan int) }
func Use() int                          { return <-Global }

type Queue struct {
	Ch   chan int
	kept chan int
}

func (q *Queue) Loop() {
	for range q.kept {
	}
}

func New(ch chan int) *Queue      { return &Queue{kept: ch} }
func (q *Queue) Kept() <-chan int { return q.kept }

// Made has two results.
func Made() (chan int, error) {
	ch := make(chan int) // want `here 1 elsewhere 0 more true`
	go func() { <-ch }()
	return ch, nil
}

type Source interface{ Next() chan int }

func From(s Source) int { return <-s.Next() }

type unexported interface{ next() chan int }

type impl struct{ ch chan int }

func (i impl) next() chan int { return i.ch }

func from(u unexported) int { return <-u.next() }

func start() {
	ch := make(chan int) // want `here 1 elsewhere 0 more false`
	ch <- from(impl{ch})
}

func Signals(c chan os.Signal) { <-c }

func generic[T any](ch chan T) T { return <-ch }

func instance() {
	ch := make(chan string) // want `here 1 elsewhere 0 more false`
	generic(ch)
	ch <- ""
}

type methods chan int // its channels are one class

func (m methods) get() int { return <-m }

func twoOfAKind() {
	a := make(methods) // want `here 1 elsewhere 0 more false`
	b := make(methods) // want `here 1 elsewhere 0 more false`
	b.get()
	a <- 1
	Box(nil)
	var v any = a
	_ = v
}

// Requests sends channels to unknown receivers.
func Requests(out chan chan int) int {
	ch := make(chan int) // want `here 1 elsewhere 0 more true`
	out <- ch
	return <-ch
}

func selects(a chan int, in chan chan int, q chan bool) {
	ch := make(chan int) // want `here 1 elsewhere 0 more false`
	go func() { in2 <- ch }()
	select {
	case <-q:
	case c := <-in2:
		<-c
	case in <- a:
	}
}

var in2 = make(chan chan int) // want `here 1 elsewhere 0 more false`

func deep(p *[4]*[]map[string]*[]*[]*[]chan int) { _ = p }

func closes() {
	ch := make(chan int, 1) // want `here 0 elsewhere 0 more false`
	defer close(ch)
	ch <- 1
}
