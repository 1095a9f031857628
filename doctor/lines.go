package doctor

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// lines hands out an input line by line with whatever logged it taken off:
// the carriage return, the JSON of a container runtime, a prefix of time
// stamps and names. A line longer than maxLine loses its end, so that memory
// is bounded whatever the input.
type lines struct {
	in     *bufio.Reader
	n      int      // number of the current line, from 1
	open   bool     // the last line ended with the input, not with \n
	queue  [][]byte // lines of one JSON record still to be handed out
	prefix []byte   // what stood before the last header of a goroutine
}

// maxLine is above the 64 kB to which container runtimes cut their records.
const maxLine = 128 << 10

func newLines(r io.Reader) *lines {
	return &lines{in: bufio.NewReaderSize(r, maxLine)}
}

// next returns the next line without its end; the slice is good until the
// following call. The error is io.EOF at the end, or the reader's.
func (l *lines) next() ([]byte, error) {
	if len(l.queue) > 0 {
		line := l.queue[0]
		l.queue = l.queue[1:]
		return l.strip(line), nil
	}
	line, err := l.in.ReadSlice('\n')
	l.n++
	for errors.Is(err, bufio.ErrBufferFull) {
		// The rest of the line overwrites the buffer that line points to.
		line = bytes.Clone(line[:min(len(line), maxLine/2)])
		_, err = l.in.ReadSlice('\n')
	}
	if len(line) > 0 {
		l.open = err != nil
	}
	if err != nil && (len(line) == 0 || err != io.EOF) {
		return nil, err
	}
	line = bytes.TrimSuffix(line, []byte{'\n'})
	line = bytes.TrimSuffix(line, []byte{'\r'})
	if len(line) > 0 && line[0] == '{' {
		if text, ok := record(line); ok {
			l.queue = bytes.Split(bytes.TrimSuffix(text, []byte{'\n'}), []byte{'\n'})
			return l.next()
		}
	}
	return l.strip(line), nil
}

// record returns the text of a log record in JSON: docker's json-file, go
// test -json, journalctl -o json, and what structured loggers use.
func record(line []byte) ([]byte, bool) {
	var r struct {
		Log     *string `json:"log"`
		Output  *string // go test -json
		Message *string // journald writes it in capitals; case is ignored
		Msg     *string
	}
	if json.Unmarshal(line, &r) != nil {
		return nil, false
	}
	for _, s := range []*string{r.Log, r.Output, r.Message, r.Msg} {
		if s != nil {
			return []byte(*s), true
		}
	}
	return nil, false
}

// strip takes off the prefix that the header of this goroutine had.
func (l *lines) strip(line []byte) []byte {
	if len(l.prefix) == 0 && len(line) > 1 && line[0] == '\t' &&
		line[1] == '/' {
		return line // half of all lines, and never a header
	}
	line = l.unprefix(line)
	if rest, ok := bytes.CutPrefix(line, []byte("#011")); ok {
		line = append([]byte{'\t'}, rest...) // syslog's way to write a tab
	}
	return line
}

func (l *lines) unprefix(line []byte) []byte {
	if i := headerAt(line); i >= 0 {
		l.prefix = append(l.prefix[:0], line[:i]...)
		return line[i:]
	}
	if len(l.prefix) == 0 {
		return line
	}
	if rest, ok := afterPrefix(line, l.prefix); ok {
		return rest
	}
	return line
}

// headerAt returns where in line the header of a goroutine or profile begins,
// or -1.
func headerAt(line []byte) int {
	for from := 0; ; {
		i := bytes.Index(line[from:], []byte("goroutine"))
		if i < 0 {
			return -1
		}
		i += from
		if isHeader(line[i:]) && (i == 0 || !isWord(line[i-1])) {
			return i
		}
		from = i + len("goroutine")
	}
}

// isHeader reports whether line begins with "goroutine 7 [", "goroutine 7 gp="
// or "goroutine profile: total".
func isHeader(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("goroutine "))
	if !ok {
		return isTotal(line)
	}
	digits := len(rest)
	rest = bytes.TrimLeft(rest, "0123456789")
	if digits -= len(rest); digits == 0 {
		return isTotal(line)
	}
	return bytes.HasPrefix(rest, []byte(" [")) ||
		bytes.HasPrefix(rest, []byte(" gp="))
}

func isTotal(line []byte) bool {
	return bytes.HasPrefix(line, []byte("goroutine profile: total ")) ||
		bytes.HasPrefix(line, []byte("goroutineleak profile: total "))
}

// isWord reports whether what follows c is the end of a word or quoted.
func isWord(c byte) bool {
	return c == '_' || c == '"' || c == '\'' || '0' <= c && c <= '9' ||
		'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// afterPrefix returns what follows the prefix in line. Time stamps and
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
			if line[i] != c {
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
