package doctor

import (
	"bytes"
	"strings"

	"example.com/chanx/internal/printable"
)

// exactBanners are banners that nothing else says: they count behind any text.
var exactBanners = [...]string{
	"fatal error: all goroutines are asleep - deadlock!",
	"panic: test timed out after ",
}

// banners begin the line that introduces a crash dump. In prose they say
// nothing, so only a log's prefix may stand before them.
var banners = [...]string{
	"fatal error: ", "panic: ", "SIGQUIT: ", "SIGABRT: ", "SIGTRAP: ",
	"unexpected fault address ",
}

// banner takes a line that introduces a crash, which begins a dump.
func (p *parser) banner(line []byte) bool {
	for _, text := range exactBanners {
		if i := bytes.Index(line, []byte(text)); i >= 0 {
			p.crash(line[i:])
			return true
		}
	}
	for _, text := range banners {
		i := bytes.Index(line, []byte(text))
		switch {
		case i < 0:
		case plainBefore(line[:i]):
			p.crash(line[i:])
			return true
		case len(line) < 4<<10:
			p.notice = append(p.notice[:0], line...)
			return true
		}
	}
	return false
}

// crash begins a dump with its banner. A second one before any goroutine is
// the same crash: a panic that was recovered and raised again.
func (p *parser) crash(line []byte) {
	p.split()
	p.notice = p.notice[:0]
	if p.snap.Banner == "" || isCertain(string(line)) {
		p.snap.Banner = printable.Text(string(line[:min(len(line), maxText)]))
	}
}

func isCertain(banner string) bool {
	for _, text := range exactBanners {
		if strings.HasPrefix(banner, text) {
			return true
		}
	}
	return false
}

// acceptNotice accepts the last possible banner if the following header has
// the same prefix.
func (p *parser) acceptNotice() {
	if len(p.notice) == 0 {
		return
	}
	rest, ok := afterPrefix(p.notice, p.in.cover.before)
	if ok && len(p.in.cover.before) > 0 {
		for _, text := range banners {
			if bytes.HasPrefix(rest, []byte(text)) {
				p.crash(rest)
				break
			}
		}
	}
	p.notice = p.notice[:0]
}

// plainBefore reports whether s may stand before a crash banner: nothing, or
// the prefix of a log collector, but no prose.
func plainBefore(s []byte) bool {
	if len(bytes.TrimLeft(s, " \t>")) == 0 {
		return true
	}
	last := s[len(s)-1]
	return (last == ' ' || last == '\t') && len(s) < 64 &&
		bytes.ContainsAny(s, "0123456789|") && !bytes.Contains(s, []byte("http: "))
}
