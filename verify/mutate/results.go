package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"sync"

	"example.com/chanx/verify/internal/trial"
)

// results are the outcomes so far, one line each in a file: the mutant, the
// outcome, the test, with tabs between them.
type results struct {
	mu   sync.Mutex
	file *os.File
	of   map[string]string // outcome by key
}

func openResults(name string) (*results, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	r := &results{file: f, of: make(map[string]string)}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if part := strings.Split(lines.Text(), "\t"); len(part) == 3 {
			r.of[part[0]] = part[1]
		}
	}
	return r, nil
}

func (r *results) has(m mutant) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of[m.key()] != ""
}

func (r *results) add(m mutant, outcome, by string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of[m.key()] = outcome
	_, err := fmt.Fprintf(r.file, "%s\t%s\t%s\n", m.key(), outcome, by)
	return err
}

// summary counts the outcomes of mutants, and lists the survivors.
func (r *results) summary(mutants []mutant) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := make(map[string]int)
	var left strings.Builder
	for _, m := range mutants {
		count[r.of[m.key()]]++
		if r.of[m.key()] == trial.Survived {
			fmt.Fprintln(&left, m.key())
		}
	}
	return fmt.Sprintf("%s%d mutants: %d killed, %d of them by a timeout; "+
		"%d survived; %d not run\n", left.String(), len(mutants),
		count[trial.Killed]+count[trial.TimedOut], count[trial.TimedOut], count[trial.Survived], count[""])
}
