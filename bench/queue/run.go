package queue

import (
	"fmt"
	"io"
	"log"
	"slices"

	"example.com/chanx/bench/plan"
)

// task is one measurement to be repeated: a peer at a point.
type task struct {
	name string
	at   point
}

// Run measures every peer along every axis, and checks that each keeps its
// promises.
func Run(o plan.Options) (plan.Section, error) {
	// go-diodes writes to the standard log when writers collide.
	defer log.SetOutput(log.Writer())
	log.SetOutput(io.Discard)

	todo := axes()
	if o.Quick {
		for i, a := range todo {
			todo[i] = a.thin()
		}
	}
	tasks := tasks(todo)
	names := names()
	o.Steps(o.Rounds*len(tasks) + len(names))
	verdicts := conservation(o)
	found := map[task][]result{}
	for round := range o.Rounds {
		for _, t := range tasks {
			o.Step(fmt.Sprintf("round %d of %d: %s", round+1, o.Rounds, t.name))
			found[t] = append(found[t], measureNamed(t, o))
		}
		// Nobody is to have the same one before it in every round.
		slices.Reverse(tasks)
	}
	return section(todo, medians(found), verdicts), nil
}

// tasks puts the rivals at one point next to each other in time. A point
// that lies on several axes is measured once.
func tasks(todo []axis) []task {
	var all []task
	seen := map[point]bool{}
	for _, a := range todo {
		for _, at := range a.points {
			if seen[at] {
				continue
			}
			seen[at] = true
			for _, name := range names() {
				all = append(all, task{name, at})
			}
		}
	}
	return all
}

func names() []string {
	var all []string
	for _, p := range peers[[1]uint64]() {
		all = append(all, p.name)
	}
	return all
}

func ours() []string {
	var all []string
	for _, p := range peers[[1]uint64]() {
		if p.ours {
			all = append(all, p.name)
		}
	}
	return all
}

func measureNamed(t task, o plan.Options) result {
	switch t.at.size {
	case 8:
		return measureSized[[1]uint64](t, o)
	case 64:
		return measureSized[[8]uint64](t, o)
	}
	return measureSized[[128]uint64](t, o)
}

func measureSized[T element](t task, o plan.Options) result {
	for _, p := range peers[T]() {
		if p.name == t.name {
			return measure(p, t.at, o)
		}
	}
	panic("bench/queue: no peer " + t.name)
}
