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
	b := &bench{root: root, table: t}
	var group errgroup.Group
	group.SetLimit(workers)
	for _, v := range all() {
		if only.MatchString(v.name) {
			group.Go(func() error { return b.try(v) })
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
	root string

	mu        sync.Mutex
	table     table
	survivors int
}

// try writes the table after each variant: whoever interrupts this keeps what
// there is.
func (b *bench) try(v variant) error {
	outcome, by, err := v.try(b.root)
	if err != nil {
		return fmt.Errorf("%s: %w", v.name, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if outcome == trial.Survived {
		b.survivors++
	}
	b.table[v.name] = cell(outcome, by)
	fmt.Printf("%s: %s\n", v.name, b.table[v.name])
	return b.table.write(b.root)
}
