package doctor

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
)

// lineCover is the text around the lines of a dump: the prefix of a log
// collector, the > of a quotation, the quotation marks of a value in logfmt or
// CSV. The header of a goroutine shows it, and it holds until the next one.
type lineCover struct {
	before []byte
	behind []byte // the end of a table's row, a mark for the line's end
	quote  byte   // the last byte of before, if the line goes on to its pair
	fresh  int    // lines for which shorten is still worth its while
	tried  int    // times that it was in vain
	keyed  bool   // before is the key of a member; see member
	other  bool   // what follows is a profile of something else; see foreign
}

const (
	maxCover = 512 // longer ones are no prefix
	maxTries = 16  // to shorten one, which is quadratic in it
)

// off removes the cover of a line.
func (c *lineCover) off(line []byte) []byte {
	if len(c.before)+len(c.behind) == 0 && len(line) > 1 && line[0] == '\t' &&
		line[1] == '/' {
		return line // half of all lines, and never a header
	}
	line = indented(c.uncovered(line))
	if len(c.before) > 0 || bytes.HasPrefix(line, []byte("#011")) {
		// This is how syslog writes a tab.
		if bytes.Contains(line, []byte("#011")) {
			line = bytes.ReplaceAll(line, []byte("#011"), []byte{'\t'})
		}
	}
	return line
}

func (c *lineCover) uncovered(line []byte) []byte {
	if i := headerAt(line); i >= 0 && i < maxCover &&
		(!c.other || isHeader(line[i:])) && c.learn(line, i) {
		return c.inside(c.beginning(line[i:]))
	}
	line = c.beginning(line)
	if len(c.before) == 0 {
		return line
	}
	if value, ok := c.member(line); ok {
		return value
	}
	rest, ok := afterPrefix(line, c.before)
	if !ok {
		if word, ok := c.afterBare(line, c.before); ok {
			return word
		}
	}
	if !ok {
		rest, ok = afterFields(line, c.before)
	}
	if !ok && c.fresh > 0 && c.tried < maxTries {
		c.fresh--
		if rest, ok = c.shorten(line); !ok {
			c.tried++
		}
	}
	if ok {
		return c.inside(rest)
	}
	return line
}

// learn makes the text before the header at i the cover of the following
// lines. A header within prose has text on both sides.
func (c *lineCover) learn(line []byte, i int) bool {
	before, quote := line[:i], byte(0)
	var behind []byte
	n := headerEnd(line[i:])
	switch {
	case i > 0 && isQuote(line[i-1]):
		quote = line[i-1]
	case bytes.Count(before, []byte{'"'})%2 == 1:
		quote = '"' // with a log's prefix within
	}
	if n > 0 {
		behind = tail(behindHeader(line[i:], n, quote))
	}
	if n < 0 || len(behind) == 0 &&
		len(bytes.TrimLeft(behindHeader(line[i:], n, quote), " \t\r,;}])")) > 0 {
		rest, ok := afterPrefix(line, c.before)
		if len(bytes.TrimSpace(before)) > 0 && n != len(line)-i &&
			!recordOnly(line, i) &&
			(!ok || len(rest) != len(line)-i) {
			return false
		}
	}
	if !bytes.Equal(c.before, before) {
		key := bytes.TrimRight(before, `"'`)
		c.keyed = len(key) <= 64 && memberKey.Match(key)
	}
	c.before, c.quote = append(c.before[:0], before...), quote
	c.behind = append(c.behind[:0], behind...)
	c.fresh = 3
	return true
}

// recordOnly reports whether the rest of line from i on is a record of a profile
// and nothing else, behind a blank.
func recordOnly(line []byte, i int) bool {
	_, addresses, _ := bytes.Cut(line[i:], []byte(" @"))
	for field := range bytes.FieldsSeq(addresses) {
		if !bytes.HasPrefix(field, []byte("0x")) {
			return false
		}
	}
	return i > 0 && (line[i-1] == ' ' || line[i-1] == '\t') && isRecord(line[i:])
}

// tail returns what stands behind each line of a dump, given the text behind a
// header: marks such as |, $ or \n, or the fields of a record. Text is none,
// and neither are parentheses, with which a call ends.
func tail(text []byte) []byte {
	if text = bytes.Trim(text, " \t\r"); len(text) == 0 {
		return nil
	}
	if isFields(text) {
		return text[:1]
	}
	marks := lineEndMarks.Replace(string(text))
	if len(text) > 16 || strings.Trim(string(text), ")]}") == "" ||
		strings.ContainsFunc(marks, func(r rune) bool {
			return unicode.IsLetter(r) || unicode.IsDigit(r)
		}) {
		return nil
	}
	return text
}

var lineEndMarks = strings.NewReplacer(`\n`, "", `\r`, "", "^M", "")

// isFields reports whether text is the object in JSON that loggers write behind
// a message.
func isFields(text []byte) bool {
	return bytes.HasPrefix(text, []byte(`{"`)) && text[len(text)-1] == '}'
}

