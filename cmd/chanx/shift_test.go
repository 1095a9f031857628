package main

import (
	"fmt"
	"regexp"
	"strconv"
)

// goroutines are the numbers in a report's summary, which other goroutines of
// the program change.
var goroutines = regexp.MustCompile(`(?m)^\d+ goroutines in|\d+ of \d+ goroutines`)

var address = regexp.MustCompile(`(?m)(@|#\t| )(0x[0-9a-f]+)`)

// shift moves all addresses of a profile with debug=1, but not the offsets
// behind the names.
func shift(text string, by uint64) string {
	return address.ReplaceAllStringFunc(text, func(s string) string {
		m := address.FindStringSubmatch(s)
		pc, err := strconv.ParseUint(m[2], 0, 64)
		if err != nil {
			return s
		}
		return fmt.Sprintf("%s%#x", m[1], pc+by)
	})
}

// idleDump is a process that has nothing to do.
const idleDump = `goroutine 1 [chan receive, 12 minutes]:
example.com/idle/app.Run(...)
	/src/idle/app/app.go:40
main.main()
	/src/idle/main.go:12 +0x25

goroutine 6 [select]:
example.com/idle/app.(*Pool).work(0xc000010000)
	/src/idle/app/pool.go:31 +0x5c
created by example.com/idle/app.NewPool in goroutine 1
	/src/idle/app/pool.go:20 +0x7a
`
