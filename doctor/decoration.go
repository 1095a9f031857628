package doctor

import (
	"bytes"
	"html"
	"regexp"
	"strings"
)

// Decorations are added to a line by a terminal, a web page or a chat: colors,
// links around numbers, blanks of other kinds, zero-width characters, the
// backslashes of Markdown. They are removed before a line is read. Remaining
// ones in names are replaced when a stack is kept.

// decorations are the bytes that show that there may be some, by one byte that
// all of them have: a line of a plain dump is searched for few.
var decorations = [...]struct {
	has   byte
	texts []string
}{
	{0x1b, []string{"\x1b"}},
	{'[', []string{"1b[", "33[", `\e[`, "^[[", "[0m", "[m", `\[`, "##["}},
	{']', []string{"](http", "](mailto:"}},
	{'&', []string{"&lt;", "&gt;", "&amp;", "&#", "&quot;", "sp;", "&Tab;"}},
	{'<', []string{"<a ", "<http", "<mailto:", "</", "<br"}},
	{'\\', []string{`\(`, `\<`, `(\*`, `\_`}},
	{0xc2, []string{"\u00a0", "\u00ad", "\u009b"}},
	{0xe2, []string{"\xe2\x80", "\xe2\x81", "\u241b"}},
	{0xe3, []string{"\u3000"}},
	{0xef, []string{"\ufeff", "\ufffd[", "\xef\xbc", "\xef\xbd"}},
	{';', []string{"_bk;t="}},
}

func decorated(b []byte) bool {
	for i := range decorations {
		d := &decorations[i]
		if bytes.IndexByte(b, d.has) < 0 || d.has == '[' && !bracketed(b) {
			continue
		}
		for _, text := range d.texts {
			if bytes.Contains(b, []byte(text)) {
				return true
			}
		}
	}
	return false
}

// bracketed reports whether some bracket in b may be of a color. Each header has
// one that is not.
func bracketed(b []byte) bool {
	for i := 0; ; i++ {
		n := bytes.IndexByte(b[i:], '[')
		if n < 0 {
			return false
		}
		if i += n; i > 0 && b[i-1] != ' ' || i+1 == len(b) || b[i+1] == 'm' ||
			b[i+1] == '0' {
			return true
		}
	}
}

// undecorated returns line without decorations, in its place if it has none.
func undecorated(line []byte) []byte {
	if !decorated(line) {
		return line
	}
	line = withoutStamp(withoutEscapes(escapes(line)))
	line = withoutLinks(line)
	if bytes.IndexByte(line, '<') >= 0 {
		line = withoutTags(line)
	}
	text := string(line)
	for range 2 { // a page may show the source of another
		if strings.IndexByte(text, '&') < 0 || strings.IndexByte(text, ';') < 0 {
			break
		}
		text = html.UnescapeString(text)
	}
	text = strings.Map(halfWidth, invisibleChars.Replace(text))
	return withoutBackslashes([]byte(text))
}

// halfWidth returns the character of ASCII that an input method made a wide one
// of.
func halfWidth(r rune) rune {
	if '\uff01' <= r && r <= '\uff5e' {
		return r - '\uff01' + '!'
	}
	return r
}

// withoutStamp takes off the time that Buildkite puts before a line, in an escape
// whose first and last character are lost when a log is copied.
func withoutStamp(line []byte) []byte {
	before, rest, ok := bytes.Cut(line, []byte("_bk;t="))
	if !ok {
		return line
	}
	return append(bytes.Clone(before), bytes.TrimLeft(rest, "0123456789")...)
}

// invisibleChars removes invisible characters and makes a blank of the blanks of
// typesetting.
var invisibleChars = func() *strings.Replacer {
	var pairs []string
	for _, c := range "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008" +
		"\u2009\u200a\u202f\u205f\u3000" {
		pairs = append(pairs, string(c), " ")
	}
	for _, c := range "\u00ad\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b" +
		"\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff" {
		pairs = append(pairs, string(c), "")
	}
	for _, command := range [...]string{"error", "warning", "debug", "group", "section"} {
		pairs = append(pairs, "##["+command+"]", "") // of CI systems
	}
	return strings.NewReplacer(pairs...)
}()

// writtenEscapes are ways in which the escape of a terminal is written out.
var writtenEscapes = strings.NewReplacer(`\x1b[`, "\x1b[", `\u001b[`, "\x1b[",
	`\033[`, "\x1b[", "#033[", "\x1b[", `\e[`, "\x1b[", "^[[", "\x1b[",
	"\u241b[", "\x1b[", "\u009b", "\x1b[", "\ufffd[", "\x1b[")

// lostEscape is a color whose escape has been lost. It is looked for in lines
// that end a color.
var lostEscape = regexp.MustCompile(`\[[0-9]*(;[0-9]+)*m`)