// beginning returns the line without what stands behind it.
func (c *lineCover) beginning(line []byte) []byte {
	if len(c.behind) == 0 {
		return line
	}
	if c.behind[0] == '{' {
		if i := c.fieldsAt(line); i >= 0 {
			return line[:i]
		}
		return line
	}
	text := bytes.TrimRight(line, " \t\r")
	if rest, ok := bytes.CutSuffix(text, c.behind); ok {
		return bytes.TrimRight(rest, " ")
	}
	return line
}

// fieldsAt returns where the fields of a record begin behind a line of a dump,
// or -1.
func (c *lineCover) fieldsAt(line []byte) int {
	if len(c.behind) == 0 || c.behind[0] != '{' {
		return -1
	}
	i := bytes.Index(line, []byte("\t{\""))
	if i < 0 {
		i = bytes.Index(line, []byte(" {\""))
	}
	if i < 0 || !isFields(bytes.TrimSpace(line[i:])) {
		return -1
	}
	return i
}

// writtenTabs are ways in which a tab at the beginning of a line is written.
var writtenTabs = [...]string{`\t`, "^I", "=09", "\u2192", "\u00b7\u00b7", "#011"}

// indented restores the tab at the beginning of a line.
func indented(line []byte) []byte {
	if len(line) == 0 || isWord(line[0]) || line[0] <= ' ' {
		return line
	}
	for _, tab := range writtenTabs {
		if rest, ok := bytes.CutPrefix(line, []byte(tab)); ok {
			rest = bytes.TrimLeft(rest, "\u00b7 ")
			return append([]byte{'\t'}, rest...)
		}
	}
	return line
}

// otherMember matches a member of a record that is written over several lines,
// as YAML and journalctl -o export do, and memberKey its key.
var (
	otherMember = regexp.MustCompile(`^\s*(- )?[A-Za-z_@][\w@./-]*(: |=|:$)|^---$`)
	memberKey   = regexp.MustCompile(`^\s*(- )?[A-Za-z_@][\w@./-]*(: |=)$`)
)

// elided stands for a line that is no part of a dump.
var elided = []byte("--")

// member returns the value of a line in a record over several lines if it is of
// the member that the last header is in, and elided if it is of another.
func (c *lineCover) member(line []byte) ([]byte, bool) {
	if !c.keyed {
		return nil, false
	}
	key := bytes.TrimRight(c.before, `"'`)
	value, ok := bytes.CutPrefix(line, key)
	n := len(value)
	switch {
	case !ok && otherMember.Match(line) && !isOfDump(line):
		return elided, true
	case !ok:
		return nil, false
	case n > 1 && value[0] == '\'' && value[n-1] == '\'':
		return bytes.ReplaceAll(value[1:n-1], []byte("''"), []byte{'\''}), true
	case n > 1 && value[0] == '"' && value[n-1] == '"':
		quoted := lineCover{quote: '"'}
		return quoted.inside(value[1:]), true
	}
	return value, true
}

// behindHeader returns the text after a header of n bytes, up to the closing
// quotation mark.
func behindHeader(line []byte, n int, quote byte) []byte {
	if quote == 0 {
		return line[max(n, 0):]
	}
	c := lineCover{quote: quote}
	text := c.inside(line)
	return text[min(len(text), n):]
}

// shorten removes the beginning of the cover if the first lines after a header
// have only its end: the beginning belongs to a record that holds the whole
// dump.
func (c *lineCover) shorten(line []byte) ([]byte, bool) {
	for _, after := range [...]func(line, prefix []byte) ([]byte, bool){
		afterPrefix, afterFields, c.afterBare,
	} {
		for i := 1; i < len(c.before); i++ {
			if isWord(c.before[i-1]) {
				continue
			}
			rest, ok := after(line, c.before[i:])
			text := bytes.TrimSpace(c.inside(rest))
			if ok && (isOfDump(text) || hasFile(text) ||
				len(text) == 0 && len(bytes.TrimSpace(c.before[i:])) > 0) {
				c.before, c.keyed = append(c.before[:0], c.before[i:]...), false
				return rest, true
			}
		}
	}
	return nil, false
}

// afterBare is afterPrefix for a value without its quotation marks: slog and
// others write them only where they must.
func (c *lineCover) afterBare(line, prefix []byte) ([]byte, bool) {
	if c.quote == 0 || len(prefix) < 2 || !isQuote(prefix[len(prefix)-1]) {
		return nil, false
	}
	rest, ok := afterPrefix(line, prefix[:len(prefix)-1])
	if prefix[len(prefix)-2] == ',' {
		return rest, ok // CSV quotes a field only where it has a comma
	}
	word, _, _ := bytes.Cut(rest, []byte{' '})
	return word, ok
}

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

