package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"example.com/chanx/verify/internal/trial"
)

func main() {
	pattern := flag.String("run", "", "only variants that match this `regexp`")
	flag.Parse()
	if err := run(*pattern); err != nil {
		fmt.Fprintln(os.Stderr, "variants:", err)
		os.Exit(1)
	}
}

func run(pattern string) error {
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
	survivors := 0
	for _, v := range all() {
		if !only.MatchString(v.name) {
			continue
		}
		outcome, by, err := v.try(root)
		if err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		if outcome == trial.Survived {
			survivors++
		}
		t[v.name] = cell(outcome, by)
		fmt.Printf("%s: %s\n", v.name, t[v.name])
		// Whoever interrupts this keeps what there is.
		if err := t.write(root); err != nil {
			return err
		}
	}
	if survivors > 0 {
		return fmt.Errorf("%d variants survived", survivors)
	}
	return nil
}
