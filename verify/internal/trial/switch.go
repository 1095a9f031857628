package trial

import "fmt"

// SwitchFile is the name of the file that is added to a package with mistakes
// in it, and Switch its content: the variable that selects the mistake.
//
// All mistakes are compiled into one test binary, because compiling takes
// longer than most of the tests do.
const SwitchFile = "active_mutant.go"

func Switch(pkg string) []byte {
	return fmt.Appendf(nil, `package %s

import (
	"os"
	"strconv"
)

var activeMutant, _ = strconv.Atoi(os.Getenv("MUTANT"))
`, pkg)
}

// Choose is what turns mistake number n on; 0 is none.
func Choose(n int) string { return fmt.Sprintf("MUTANT=%d", n) }
