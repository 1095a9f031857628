package doctor

import (
	"unicode/utf16"
	"unicode/utf8"
)

// utf16Text converts UTF-16, the output of > in PowerShell, to UTF-8. The byte
// order mark at the beginning identifies it, or in a part of a file that every
// other byte of the first ones is zero.
type utf16Text struct {
	known bool
	order int // 0: no UTF-16; 1: low byte first; 2: high byte first
	odd   []byte
	half  rune
}

// narrow returns b, converted if it is UTF-16.
func (w *utf16Text) narrow(b []byte) []byte {
	if !w.known && len(w.odd)+len(b) > 0 {
		b = append(w.odd, b...)
		if w.odd = nil; len(b) < 2 && b[0] >= 0xfe {
			w.odd = append(w.odd, b...)
			return nil
		}
		w.known = true
		switch {
		case len(b) > 1 && b[0] == 0xff && b[1] == 0xfe:
			w.order = 1
		case len(b) > 1 && b[0] == 0xfe && b[1] == 0xff:
			w.order = 2
		case everyOther(b, 1):
			w.order = 1
		case everyOther(b, 0):
			w.order = 2
		}
	}
	if w.order == 0 {
		return b
	}
	return w.decode(append(w.odd, b...))
}

func (w *utf16Text) decode(b []byte) (text []byte) {
	for ; len(b) >= 2; b = b[2:] {
		c := rune(b[0]) | rune(b[1])<<8
		if w.order == 2 {
			c = rune(b[1]) | rune(b[0])<<8
		}
		switch {
		case w.half != 0:
			c = utf16.DecodeRune(w.half, c)
			w.half = 0
		case utf16.IsSurrogate(c):
			w.half = c
			continue
		}
		text = utf8.AppendRune(text, c)
	}
	w.odd = append([]byte(nil), b...)
	return text
}

// everyOther reports whether the first characters of b have a zero byte, at
// this place of two.
func everyOther(b []byte, at int) bool {
	if len(b) < 8 {
		return false
	}
	for i, c := range b[:8] {
		if (c == 0) != (i%2 == at) {
			return false
		}
	}
	return true
}
