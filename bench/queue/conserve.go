package queue

import (
	"fmt"
	"sync"

	"example.com/chanx/bench/plan"
)

// verdict is what the checks of one peer found. An empty string is a pass.
type verdict struct {
	name string

	silent              bool // it does not tell what it dropped
	sum, order, closing string
	late                string // what a send after close does
}

func (v verdict) fails() bool { return v.sum+v.order+v.closing != "" }

func failing(all []verdict) (names []string) {
	for _, v := range all {
		if v.fails() {
			names = append(names, v.name)
		}
	}
	return names
}

func (v verdict) cells() []string {
	sum := passed(v.sum)
	if v.silent {
		sum = "–"
	}
	return []string{sum, passed(v.order), passed(v.closing), v.late}
}

func passed(why string) string {
	if why == "" {
		return "yes"
	}
	return "**no**"
}

func (v verdict) notes() []string {
	var all []string
	if v.silent {
		all = append(all, v.name+": does not count what it drops.")
	}
	for _, why := range []string{v.sum, v.order, v.closing} {
		if why != "" {
			all = append(all, v.name+": "+why+".")
		}
	}
	return all
}

func conservation(o plan.Options) []verdict {
	values := 100_000
	if o.Quick {
		values = 10_000
	}
	var all []verdict
	for _, p := range peers[[1]uint64]() {
		o.Step("conservation: " + p.name)
		all = append(all, check(p, values))
	}
	return all
}

// check floods a small queue and a tiny one from four producers, each of
// which sends that many values.
func check(p peer[[1]uint64], values int) verdict {
	v := verdict{name: p.name}
	for _, capacity := range []int{1, 64} {
		for _, readers := range []int{1, 4} {
			if readers > 1 && p.oneReader {
				continue
			}
			flooding(p, &v, capacity, readers, values)
		}
	}
	closing(p, &v, max(100, values/100))
	v.late = late(p)
	return v
}

// flooding checks the sum and the order. A reader must see the values of one
// producer in the order in which that sent them, and each at most once.
func flooding(p peer[[1]uint64], v *verdict, capacity, readers, values int) {
	const producers = 4
	q := p.open(capacity)
	var sending, receiving sync.WaitGroup
	var mu sync.Mutex
	var received, dropped uint64
	for range readers {
		receiving.Go(func() {
			n, disorder := ordered(q)
			mu.Lock()
			defer mu.Unlock()
			received += n
			if disorder != "" {
				v.order = disorder
			}
		})
	}
	for id := range producers {
		sending.Go(func() {
			lost := 0
			for seq := range values {
				lost += q.send([1]uint64{uint64(id)<<40 | uint64(seq)})
			}
			mu.Lock()
			defer mu.Unlock()
			dropped += uint64(lost)
		})
	}
	sending.Wait()
	q.close()
	receiving.Wait()
	told, counts := q.told()
	v.silent = !counts
	v.balance(producers*uint64(values), received, dropped+told)
}

func (v *verdict) balance(sent, received, dropped uint64) {
	if !v.silent && sent != received+dropped {
		v.sum = fmt.Sprintf("%d sent, but %d received and %d dropped",
			sent, received, dropped)
	}
}

func ordered(q queue[[1]uint64]) (n uint64, disorder string) {
	last := map[uint64]uint64{}
	for {
		v, ok := q.recv()
		if !ok {
			return n, disorder
		}
		n++
		id, seq := v[0]>>40, v[0]&(1<<40-1)+1
		if seq <= last[id] {
			disorder = fmt.Sprintf("value %d of a producer came after its %d",
				seq, last[id])
		}
		last[id] = seq
	}
}

// closing checks that values accepted before close come out after it, with a
// reader that comes before the close and one that comes after it.
func closing(p peer[[1]uint64], v *verdict, tries int) {
	for try := range tries {
		q, accepted := p.open(64), 0
		got := make(chan uint64, 1)
		read := func() {
			n, _ := ordered(q)
			got <- n
		}
		if try%2 == 0 {
			go read()
		}
		for seq := range 48 {
			accepted += 1 - q.send([1]uint64{uint64(seq)})
		}
		q.close()
		if try%2 != 0 {
			go read()
		}
		if n := <-got; n != uint64(accepted) {
			v.closing = fmt.Sprintf(
				"of %d values accepted before close, %d came out", accepted, n)
		}
	}
}

// late says what becomes of a send that comes after close.
func late(p peer[[1]uint64]) (what string) {
	q := p.open(1)
	q.close()
	defer func() {
		if recover() != nil {
			what = "panics"
		}
	}()
	if q.send([1]uint64{}) > 0 {
		return "is refused"
	}
	if _, ok := q.recv(); ok {
		return "is taken"
	}
	return "is lost"
}
