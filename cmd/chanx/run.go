package main

import (
	"fmt"
	"io"
	"runtime/debug"
)

// Exit statuses of every command.
const (
	exitClean    = 0 // all was judged, and nothing is stuck or likely to be
	exitFindings = 1 // findings, or (of doctor) an incomplete input
	exitTrouble  = 2 // could not look: usage, input, output
)

const commands = `usage: chanx COMMAND [ARGUMENT...]

  doctor    say which goroutines are stuck, where, and who should be receiving
  recipe    find a concurrency pattern to copy, and print it
  vet       find, in the source, sends that can block forever
  help      say what a command does: chanx help doctor
  version   print the version of this build
`

// run is main without the process, so that tests can call it.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &console{stdin: stdin, stdout: stdout, stderr: stderr}
	if len(args) == 0 {
		io.WriteString(stderr, commands)
		return exitTrouble
	}
	switch args[0] {
	case "doctor":
		return runDoctor(args[1:], c)
	case "recipe":
		return runRecipe(args[1:], c)
	case "vet":
		return runVet(args[1:], c)
	case "help", "-h", "-help", "--help":
		return help(args[1:], c)
	case "version", "-version", "--version":
		fmt.Fprintln(stdout, version())
		return exitClean
	}
	fmt.Fprintf(stderr, "chanx: no command %q\n\n%s", args[0], commands)
	return exitTrouble
}

func help(args []string, c *console) int {
	switch {
	case len(args) == 0:
		io.WriteString(c.stdout, commands)
		return exitClean
	case args[0] == "doctor":
		return runDoctor([]string{"-h"}, c)
	case args[0] == "recipe":
		return runRecipe([]string{"-h"}, c)
	case args[0] == "vet":
		return runVet([]string{"-h"}, c)
	}
	fmt.Fprintf(c.stderr, "chanx: no command %q\n\n%s", args[0], commands)
	return exitTrouble
}

// version prints the build, for bug reports.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "chanx (unknown build)"
	}
	v := "chanx " + info.Main.Version + " " + info.GoVersion
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" || s.Key == "vcs.modified" && s.Value == "true" {
			v += " " + s.Key + "=" + s.Value
		}
	}
	return v
}
