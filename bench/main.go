// Bench compares chanx with what programs use today, and writes BENCHMARKS.md
// and bench/RESULTS.md.
//
//	go -C bench run .                 measures everything, in about ten minutes
//	go -C bench run . -run service    measures the contests that match
//	go -C bench run . -list           lists the contests
//	go -C bench run . -page           writes the pages from bench/results.jsonl
//	go -C bench run . -cores          checks the model of many cores on this machine
//	go -C bench run . -against v0.1.0 the library against itself, earlier
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"example.com/chanx/bench/page"
	"example.com/chanx/bench/rows"
)

func main() {
	if rows.Child() {
		return
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// settings are the flags.
type settings struct {
	match                    *regexp.Regexp
	quick, list, page, cores bool
	out, against, bench      string
}

func run(args []string, stdout, stderr io.Writer) int {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	match := flags.String("run", "", "measure the contests that match the `regexp`")
	flags.BoolVar(&s.quick, "quick", false,
		"a hundredth of the work, to standard output; the figures mean little")
	flags.BoolVar(&s.list, "list", false, "list the contests")
	flags.BoolVar(&s.page, "page", false, "write the pages, measure nothing")
	flags.BoolVar(&s.cores, "cores", false, "check the model of many cores here, "+
		"in two minutes; to standard output")
	flags.StringVar(&s.out, "o", "", "the `directory` for results and pages; "+
		"empty: that of the library")
	flags.StringVar(&s.against, "against", "", "compare with an earlier `commit`")
	flags.StringVar(&s.bench, "bench", ".", "the benchmarks for -against")
	err := flags.Parse(args)
	if err == nil {
		s.match, err = regexp.Compile(*match)
	}
	if err == nil {
		err = s.do(stdout, stderr)
	}
	rows.Clean()
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

func (s settings) do(stdout, stderr io.Writer) error {
	effort := rows.Effort{Quick: s.quick}
	all := rows.Contests(effort)
	if s.cores {
		all = rows.Cores(effort)
	}
	if s.list {
		for _, c := range all {
			fmt.Fprintf(stdout, "%s/%s\n", c.Group, c.Name)
		}
		return nil
	}
	root, err := rows.Root()
	if err != nil {
		return err
	}
	if s.against != "" {
		return comparison{root: root, commit: s.against, bench: s.bench, rounds: 10,
			stdout: stdout, stderr: stderr}.run()
	}
	if s.out == "" {
		s.out = root
	}
	switch {
	case s.page:
		return s.save(all)
	case s.quick || s.cores:
		var found []rows.Result
		err := s.measure(all, commit(root), stderr, func(r rows.Result) error {
			found = append(found, r)
			return nil
		})
		fmt.Fprintf(stdout, "%s, commit %s\n", machine(), commit(root))
		return errors.Join(err, page.Tables(stdout, found))
	}
	return s.measure(all, commit(root), stderr, func(r rows.Result) error {
		return s.save(all, r)
	})
}

// measure calls found with each result.
func (s settings) measure(all []rows.Contest, commit string, stderr io.Writer,
	found func(rows.Result) error) error {
	chosen := slices.DeleteFunc(slices.Clone(all), func(c rows.Contest) bool {
		return !s.match.MatchString(c.Group + "/" + c.Name)
	})
	for i, c := range chosen {
		began := time.Now()
		r, err := c.Run()
		if err != nil {
			return err
		}
		r.Machine, r.Commit = machine(), commit
		if err := found(r); err != nil {
			return err
		}
		fmt.Fprintf(stderr, "%d of %d in %v: %s/%s\n", i+1, len(chosen),
			time.Since(began).Round(time.Second), c.Group, c.Name)
	}
	return nil
}

// save merges new results with the saved ones, and writes the pages.
func (s settings) save(all []rows.Contest, measured ...rows.Result) error {
	file := filepath.Join(s.out, "bench", "results.jsonl")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	old, err := rows.Load(file)
	if err != nil {
		return err
	}
	results := rows.Replace(old, measured, all)
	if err := rows.Save(file, results); err != nil {
		return err
	}
	return page.Write(s.out, results)
}

// machine names the processor where the system tells it in a file.
func machine() string {
	model := "unknown processor"
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("%s, %d processors, %s/%s, %s", model, runtime.NumCPU(),
		runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// commit returns the name of the commit, with "-dirty" if a source file differs.
func commit(dir string) string {
	git := func(args ...string) string {
		out, _ := exec.Command("git", append([]string{"-C", dir}, args...)...).Output()
		return strings.TrimSpace(string(out))
	}
	name := git("describe", "--always", "--abbrev=12", "--exclude=*")
	if name == "" {
		return "unknown"
	}
	if git("status", "--porcelain", "--", "*.go", "go.mod", "bench/go.mod") != "" {
		name += "-dirty"
	}
	return name
}
