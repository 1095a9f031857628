package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
)

// A comparison is of the library in root with an earlier commit.
type comparison struct {
	root, commit, bench string
	rounds              int

	stdout, stderr io.Writer
	ctx            context.Context
}

// run measures the benchmarks of both in turn and has benchstat compare them.
// Each side brings its own bench_test.go.
func (c comparison) run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop() // an interrupt must not leave the worktree behind
	c.ctx = ctx
	tmp, err := os.MkdirTemp("", "against")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	earlier := filepath.Join(tmp, "earlier")
	if err := c.command(c.root, nil, "git", "worktree", "add", "--quiet", "--detach",
		earlier, c.commit); err != nil {
		return fmt.Errorf("-against %s: %w", c.commit, err)
	}
	defer func() {
		_ = exec.Command("git", "-C", c.root, "worktree", "remove", "--force",
			earlier).Run()
	}()
	dirs := []string{earlier, c.root}
	files := make([]*os.File, len(dirs))
	for i, name := range []string{"earlier.txt", "now.txt"} {
		if files[i], err = os.Create(filepath.Join(tmp, name)); err != nil {
			return err
		}
		defer files[i].Close()
		if err := c.command(dirs[i], nil, "go", "test", "-c", "-o",
			files[i].Name()+".test", "."); err != nil {
			return fmt.Errorf("build %s: %w", dirs[i], err)
		}
	}
	for round := range c.rounds {
		for turn := range dirs {
			i := (turn + round) % len(dirs)
			if err := c.command(dirs[i], files[i], files[i].Name()+".test",
				"-test.run", "^$", "-test.benchmem", "-test.bench", c.bench,
				"-test.benchtime", "20ms"); err != nil {
				return err
			}
		}
	}
	tool := exec.CommandContext(ctx, "go", "tool", "benchstat",
		c.commit+"="+files[0].Name(), "now="+files[1].Name())
	tool.Stdout, tool.Stderr = c.stdout, c.stderr
	return tool.Run()
}

// command runs a program without the workspace: each side is built with the
// versions in its go.mod.
func (c comparison) command(dir string, stdout io.Writer, name string, args ...string) error {
	cmd := exec.CommandContext(c.ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, stdout, c.stderr
	cmd.Env = append(os.Environ(), "GOWORK=off")
	return cmd.Run()
}
