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
	t, err := readTable(root)
	if err != nil {
		return err
	}
	b := &bench{root: root, table: t, trials: make(map[string]trial.Trial)}
	defer b.clean()
	if err := b.compile(); err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(workers)
	for i, v := range all() {
		if only.MatchString(v.name) {
			group.Go(func() error { return b.try(v, i+1) })
		}
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
	table     table
	survivors int
}

func (b *bench) compile() error {
	for _, pkg := range []string{".", "asynclog"} {
		dir, err := os.MkdirTemp("", "variants")
		if err != nil {
			return err
		}
		b.dirs = append(b.dirs, dir)
		t, err := compile(filepath.Join(b.root, pkg), pkg, dir)
		if err != nil {
			return err
		}
		if outcome, by := t.Run(trial.Choose(0)); outcome != trial.Survived {
			return fmt.Errorf("the tests fail without a variant: %s", by)
		}
		b.trials[pkg] = t
	}
	return nil
}

func (b *bench) clean() {
	for _, dir := range b.dirs {
		_ = os.RemoveAll(dir) // it is in the directory for such things
	}
}

// try writes the table after each variant: whoever interrupts this keeps what
// there is.
func (b *bench) try(v variant, number int) error {
	outcome, by := b.trials[v.pkg()].Run(trial.Choose(number))
	b.mu.Lock()
	defer b.mu.Unlock()
	if outcome == trial.Survived {
		b.survivors++
	}
	b.table[v.name] = cell(outcome, by)
	fmt.Printf("%s: %s\n", v.name, b.table[v.name])
	return b.table.write(b.root)
}
