// Command has exported names that no other package can use.
package main

var Global = make(chan int) // want `here 0 elsewhere 0 more false`

type Box struct{ Ch chan int }

func (b *Box) Put() { b.Ch <- 1 }

func Take(ch chan int) int { return <-ch }

type Source interface{ Next() chan int }

func (b *Box) Next() chan int { return b.Ch }

func main() {
	b := &Box{make(chan int)} // want `here 1 elsewhere 0 more false`
	b.Put()
	var s Source = b
	Take(s.Next())
	Global <- 1
}
