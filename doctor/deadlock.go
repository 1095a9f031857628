package doctor

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"example.com/chanx/internal/printable"
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
// after "Here is what goroutine 734 doing now", and replaces the first one; it
// keeps the lock. The first lines may be missing.
// One that locks recursively is one goroutine, with the place where it locked
// first further out. Locks taken in different orders are no stall: there the
// banner has the four places.
func (p *parser) deadlock(line []byte) {
	text := bytes.TrimSpace(line)
	switch {
	case bytes.HasPrefix(text, []byte("POTENTIAL DEADLOCK:")):
		p.beginReport(text)
	case bytes.HasPrefix(text, []byte("current goroutine ")):
		p.end()
		p.waits = true
		p.lockLine(text)
	case p.recursive && p.started && (len(text) == 0 ||
		bytes.HasSuffix(text, []byte(" (same goroutine)")) ||
		bytes.HasPrefix(text, []byte("all callers to this lock"))):
	case p.orders != nil && len(p.orders) < 4 &&
		bytes.HasSuffix(text, []byte("<<<<<")):
		p.ordered(text)
	case bytes.HasPrefix(text, []byte("Have been trying to lock")):
		p.end()
		p.waits = true
	case bytes.HasPrefix(text, []byte("Previous place where the lock")):
		p.end()
		p.waits = false
	case bytes.HasPrefix(text, []byte("Here is what goroutine ")):
		p.end()
	case bytes.HasPrefix(text, []byte("All current goroutines")):
		p.end()
		p.snap.Extract = false
	case bytes.HasPrefix(text, []byte("Other goroutines ")):
		p.end()
		p.waits = false
	case p.recursive && !p.waits && bytes.HasPrefix(text, []byte("goroutine ")):
		p.end() // it holds another lock: this one is held by its own caller
	case len(text) == 0:
		p.end()
	case p.lockLine(text) || p.started && p.placeLine(text):
	default:
		p.end()
		p.outside(line)
	}
}

// beginReport begins a report, of which text is the first line.
func (p *parser) beginReport(text []byte) {
	p.split()
	p.snap.Extract = true // a report is about two goroutines
	p.home = (*parser).deadlock
	p.step, p.report, p.waits, p.grabbed = p.home, true, false, nil
	p.recursive = bytes.Contains(text, []byte(" Recursive locking")) ||
		bytes.Contains(text, []byte(" Duplicate locking"))
	p.orders = nil
	if bytes.Contains(text, []byte(" Inconsistent locking")) {
		p.orders = make([]string, 0, 4)
	}
}

// withinReport returns where one of the first lines of a report whose beginning is
// missing stands in line, or -1.
func withinReport(line []byte) int {
	for _, begins := range [...]string{"Previous place where the lock was grabbed",
		"Have been trying to lock it again ", "goroutine "} {
		at := startsAfter(line, begins)
		if at < 0 {
			continue
		}
		_, lock, ok := lockHeader(bytes.TrimSpace(line[at:]))
		if ok && bytes.HasPrefix(lock, []byte("0x")) || begins[0] != 'g' {
			return at
		}
	}
	return -1
}

// lockHeader splits "goroutine 734 lock 0xc000812ba0", with or without
// "current" before it.
func lockHeader(text []byte) (id uint64, lock []byte, ok bool) {
	text = bytes.TrimPrefix(text, []byte("current "))
	rest, ok := bytes.CutPrefix(text, []byte("goroutine "))
	number, lock, ok2 := bytes.Cut(rest, []byte(" lock "))
	id, err := strconv.ParseUint(string(number), 10, 64)
	return id, lock, ok && ok2 && err == nil
}

// lockLine takes the header of a goroutine in a report.
func (p *parser) lockLine(text []byte) bool {
	id, lock, ok := lockHeader(text)
	if !ok {
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
		return true
	}
	if p.grabbed == nil {
		p.grabbed = make(map[uint64]args)
	}
	p.grabbed[id] = p.lock
	return true
}

// relocate takes goroutine id out of the dump, whose current stack follows. The
// innermost of its calls in that, too, gets the address of the lock.
func (p *parser) relocate(id uint64) {
	p.lock = p.grabbed[id]
	p.inside = make(map[string]bool)
	for _, f := range p.byID()[id].stack.Frames {
		p.inside[short(f.Func)] = p.lock.n > 0
	}
	p.remove(id)
}

// locked returns the arguments of the next call outwards of a goroutine.
func (p *parser) locked(name []byte, a args) args {
	if !p.inside[short(string(name))] {
		return a
	}
	p.inside = nil
	return p.lock
}

// ordered takes one of the four places of two locks, of which each is taken
// before the other.
func (p *parser) ordered(text []byte) {
	at, rest, _ := bytes.Cut(text, []byte{' '})
	name, _, _ := bytes.Cut(rest, []byte{' '})
	file := at[bytes.LastIndexByte(at, '/')+1:]
	p.orders = append(p.orders, fmt.Sprintf("%s (%s)", name, file))
	if len(p.orders) < 4 {
		return
	}
	banner := fmt.Sprintf("go-deadlock saw two locks taken in either order, which "+
		"may block: in %s before %s, and in %s before %s", p.orders[0], p.orders[1],
		p.orders[2], p.orders[3])
	p.snap.Banner = printable.Text(banner)
	p.unread(banner + "; whether they are blocked, a dump of the goroutines tells: " +
		"set deadlock.Opts.PrintAllCurrentGoroutines")
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
		p.addCall(qualified(name, text[:i]), text[:i], a)
		return true
	}
	return false
}

// qualified returns the function's name with the path of its package: go-deadlock
// writes sync.(*Group).Stop for example.com/app/sync.(*Group).Stop. The file has
// the path where it is below GOROOT, GOPATH or the module cache.
func qualified(name, file []byte) []byte {
	dir := strings.ReplaceAll(string(file), `\`, "/")
	dir = dir[:max(strings.LastIndexByte(dir, '/'), 0)]
	for _, root := range [...]string{"/pkg/mod/", "/src/"} {
		i := strings.LastIndex(dir, root)
		if i < 0 {
			continue
		}
		dir = dir[i+len(root):]
		if before, version, ok := strings.Cut(dir, "@"); ok {
			_, below, _ := strings.Cut(version, "/")
			dir = strings.TrimSuffix(before+"/"+below, "/")
		}
		if pkg := packageOf(string(name)); base(dir) == pkg {
			return append([]byte(dir), name[len(pkg):]...)
		}
		break
	}
	return name
}
