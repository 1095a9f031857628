package doctor

import (
	"bytes"
	"strconv"
)

// deadlock reads a report of github.com/sasha-s/go-deadlock:
//
//	POTENTIAL DEADLOCK:
//	Previous place where the lock was grabbed
//	goroutine 734 lock 0xc000812ba0
//	/src/cache.go:78 app.(*Cache).Get ??? <<<<<
//	/src/server.go:12 app.(*Server).ServeHTTP ???
//
//	Have been trying to lock it again for more than 30s
//	goroutine 735 lock 0xc000812ba0
//	/src/cache.go:90 app.(*Cache).Put ??? <<<<<
//
// Each goroutine in it becomes one of the dump: the one that tries to lock
// waits for a mutex, and the address of the lock is the first argument of the
// calls of both. The current stack of the holder follows in the usual form,
// after "Here is what goroutine 734 doing now", and replaces the first one.
func (p *parser) deadlock(line []byte) {
	text := bytes.TrimSpace(line)
	switch {
	case bytes.HasPrefix(text, []byte("POTENTIAL DEADLOCK:")):
		p.split()
		p.home = (*parser).deadlock
		p.step, p.report, p.waits = p.home, true, false
	case bytes.HasPrefix(text, []byte("Have been trying to lock")),
		bytes.HasPrefix(text, []byte("current goroutine ")):
		p.end()
		p.waits = true
	case bytes.HasPrefix(text, []byte("Previous place where the lock")):
		p.end()
		p.waits = false
	case bytes.HasPrefix(text, []byte("Here is what goroutine ")),
		bytes.HasPrefix(text, []byte("Other goroutines ")),
		bytes.HasPrefix(text, []byte("All current goroutines")):
		p.end()
	case len(text) == 0:
		p.end()
	case p.lockLine(text) || p.started && p.placeLine(text):
	default:
		p.end()
		p.outside(line)
	}
}

// lockLine reads "goroutine 734 lock 0xc000812ba0", with or without
// "current" before it.
func (p *parser) lockLine(text []byte) bool {
	text = bytes.TrimPrefix(text, []byte("current "))
	rest, ok := bytes.CutPrefix(text, []byte("goroutine "))
	number, lock, ok2 := bytes.Cut(rest, []byte(" lock "))
	id, err := strconv.ParseUint(string(number), 10, 64)
	if !ok || !ok2 || err != nil {
		return false
	}
	state := ""
	if p.waits {
		state = "sync.Mutex.Lock"
	}
	p.beginStack(id, 1, state)
	p.lock = parseArgs(lock)
	if p.waits {
		p.addCall([]byte("sync.(*Mutex).Lock"), nil, p.lock)
	}
	return true
}

// placeLine reads "/src/cache.go:78 app.(*Cache).Get ??? <<<<<".
func (p *parser) placeLine(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != ' ' || !isPath(text[:i]) {
			continue
		}
		name, _, _ := bytes.Cut(text[i+1:], []byte{' '})
		if !isSymbol(name) {
			return false
		}
		a := args{}
		if bytes.Contains(text, []byte("<<<<<")) {
			a = p.lock
		}
		p.addCall(name, text[:i], a)
		return true
	}
	return false
}
