package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"golang.org/x/sync/errgroup"

	"example.com/chanx/verify/internal/trial"
)

func main() {
	pattern := flag.String("run", "", "only variants that match this `regexp`")
	workers := flag.Int("workers", 1, "variants tried at a time")
	flag.Parse()
	if err := run(*pattern, *workers); err != nil {
		fmt.Fprintln(os.Stderr, "variants:", err)
		os.Exit(1)
	}
}

func run(pattern string, workers int) error {
	only, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	root, err := filepath.Abs("..") // go -C verify run
	if err != nil {
		return err
	}
	b := &bench{root: root, trials: make(map[string]trial.Trial)}
	defer b.clean()
	var group errgroup.Group
	group.SetLimit(workers)
	for i, v := range all() {
		if !only.MatchString(v.name) {
			continue
		}
		t, err := b.trial(v.pkg())
		if err != nil {
			return err
		}
		group.Go(func() error { return b.try(t, v, i+1) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if b.survivors > 0 {
		return fmt.Errorf("%d variants survived", b.survivors)
	}
	return nil
}

// bench is where variants are tried.
type bench struct {
	root   string
	dirs   []string
	trials map[string]trial.Trial // by package

	mu        sync.Mutex
	survivors int
}

// trial compiles a package the first time it is asked for.
func (b *bench) trial(pkg string) (trial.Trial, error) {
	if t, ok := b.trials[pkg]; ok {
		return t, nil
	}
	dir, err := os.MkdirTemp("", "variants")
	if err != nil {
		return trial.Trial{}, err
	}
	b.dirs = append(b.dirs, dir)
	t, err := compile(filepath.Join(b.root, pkg), pkg, dir)
	if err != nil {
		return t, err
	}
	if outcome, by := t.Run(trial.Choose(0)); outcome != trial.Survived {
		return t, fmt.Errorf("the tests fail without a variant: %s", by)
	}
	b.trials[pkg] = t
	return t, nil
}

func (b *bench) clean() {
	for _, dir := range b.dirs {
		_ = os.RemoveAll(dir) // it is in the directory for such things
	}
}

// try writes the table after each variant, so that an interrupted run keeps its
// results.
func (b *bench) try(t trial.Trial, v variant, number int) error {
	outcome, by := t.Run(trial.Choose(number))
	b.mu.Lock()
	defer b.mu.Unlock()
	if outcome == trial.Survived {
		b.survivors++
	}
	rows, err := readTable(b.root)
	if err != nil {
		return err
	}
	rows[v.name] = cell(outcome, by)
	fmt.Printf("%s: %s\n", v.name, rows[v.name])
	return rows.write(b.root)
}
