package fix

import (
	"os"
	"runtime"
	"strings"
	"testing"
)

// TestSenders runs each function, and waits until the number of its blocked
// senders is the one of the environment variable of its name: it ends only if
// the function does what the variable says.
func TestSenders(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	for name, f := range map[string]func(){
		"One":    func() { One(stop) },
		"Handed": func() { Handed(stop) },
		"Two":    Two,
		"Each":   func() { Each([]int{1, 2, 3}) },
		"After":  func() { go After([]int{1, 2, 3}) },
		"Produce": func() {
			done := make(chan struct{})
			started := make(chan int)
			go Produce(done, started)
			<-started
			close(done)
		},
	} {
		f()
		for want := os.Getenv(name) == "leaks"; leaks(name) != want; {
			runtime.Gosched()
		}
	}
}

// leaks reports whether a goroutine is blocked in a sender of a function.
func leaks(name string) bool {
	buf := make([]byte, 1<<20)
	for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		sender := "fix." + name
		switch name {
		case "Two":
			sender = "fix.half"
		case "Handed":
			sender = "fix.begin"
		}
		if strings.Contains(g, "[chan send") && strings.Contains(g, sender) {
			return true
		}
	}
	return false
}