// escapes restores the escapes of a terminal.
func escapes(line []byte) []byte {
	line = []byte(writtenEscapes.Replace(string(line)))
	if bytes.IndexByte(line, 0x1b) < 0 &&
		(bytes.Contains(line, []byte("[0m")) || bytes.Contains(line, []byte("[m"))) {
		line = lostEscape.ReplaceAll(line, nil)
	}
	return line
}

// withoutBackslashes takes off the backslashes with which Markdown protects
// its marks, unless the line has others, as a path of Windows does.
func withoutBackslashes(line []byte) []byte {
	const marks = "*_[]()<>{}#~`.-+!|"
	if bytes.IndexByte(line, '\\') < 0 {
		return line
	}
	var plain []byte
	for i := 0; i < len(line); i++ {
		if line[i] == '\\' {
			if i+1 == len(line) || strings.IndexByte(marks, line[i+1]) < 0 {
				return line
			}
			i++
		}
		plain = append(plain, line[i])
	}
	return plain
}

// withoutEscapes takes off the sequences of a terminal: ESC [ … to a letter,
// ESC ] … to a bell, and ESC with one more character.
func withoutEscapes(line []byte) []byte {
	i := bytes.IndexByte(line, 0x1b)
	if i < 0 {
		return line
	}
	var plain []byte
	for ; i >= 0; i = bytes.IndexByte(line, 0x1b) {
		plain = append(plain, line[:i]...)
		line = line[i+1:]
		end := min(1, len(line))
		switch {
		case len(line) == 0:
		case line[0] == '[':
			for end < len(line) && (line[end] < '@' || line[end] > '~') {
				end++
			}
			end = min(end+1, len(line))
		case line[0] == ']':
			if end = bytes.IndexAny(line, "\a\x1b"); end < 0 {
				end = len(line)
			} else if line[end] == '\a' {
				end++
			}
		}
		line = line[end:]
	}
	return append(plain, line...)
}

// withoutLinks makes 1[690](https://…) into 1690, as web pages of CI systems
// are copied.
func withoutLinks(line []byte) []byte {
	var plain []byte
	for {
		i := linkAt(line)
		if i < 0 {
			break
		}
		open := bytes.LastIndexByte(line[:i], '[')
		end := bytes.IndexByte(line[i:], ')')
		if open < 0 || end < 0 {
			break
		}
		plain = append(plain, line[:open]...)
		plain = append(plain, line[open+1:i]...)
		line = line[i+end+1:]
	}
	return append(plain, line...)
}

// linkAt returns where the target of a link of Markdown begins, or -1.
func linkAt(line []byte) int {
	if i := bytes.Index(line, []byte("](http")); i >= 0 {
		return i
	}
	return bytes.Index(line, []byte("](mailto:"))
}

// htmlTags are the elements of HTML that stand within the lines of a page; a name
// such as <autogenerated> is none.
var htmlTags = set(strings.Fields("a span br b i em strong pre code td tr th div p " +
	"li tt font mark details summary"))

// maxTag is longer than a tag with its attributes is.
const maxTag = 1 << 10

func withoutTags(line []byte) []byte {
	var plain []byte
	for {
		i := bytes.IndexByte(line, '<')
		if i < 0 {
			break
		}
		end := bytes.IndexByte(line[i:min(len(line), i+maxTag)], '>')
		name := strings.TrimFunc(string(line[i:i+max(end, 0)]), func(r rune) bool {
			return r == '<' || r == '/'
		})
		name, _, _ = strings.Cut(name, " ")
		if end > 0 && isLink(name) {
			plain = append(plain, linked(line[:i], line[i+1:i+end])...)
			line = line[i+end+1:]
			continue
		}
		if end < 0 || !htmlTags[strings.ToLower(name)] {
			plain = append(plain, line[:i+1]...)
			line = line[i+1:]
			continue
		}
		plain = append(plain, line[:i]...)
		line = line[i+end+1:]
	}
	return append(plain, line...)
}

func isLink(name string) bool {
	return strings.HasPrefix(name, "http://") ||
		strings.HasPrefix(name, "https://") || strings.HasPrefix(name, "mailto:")
}

// linked returns the text that a chat or a mail program made a link of:
// <http://example.com/a|example.com/a>, <http://example.com/a>, or
// "example.com/a <http://example.com/a>", where before has it already.
func linked(before, link []byte) []byte {
	_, text, named := bytes.Cut(link, []byte{'|'})
	if !named {
		_, text, _ = bytes.Cut(link, []byte{':'})
		text = bytes.TrimPrefix(text, []byte("//"))
	}
	if rest, ok := bytes.CutSuffix(before, []byte{' '}); ok && !named &&
		bytes.HasSuffix(rest, text) {
		return rest
	}
	return append(bytes.Clone(before), text...)
}
