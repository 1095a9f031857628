package rows

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
)

// A model of queues on many cores, by discrete events: a cache line belongs to
// one core, and to take it from another costs a transfer. An operation under a
// lock takes the line of the lock and two lines of data; one by fetch-and-add
// takes one line and, after it, the slot. A core that finds the lock held pauses,
// tries again, and parks after some tries.
//
// The transfer within one L3 and the costs of a line in place were measured;
// those to another L3 and another socket are of tables in print.
const (
	transferL3     = 30.0 // ns
	transferSocket = 110.0
	transferFar    = 220.0
	inPlace        = 2.2 // a locked operation on a line that the core has
	wakeUp         = 4000.0
	coresL3        = 8
	coresSocket    = 64
)

// A discipline is how the senders of a queue keep apart.
type discipline struct {
	name     string
	tries    int     // before it parks; 0: no lock, but fetch-and-add
	pause    float64 // between them
	oneSpins bool    // others park at once
	group    int     // cores that share a queue; 0: all
}

func (d discipline) title() string { return d.name }

var disciplines = []discipline{
	{"Ring", 8, 560, false, 0},
	{"a channel's lock", 4, 350, true, 0},
	{"fetch-and-add, at best", 0, 0, false, 0},
	{"a Ring for each 8 cores", 8, 560, false, 8},
}

var (
	modelCores  = []int{1, 2, 8, 32, 128}
	modelThinks = []float64{1000, 10_000, 100_000} // ns between two sends
)

// models predicts the sends a second of all cores.
func models(e Effort) (all []Contest) {
	for _, think := range modelThinks {
		c := Contest{Group: "many cores, a model", Names: namesOf(disciplines),
			Name: "N cores that send every " + Time.Format(think), Rounds: 1}
		for _, n := range modelCores {
			c.Figures = append(c.Figures, Figure{fmt.Sprintf("N=%d", n), Rate})
		}
		c.Measure = func(i int) (rates []float64, _ error) {
			for _, n := range modelCores {
				rates = append(rates, simulate(disciplines[i], n, think,
					float64(e.n(200))*max(think, 10_000)))
			}
			return rates, nil
		}
		all = append(all, c)
	}
	return all
}

func transfer(a, b int) float64 {
	switch {
	case a == b:
		return 0
	case a/coresL3 == b/coresL3:
		return transferL3
	case a/coresSocket == b/coresSocket:
		return transferSocket
	}
	return transferFar
}

type cacheLine struct {
	owner  int
	free   float64
	shared float64 // the transfer to a core that has read it since
}

// take returns when the core has had the line.
func (l *cacheLine) take(core int, t float64) float64 {
	t = max(t, l.free) + inPlace + max(transfer(l.owner, core), l.shared)
	l.owner, l.free, l.shared = core, t, 0
	return t
}

// read returns when the core has seen the line. The next to take it must have
// it back.
func (l *cacheLine) read(core int, t float64) float64 {
	l.shared = max(l.shared, transfer(l.owner, core))
	return t + transfer(l.owner, core)
}

// A moment is something that happens.
type moment struct {
	at float64
	do func(t float64)
}

type moments []moment

func (m moments) Len() int           { return len(m) }
func (m moments) Less(i, j int) bool { return m[i].at < m[j].at }
func (m moments) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *moments) Push(x any)        { *m = append(*m, x.(moment)) }
func (m *moments) Pop() (x any) {
	last := len(*m) - 1
	x = (*m)[last]
	*m = (*m)[:last]
	return x
}

// A world is the state of a simulation.
type world struct {
	discipline
	think  float64
	random *rand.Rand
	queues []modelQueue
	next   moments
	done   int
}

type modelQueue struct {
	lock    cacheLine
	data    [2]cacheLine
	held    bool
	spins   bool // one core, where only one does
	parked  []func(t float64)
	slotted int // the core that was the last in line
}

// simulate returns the sends a second of all cores.
func simulate(d discipline, cores int, think, end float64) float64 {
	if d.group == 0 {
		d.group = cores
	}
	w := world{discipline: d, think: think,
		random: rand.New(rand.NewPCG(3, uint64(cores))),
		queues: make([]modelQueue, (cores+d.group-1)/d.group)}
	for core := range cores {
		w.at(w.random.Float64()*think, func(t float64) { w.send(core, t) })
	}
	for len(w.next) > 0 && w.next[0].at < end {
		m := heap.Pop(&w.next).(moment)
		m.do(m.at)
	}
	return float64(w.done) / end * 1e9
}

func (w *world) at(t float64, do func(t float64)) { heap.Push(&w.next, moment{t, do}) }

func (w *world) send(core int, t float64) {
	q := &w.queues[core/w.group]
	if w.tries > 0 {
		w.acquire(q, core, t, 0)
		return
	}
	t = q.lock.take(core, t)
	t += transfer(q.slotted, core)
	q.slotted = core
	w.at(t, func(t float64) { w.finish(core, t) })
}

func (w *world) finish(core int, t float64) {
	w.done++
	pause := w.think * (0.5 + w.random.Float64())
	w.at(t+pause, func(t float64) { w.send(core, t) })
}

func (w *world) acquire(q *modelQueue, core int, t float64, tried int) {
	if q.held {
		w.at(q.lock.read(core, t), func(t float64) { w.wait(q, core, t, tried) })
		return
	}
	w.at(q.lock.take(core, t), func(t float64) {
		if q.held {
			w.wait(q, core, t, tried)
			return
		}
		q.held = true
		q.spins = q.spins && tried == 0
		t = q.data[1].take(core, q.data[0].take(core, t))
		w.at(q.lock.take(core, t), func(t float64) { w.release(q, core, t) })
	})
}

// wait is what a core does that has found the lock held.
func (w *world) wait(q *modelQueue, core int, t float64, tried int) {
	if tried < w.tries && !(w.oneSpins && tried == 0 && q.spins) {
		q.spins = true
		w.at(t+w.pause, func(t float64) { w.acquire(q, core, t, tried+1) })
		return
	}
	q.spins = q.spins && tried == 0
	q.parked = append(q.parked, func(t float64) { w.acquire(q, core, t, 0) })
}

func (w *world) release(q *modelQueue, core int, t float64) {
	q.held = false
	if len(q.parked) > 0 && !(w.oneSpins && q.spins) {
		w.at(t+wakeUp, q.parked[0])
		q.parked = q.parked[1:]
	}
	w.finish(core, t)
}

// saturation is the number of cores beyond which one lock within one L3 gains
// nothing: 1 + w/S, S being one send.
func saturation(think float64) int {
	return int(math.Round(1 + think/(5+3*transferL3)))
}
