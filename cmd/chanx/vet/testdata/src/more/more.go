// Package more has shapes that only the flag more reports.
package more

type events struct {
	ch   chan int
	quit chan struct{}
}

func (e *events) put(v int) { e.ch <- v }

// run returns when a callee says so.
func (e *events) run() {
	for v := range e.ch {
		if odd(v) {
			return // want `lost consumer`
		}
	}
}

func odd(v int) bool { return read() == v }
func read() int      { return 1 }

func newEvents() *events {
	e := &events{make(chan int), make(chan struct{})}
	go e.run()
	return e
}

// unread has no receiver.
type unread struct{ ch chan int }

func (u *unread) put(v int) {
	u.ch <- v // want `no code of the package receives from channel ch`
}

func newUnread() *unread { return &unread{make(chan int)} }

type listening struct {
	ch   chan int
	quit chan struct{}
}

func (l *listening) put(v int) { l.ch <- v }

// listen returns on a signal that senders do not get.
func (l *listening) listen() {
	for {
		select {
		case <-l.quit:
			return // want `lost consumer: .* on a signal`
		case <-l.ch:
		}
	}
}

func newListening() *listening {
	l := &listening{make(chan int), make(chan struct{})}
	go l.listen()
	return l
}

// tested has its receiver in a test.
type tested struct{ inTest chan int }

func (t *tested) put(v int) { t.inTest <- v }

func newTested() *tested { return &tested{make(chan int)} }

// local has no receiver at all.
func local(xs []int) {
	ch := make(chan int)
	for range xs {
		go func() {
			ch <- 1 // want `no code of the package receives from channel ch`
		}()
	}
}

// counting returns after some values.
type counting struct{ ch chan int }

func (c *counting) put(v int) { c.ch <- v }

func (c *counting) run() {
	for i := 0; i < 10; i++ { // want `lost consumer: .* after a number of values`
		<-c.ch
	}
}

func newCounting() *counting {
	c := &counting{make(chan int)}
	go c.run()
	return c
}

// outcomes hands out a channel whose room may be the number of values.
func outcomes(n int) chan int {
	ch := make(chan int, n)
	go func() {
		for i := range n {
			ch <- i
		}
		close(ch)
	}()
	return ch
}

func first(n int) int {
	ch := outcomes(n)
	for v := range ch {
		if v > 1 {
			return v // want `abandoned send: first stops receiving`
		}
	}
	return 0
}
