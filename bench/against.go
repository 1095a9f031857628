package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

// side is the library at one commit: where its source lies, the benchmarks
// built of it, and what they showed.
type side struct {
	dir, binary string
	found       samples
}

// against runs the benchmarks of the library and those of an earlier commit
// in turn, and compares them as benchstat does. Each side brings its own
// bench_test.go; what only one of them has is not compared.
func against(root string, s settings, stdout, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop() // an interrupt must not leave the worktree behind
	tmp, err := os.MkdirTemp("", "against")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	earlier := filepath.Join(tmp, "earlier")
	if err := command(ctx, root, stderr, "git", "worktree", "add", "--quiet",
		"--detach", earlier, s.against); err != nil {
		return fmt.Errorf("-against %s: %w", s.against, err)
	}
	defer func() {
		_ = command(context.Background(), root, stderr, "git", "worktree",
			"remove", "--force", earlier)
	}()
	sides := []*side{
		{dir: earlier, binary: filepath.Join(tmp, "earlier.test")},
		{dir: root, binary: filepath.Join(tmp, "now.test")},
	}
	if err := s.alternate(ctx, sides, stderr); err != nil {
		return err
	}
	return compare(stdout, s.against, sides[0].found, sides[1].found)
}

// alternate runs both sides round by round, so that what else the machine
// does befalls both.
func (s settings) alternate(ctx context.Context, sides []*side, stderr io.Writer) error {
	for _, one := range sides {
		one.found = samples{}
		if err := command(ctx, one.dir, stderr, "go", "test", "-c", "-o",
			one.binary, "."); err != nil {
			return fmt.Errorf("build %s: %w", one.dir, err)
		}
	}
	rounds, each := 10, 20*time.Millisecond
	if s.rounds > 0 {
		rounds = s.rounds
	}
	if s.each > 0 {
		each = s.each
	}
	show := progress{w: stderr, terminal: terminal(stderr)}
	show.start("against "+s.against, 1)
	show.steps(rounds * len(sides))
	defer show.done()
	for round := range rounds {
		for _, one := range sides {
			show.step(fmt.Sprintf("round %d of %d", round+1, rounds))
			if err := one.measure(ctx, s.bench, each); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *side) measure(ctx context.Context, bench string, each time.Duration) error {
	run := exec.CommandContext(ctx, s.binary, "-test.run", "^$",
		"-test.benchmem", "-test.bench", bench, "-test.benchtime", each.String())
	run.Dir, run.Stderr = s.dir, os.Stderr
	out, err := run.StdoutPipe()
	if err != nil {
		return err
	}
	if err := run.Start(); err != nil {
		return err
	}
	readErr := s.found.read(out)
	if err := run.Wait(); err != nil {
		return fmt.Errorf("%s: %w", s.binary, err)
	}
	return readErr
}

// command runs what has no output of interest. The workspace is left alone:
// each side is built with the versions of its own go.mod.
func command(ctx context.Context, dir string, stderr io.Writer, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Stderr = dir, stderr
	c.Env = append(os.Environ(), "GOWORK=off")
	return c.Run()
}
