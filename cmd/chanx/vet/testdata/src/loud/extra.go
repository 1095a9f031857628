package loud

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

type task struct{ n int }

// global is a channel of the package.
var global = make(chan task)

var gone atomic.Bool

var dead bool

func emit()  { global <- task{1} }
func emit2() { global <- task{2} }
func emit3() { global <- task{3} }
func emit4() { global <- task{4} }

func consumeGlobal() {
	for t := range global {
		if err := do(any(t)); err != nil {
			dead = true
			return // want `lost consumer: channel global .* 1 more blocks`
		}
	}
}

func do(v any) error { return nil }

func startGlobal() {
	f := consumeGlobal
	go f()
}

// bound is started through a method value, in a variable.
type bound struct{ first, second chan []task }

func (b *bound) put(v []task)  { b.first <- v }
func (b *bound) put2(v []task) { b.second <- v }

func (b *bound) run() {
	defer func() { recover() }() // want `lost consumer: channel first .* after a panic`
	for v := range b.first {
		_ = v[0]
	}
}

func (b *bound) run2(errs [2]error) {
	for v := range b.second {
		if e := errs[v[0].n]; e != nil {
			return // for some values only
		}
	}
}

func newBound() *bound {
	b := &bound{make(chan []task), make(chan []task)}
	run := b.run
	go run()
	run2(func() { b.run2([2]error{}) })
	return b
}

func run2(f func()) { go f() }

// either is made in one of two ways.
type either struct{ ch chan int }

func (e *either) put(v int) { e.ch <- v }

func newEither(big bool) *either {
	e := new(either)
	if big {
		e.ch = make(chan int, 100)
	} else {
		e.ch = make(chan int)
	}
	go func() {
		for v := range e.ch {
			if err := do(v); !(err == nil) {
				return // want `lost consumer: channel ch has no receiver`
			}
		}
	}()
	return e
}

// locals are channels of a function.
func locals() {
	var ch = make(chan int)
	done := make(chan bool)
	go func() {
		for range ch {
			if work() != nil {
				return // want `lost consumer: channel ch .* locals`
			}
		}
	}()
	go func() {
		for i := range 10 {
			ch <- i
		}
		done <- true
	}()
	<-done
}

// many goroutines of one closure send.
func many(xs []int) {
	ch := make(chan int, 2)
	go func() {
		for range ch {
			if work() != nil {
				return // want `lost consumer`
			}
		}
	}()
	for _, x := range xs {
		go func() { func() { ch <- x }() }()
	}
}

// waits for a group that runs functions.
func waits(xs []int) int {
	ch := make(chan int)
	var wg sync.WaitGroup
	send := func(x int) {
		defer wg.Done()
		for range 2 {
			ch <- x // want `deadlock: this send on channel ch`
		}
	}
	for _, x := range xs {
		wg.Add(1)
		go send(x)
	}
	wg.Wait()
	return <-ch
}

// strings has a number of values that is not known at the make.
func runes(s string) rune {
	ch := make(chan rune)
	var wg sync.WaitGroup
	for _, r := range s {
		wg.Add(1)
		go func() {
			defer wg.Done()
			ch <- r // want `deadlock: this send on channel ch`
		}()
	}
	wg.Wait()
	return <-ch
}

// looping returns from within a loop, on a path with a counter.
func looping(n int, stop chan bool) int {
	ch := make(chan int)
	go func() {
		ch <- 1 // want `abandoned send: looping returns .* early`
	}()
	for i, tries := 0, 0; i < n; i++ {
		if tries++; tries > 3 {
			return 0
		}
		select {
		case <-stop:
		case <-time.After(1):
		}
	}
	return <-ch
}

var errEnd = errors.New("end")

// failed compares what another channel brings.
type failed struct {
	ch   chan int
	errs chan error
}

func (f *failed) put(v int) { f.ch <- v }

func (f *failed) run() {
	for range f.ch {
		if err := <-f.errs; err != errEnd {
			continue
		}
		if v, ok := do2().(error); ok && errors.Is(v, errEnd) {
			return // want `lost consumer`
		}
	}
}

func do2() any { return nil }

func newFailed() *failed {
	f := &failed{make(chan int), make(chan error)}
	go f.run()
	return f
}

// presumed is run by other packages.
type presumed struct{ ch chan int }

func (p *presumed) Put(v int) { p.ch <- v }

func (p *presumed) Run() { p.loop() }

func (p *presumed) loop() {
	for range p.ch {
		if err := work(); err != nil {
			return
		}
	}
}

func newPresumed() *presumed { return &presumed{make(chan int)} }

// drained has a goroutine that receives what is left once it stops.
type drained struct {
	ch   chan int
	quit chan bool
	sum  int
}

func (d *drained) put(v int) { d.ch <- v }

func (d *drained) run() {
	for v := range d.ch {
		d.sum += v
		if work() != nil {
			return // want `lost consumer: channel ch`
		}
	}
}

func (d *drained) stop() {
	for {
		select {
		case <-d.ch:
		case <-d.quit:
			return
		}
	}
}

func newDrained() *drained {
	d := &drained{ch: make(chan int), quit: make(chan bool)}
	go d.run()
	return d
}

// quad has the same channel in four fields.
type quad struct{ a, b, c, d chan int }

func (q *quad) put(v int) { q.a <- v }

func newQuad() *quad {
	ch := make(chan int)
	q := &quad{ch, ch, ch, ch}
	go func() {
		for v := range q.d {
			if err := do(v); err != nil {
				return // want `lost consumer: channel .*\.\.\. .* blocks`
			}
		}
	}()
	return q
}

// typed compares errors of several kinds.
type typed struct{ ch chan any }

func (t *typed) put(v any) { t.ch <- v }

func (t *typed) run(fail func() *failure) {
	for v := range t.ch {
		var err error = fail()
		if e, ok := err.(*failure); ok && e.code > uint8(len(t.ch)) {
			return // on a condition: not by default
		}
		_ = v
	}
}

type failure struct{ code uint8 }

func (*failure) Error() string { return "" }

func newTyped(fail func() *failure) *typed {
	t := &typed{make(chan any)}
	go t.run(fail)
	return t
}

// grouped by a WaitGroup that runs functions.
func gathered(xs []int) int {
	ch := make(chan int)
	var g sync.WaitGroup
	for _, x := range xs {
		g.Add(1)
		f := func() {
			defer g.Done()
			ch <- x // want `deadlock: this send`
		}
		run2(f)
	}
	g.Wait()
	return <-ch
}

// counting has no range for the number of values.
func counting(n int) int {
	ch := make(chan int)
	for i := 0; i < n; i++ {
		go func() { ch <- i }()
	}
	return <-ch // want `counting receives one value .*SendContext`
}

// elsewhere has a sender that another function starts: one value of room is not
// enough.
func elsewhere(fail func() error) error {
	ch := make(chan error)
	go func() {
		ch <- work() // want `abandoned send: elsewhere .*SendContext`
	}()
	startOther(ch)
	if err := fail(); err != nil {
		return err
	}
	<-ch
	return <-ch
}

func startOther(ch chan error) {
	go func() { ch <- work() }()
}
