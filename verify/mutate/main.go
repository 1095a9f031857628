package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"sync"
	"time"

	"example.com/chanx/verify/internal/trial"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

type options struct {
	results, only string
	later         string
	limit         time.Duration
	workers       int
	list, again   bool
	path          string
}

func parseArgs(args []string) (o options, err error) {
	flags := flag.NewFlagSet("mutate", flag.ContinueOnError)
	flags.StringVar(&o.results, "results", "mutants.txt", "`file` to keep the results in")
	flags.StringVar(&o.only, "only", "", "only mutants that match this `regexp`")
	flags.StringVar(&o.later, "later", "",
		"tests that match this `regexp` take long: run only if the others pass")
	flags.DurationVar(&o.limit, "limit", time.Minute, "for the tests with one mutant")
	flags.IntVar(&o.workers, "workers", 1, "test binaries run at a time")
	flags.BoolVar(&o.list, "list", false, "list the mutants and run none")
	flags.BoolVar(&o.again, "again", false, "run those that survived again")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.path = "."
	if flags.NArg() > 0 {
		o.path = flags.Arg(0)
	}
	return o, nil
}

func run(args []string) error {
	o, err := parseArgs(args)
	if err != nil {
		return err
	}
	only, err := regexp.Compile(o.only)
	if err != nil {
		return err
	}
	r, err := openResults(o.results)
	if err != nil {
		return err
	}
	p, err := load("..", o.path)
	if err != nil {
		return err
	}
	var todo []mutant
	for _, m := range p.mutants {
		again := o.again && r.of[m.key()] == trial.Survived
		if only.MatchString(m.key()) && (again || !r.has(m)) {
			todo = append(todo, m)
		}
	}
	if !o.list {
		err = p.tryAll(todo, o, r)
	}
	for _, m := range todo {
		if o.list {
			fmt.Println(m.key())
		}
	}
	fmt.Print(r.summary(p.mutants))
	return err
}

func (p *woven) tryAll(todo []mutant, o options, r *results) error {
	if len(todo) == 0 {
		return nil
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary, err := p.build(dir)
	if err != nil {
		return err
	}
	t := trial.Trial{Binary: binary, Dir: p.Dir, Later: o.later, Limit: o.limit}
	if outcome, by := t.Run(); outcome != trial.Survived {
		return fmt.Errorf("the tests fail without a mutant: %s", by)
	}
	queue := make(chan mutant)
	var workers sync.WaitGroup
	for range o.workers {
		workers.Go(func() {
			for m := range queue {
				outcome, by := t.Run(trial.Choose(m.number))
				if err := r.add(m, outcome, by); err != nil {
					fmt.Fprintln(os.Stderr, "mutate:", err)
				}
			}
		})
	}
	for _, m := range todo {
		queue <- m
	}
	close(queue)
	workers.Wait()
	return nil
}