// inside returns the text before the closing quotation mark, without escapes.
func (c *lineCover) inside(line []byte) []byte {
	if n := len(c.before); c.quote == 0 && n > 0 && c.before[n-1] == ',' &&
		len(line) > 1 && line[0] == '"' && line[len(line)-1] == '"' {
		line = line[1 : len(line)-1] // a field of CSV that has a comma
	}
	if c.quote == 0 {
		return line
	}
	end := len(line)
	for i := 0; i < len(line); i++ {
		if line[i] == c.quote {
			end = i
			break
		}
		if line[i] == '\\' {
			i++
		}
	}
	if line = line[:end]; bytes.IndexByte(line, '\\') < 0 {
		return line
	}
	var plain []byte
	for len(line) > 0 {
		i := bytes.IndexByte(line, '\\')
		if i < 0 {
			i = len(line)
		}
		plain = append(plain, line[:i]...)
		if line = line[i:]; len(line) > 0 {
			text, n := unescapeFirst(line)
			plain, line = append(plain, text...), line[n:]
		}
	}
	return bytes.TrimRight(undecorated(plain), "\r\n")
}

// unescapeFirst returns the text of the escape at the beginning of line, and
// the length of the escape.
func unescapeFirst(line []byte) (text []byte, n int) {
	for n = 2; n <= min(10, len(line)); n++ {
		if text, whole := unescape(line[:n]); whole {
			return text, n
		}
	}
	return line, len(line)
}

// headerAt returns where in line the header of a goroutine or of a profile, or
// a record of one, begins, or -1.
func headerAt(line []byte) int {
	for from := 0; ; {
		i := bytes.Index(line[from:], []byte("goroutine"))
		if i < 0 {
			return recordAt(line)
		}
		i += from
		if (i == 0 || !isWord(line[i-1])) && headerEnd(line[i:]) != 0 {
			return i
		}
		from = i + len("goroutine")
	}
}

// recordAt returns where in line a record of a profile such as "7 @ 0x43e0c5
// 0x40a1b2" begins after something else, or -1. At the beginning of a line it
// is no news.
func recordAt(line []byte) int {
	at := bytes.Index(line, []byte(" @ 0x"))
	if at < 0 {
		return -1
	}
	i := at
	for i > 0 && '0' <= line[i-1] && line[i-1] <= '9' {
		i--
	}
	if i == at || i == 0 || isWord(line[i-1]) || line[i-1] == ':' ||
		line[i-1] == ']' {
		return -1
	}
	return i
}

// isWord reports whether c is of a word.
func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' ||
		'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// afterPrefix returns the rest of line after the prefix. Time stamps and
// process ids differ from line to line, so any run of digits matches any
// other, and so does a run of blanks. A line that ends early, but for blanks,
// is an empty one: loggers trim.
func afterPrefix(line, prefix []byte) ([]byte, bool) {
	i, j := 0, 0
	for j < len(prefix) {
		c := prefix[j]
		class := classOf(c)
		switch {
		case i == len(line):
			return nil, len(bytes.TrimSpace(prefix[j:])) == 0 && i > 0
		case class == 0:
			if line[i] != c && (c != ':' || line[i] != '-') { // grep has both
				return nil, false
			}
			i, j = i+1, j+1
		default:
			if classOf(line[i]) != class {
				return nil, false
			}
			// The last run of blanks is taken as it is in the prefix: what
			// follows may be the indentation of a file name.
			last := class == ' ' && len(bytes.TrimLeft(prefix[j:], " ")) == 0
			if last {
				n := len(prefix) - j
				if len(line)-i < n || !bytes.Equal(line[i:i+n], prefix[j:]) {
					return nil, false
				}
				return line[i+n:], true
			}
			for i < len(line) && classOf(line[i]) == class {
				i++
			}
			for j < len(prefix) && classOf(prefix[j]) == class {
				j++
			}
		}
	}
	return line[i:], true
}

func classOf(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return '0'
	case c == ' ':
		return ' '
	}
	return 0
}

// afterFields is afterPrefix for a prefix that differs in more than its
// digits: a request id, a time stamp without its zeros. As many words as the
// prefix has are taken off, provided that most of them are alike, or one is
// and a line of a dump is behind them.
func afterFields(line, prefix []byte) ([]byte, bool) {
	like, words := 0, 0
	for len(prefix) > 0 && len(line) > 0 {
		n, m := wordEnd(prefix), wordEnd(line)
		if n == len(prefix) {
			return nil, false // it ends within a word
		}
		if alikeWords(prefix[:n], line[:m]) {
			like++
		}
		words++
		prefix, line = prefix[n:], line[m:]
		n, m = leadingBlanks(prefix), leadingBlanks(line)
		if n == len(prefix) {
			m = min(n, m)
		}
		prefix, line = prefix[n:], line[m:]
	}
	return line, len(prefix) == 0 &&
		(2*like > words || like > 0 && isOfDump(line))
}

func wordEnd(s []byte) int {
	if i := bytes.IndexAny(s, " \t"); i >= 0 {
		return i
	}
	return len(s)
}

func leadingBlanks(s []byte) int { return len(s) - len(bytes.TrimLeft(s, " \t")) }

// alikeWords reports whether two words are the same but for digits, or both begin
// like a time stamp.
func alikeWords(a, b []byte) bool {
	if rest, ok := afterPrefix(b, a); ok && len(rest) == 0 {
		return len(a) > 0
	}
	const stamp = len("2026-11-24T10:00:00")
	return len(a) >= stamp && len(b) >= stamp && a[10] == b[10] &&
		a[4] == b[4] && a[13] == b[13] && a[13] == ':'
}
