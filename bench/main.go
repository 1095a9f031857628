// Bench compares chanx with what one would use instead, and writes
// BENCHMARKS.md.
//
//	go -C bench run .                  everything, written to the repository
//	go -C bench run . -quick           in under a minute, nothing written
//	go -C bench run . -only queue -o /tmp/queue
//	go -C bench run . -against v0.1.0  the library against itself, earlier
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"example.com/chanx/bench/asynclog"
	"example.com/chanx/bench/contention"
	"example.com/chanx/bench/dump"
	"example.com/chanx/bench/growth"
	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/queue"
	"example.com/chanx/bench/report"
	"example.com/chanx/bench/rows"
	"example.com/chanx/bench/supervise"
)

// part is one comparison, a package of its own. Its weight is how many seconds
// it once took, from which the time left is guessed.
type part struct {
	name   string
	weight int
	run    func(plan.Options) (plan.Section, error)
}

var parts = []part{
	{"contention", 90, contention.Run},
	{"queue", 225, queue.Run},
	{"asynclog", 60, asynclog.Run},
	{"supervise", 40, supervise.Run},
	{"dump", 230, dump.Run},
	{"growth", 80, growth.Run},
	{"rows", 190, rows.Run},
}

func main() {
	if contention.Child() {
		return
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// settings are the flags.
type settings struct {
	quick                     bool
	only, out, against, bench string
	rounds                    int
	each                      time.Duration
}

func run(args []string, stdout, stderr io.Writer) int {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&s.quick, "quick", false,
		"a few points of each axis, to standard output")
	flags.StringVar(&s.only, "only", "",
		"one `part` alone: "+strings.Join(partNames(), ", "))
	flags.StringVar(&s.out, "o", "",
		"the `directory` that gets BENCHMARKS.md and docs/plots")
	flags.StringVar(&s.against, "against", "",
		"compare the library with its `commit`")
	flags.StringVar(&s.bench, "bench", ".",
		"which benchmarks are compared with -against")
	flags.IntVar(&s.rounds, "rounds", 0,
		"rounds; 0: 5, or 1 when quick, or 10 with -against")
	flags.DurationVar(&s.each, "for", 0,
		"of one measurement; 0: 100ms, or 5ms when quick, or 20ms with -against")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if err := s.do(args, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

func (s settings) do(args []string, stdout, stderr io.Writer) error {
	root, err := plan.Root()
	if err != nil {
		return err
	}
	if s.against != "" {
		return against(root, s, stdout, stderr)
	}
	todo, err := chosen(s.only)
	if err != nil {
		return err
	}
	command := append([]string{"go -C bench run ."}, args...)
	about := report.Here(root, strings.Join(command, " "))
	sections, err := s.measure(todo, stderr)
	if err != nil {
		return err
	}
	about.Took = time.Since(about.Date)
	if s.out == "" && (s.quick || s.only != "") {
		return report.Markdown(stdout, about, sections)
	}
	if s.out == "" {
		s.out = root
	}
	return report.Write(s.out, about, sections)
}

func (s settings) measure(todo []part, stderr io.Writer) ([]plan.Section, error) {
	var sections []plan.Section
	show := progress{w: stderr, terminal: terminal(stderr)}
	for _, p := range todo {
		show.all += p.weight
	}
	for i, p := range todo {
		show.start(fmt.Sprintf("%s (%d of %d)", p.name, i+1, len(todo)), p.weight)
		found, err := p.run(s.options(&show))
		show.done()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		sections = append(sections, found)
	}
	return sections, nil
}

func (s settings) options(show *progress) plan.Options {
	o := plan.Options{Rounds: 5, For: 100 * time.Millisecond, Quick: s.quick,
		Steps: show.steps, Step: show.step}
	if s.quick {
		o.Rounds, o.For = 1, 5*time.Millisecond
	}
	if s.rounds > 0 {
		o.Rounds = s.rounds
	}
	if s.each > 0 {
		o.For = s.each
	}
	return o
}

func chosen(only string) ([]part, error) {
	if only == "" {
		return parts, nil
	}
	for _, p := range parts {
		if p.name == only {
			return []part{p}, nil
		}
	}
	return nil, fmt.Errorf("no part %q: there are %s", only,
		strings.Join(partNames(), ", "))
}

func partNames() []string {
	var all []string
	for _, p := range parts {
		all = append(all, p.name)
	}
	return all
}
