// Package terminal makes text safe and fit for a terminal: it escapes what
// came from a secret or a user, measures and wraps by columns, and colours.
package terminal

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// NewlineMark stands for a newline at the end of one of Lines.
const NewlineMark = "⏎"

// Escape returns s as one line that a terminal shows and does not act on. Where
// each character of s shows as itself, that is s. Otherwise it is s in double
// quotes, escaped as Go escapes strings: what has a control, invisible or
// direction-changing character, a NewlineMark or invalid UTF-8, what begins or
// ends with a space or begins with a quote, and the empty string. No two
// strings have the same result.
func Escape(s string) string {
	if s != "" && s[0] != '"' && s[0] != ' ' && s[len(s)-1] != ' ' && shows(s) {
		return s
	}
	return quote(s)
}

// maxMarks is how many combining marks may follow a letter: enough for every
// living script, too few to reach into the lines above and below.
const maxMarks = 3

// shower tells, character by character, whether each shows as itself.
type shower struct {
	// base says that a combining mark may follow, marks how many did.
	base  bool
	marks int
}

func (s *shower) shows(r rune) bool {
	if unicode.In(r, unicode.Mn, unicode.Mc) && !ignorable(r) {
		s.marks++
		return s.base && s.marks <= maxMarks
	}
	s.base, s.marks = unicode.IsLetter(r), 0
	return r == ' ' || unicode.IsPrint(r) && !ignorable(r) && !strings.ContainsRune(NewlineMark, r) && columns.RuneWidth(r) > 0
}

// ignorable reports characters that unicode counts as printable and that no
// terminal shows: fillers, joiners, variation selectors, the empty braille cell.
func ignorable(r rune) bool {
	return r == '\u2800' || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// shows reports whether every character of s shows as itself.
func shows(s string) bool {
	var at shower
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) {
			return false
		}
		if !at.shows(r) {
			return false
		}
	}
	return true
}

func quote(s string) string {
	var out strings.Builder
	var at shower
	out.WriteByte('"')
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, s[0])
			at = shower{}
		case r == '"', r == '\\', !at.shows(r):
			quoted := strconv.QuoteRuneToASCII(r)
			if r == '"' {
				quoted = `'\"'`
			}
			out.WriteString(quoted[1 : len(quoted)-1])
			// A mark after an escape would combine with the escape's last digit.
			at = shower{}
		default:
			out.WriteRune(r)
		}
		s = s[size:]
	}
	out.WriteByte('"')
	return out.String()
}

// Unescape returns the text that Escape made s of.
func Unescape(s string) (string, error) {
	if !strings.HasPrefix(s, `"`) {
		return s, nil
	}
	return strconv.Unquote(s)
}

// Lines returns s as the lines of a block, each safe to show: NewlineMark stands
// where s has a newline, and a line is quoted, as Escape does it, where it would
// not show as itself. Spaces at its beginning stay. No two strings have the same
// result.
func Lines(s string) []string {
	var lines []string
	for s != "" || lines == nil {
		line, rest, ended := strings.Cut(s, "\n")
		lines = append(lines, escapeLine(line, ended))
		s = rest
	}
	return lines
}

func escapeLine(line string, ended bool) string {
	if ended {
		if strings.HasPrefix(line, `"`) || !shows(line) {
			line = quote(line)
		}
		return line + NewlineMark
	}
	if line == "" || strings.HasPrefix(line, `"`) || strings.HasSuffix(line, " ") || !shows(line) {
		return quote(line)
	}
	return line
}

// Writer escapes what is written to a terminal or into JSON as \uXXXX: every
// character that Escape would escape, but for newlines. It is for machine
// formats, whose own escapes leave much alone; inside a JSON string the result
// means the same.
type Writer struct {
	Out io.Writer

	at shower
	// part is the beginning of a character whose rest is not written yet.
	part []byte
}

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	text := slices.Concat(w.part, p)
	w.part = nil
	var out bytes.Buffer
	for len(text) > 0 {
		if !utf8.FullRune(text) {
			w.part = bytes.Clone(text)
			break
		}
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		switch {
		case r == '\n':
			w.at = shower{}
			out.WriteByte('\n')
		case w.at.shows(r):
			out.WriteRune(r)
		default:
			w.at = shower{}
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&out, `\u%04x`, unit)
			}
		}
	}
	if _, err := w.Out.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}
