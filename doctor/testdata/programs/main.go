// Command programs hangs, or idles, in one known way and dumps its own
// goroutines. The dumps under ../corpus come from it; the test of the corpus
// has the expected answers.
//
//	programs -case incident -form debug1|debug2|thrice|sigquit|system|none
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"time"
)

// cases are run on the main goroutine. A case that returns has started its
// goroutines and main sleeps beside them.
var cases = map[string]func(){}

// n is how many goroutines of a kind a case starts: enough to be too many,
// few enough for dumps that can be read.
const n = 12

func main() {
	name := flag.String("case", "", "what to run")
	form := flag.String("form", "debug2", "what to write")
	list := flag.Bool("list", false, "list the cases")
	flag.Parse()
	if *list {
		for name := range cases {
			fmt.Println(name)
		}
		return
	}
	run, ok := cases[*name]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such case:", *name)
		os.Exit(2)
	}
	if *form != "none" {
		go dump(*form)
	}
	run()
	time.Sleep(time.Hour)
}

func dump(form string) {
	time.Sleep(700 * time.Millisecond)
	switch form {
	case "debug1":
		profile()
	case "debug2":
		pprof.Lookup("goroutine").WriteTo(os.Stdout, 2)
	case "thrice":
		for range 3 {
			pprof.Lookup("goroutine").WriteTo(os.Stdout, 2)
			time.Sleep(500 * time.Millisecond)
		}
	case "sigquit":
		debug.SetTraceback("all")
		quit()
	case "system":
		debug.SetTraceback("system")
		quit()
	}
	os.Exit(0)
}

// profile writes the profile and then what /debug/pprof/symbol would answer
// for its addresses.
func profile() {
	var b strings.Builder
	pprof.Lookup("goroutine").WriteTo(&b, 1)
	os.Stdout.WriteString(b.String())
	fmt.Println("\nnum_symbols: 1")
	seen := map[string]bool{}
	for _, word := range strings.Fields(b.String()) {
		if !strings.HasPrefix(word, "0x") || seen[word] {
			continue
		}
		seen[word] = true
		var pc uintptr
		fmt.Sscanf(word, "%v", &pc)
		if f := runtime.FuncForPC(pc - 1); f != nil {
			fmt.Printf("%s %s\n", word, f.Name())
		}
	}
}
