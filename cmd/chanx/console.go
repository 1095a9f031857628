package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/term"

	"example.com/chanx/internal/printable"
)

// console is the three streams of the program.
type console struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// say writes a line for the user, on stderr so that it never gets into the
// input of a script. It may contain names of files, URLs and answers of servers,
// so characters that control a terminal are removed.
func (c *console) say(format string, args ...any) {
	text := printable.Text(fmt.Sprintf(format, args...))
	io.WriteString(c.stderr, "chanx: "+text+"\n")
}

// terminal returns the descriptor behind a stream if that is a terminal.
func terminal(stream any) (fd int, ok bool) {
	f, ok := stream.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	return int(f.Fd()), true
}

// width returns the column at which lines of the report break. COLUMNS, set by
// the user, takes precedence; for a pipe it is 80.
func (c *console) width() int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return max(n, 40)
	}
	if fd, ok := terminal(c.stdout); ok {
		if n, _, err := term.GetSize(fd); err == nil && n > 0 {
			return max(n, 40)
		}
	}
	return 80
}

// color follows https://no-color.org: never if NO_COLOR is set, whatever the
// terminal; -color decides before both.
func (c *console) color(mode string) bool {
	switch mode {
	case "always":
		return true
	case "never":
		return false
	}
	_, ok := terminal(c.stdout)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
