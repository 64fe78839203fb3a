package dotenv

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/sensitive"
)

const (
	byteOrderMark = "\ufeff"
	blanks        = " \t"
)

// Parse reads a file, at most MaxBytes of it. It fails with an *Error, or with
// r's own error.
func Parse(r io.Reader) (File, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return File{}, fmt.Errorf("read the dotenv file: %w", err)
	}
	if len(data) > MaxBytes {
		return File{}, &Error{Kind: KindTooLarge}
	}
	text := strings.TrimPrefix(string(data), byteOrderMark)
	if at := firstInvalid(text); at >= 0 {
		return File{}, &Error{Kind: KindInvalidUTF8, Line: lineAt(text, at)}
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if at := strings.IndexByte(text, '\r'); at >= 0 {
		return File{}, &Error{Kind: KindCarriageReturn, Line: lineAt(text, at)}
	}
	p := parser{text: text, line: 1, lines: map[string]int{}, file: File{Values: document.Document{}}}
	for p.text != "" {
		if err := p.statement(); err != nil {
			return File{}, err
		}
	}
	return p.file, nil
}

// firstInvalid returns the offset of the first byte that is not UTF-8, or -1.
func firstInvalid(text string) int {
	for at, r := range text {
		if r != utf8.RuneError {
			continue
		}
		if _, size := utf8.DecodeRuneInString(text[at:]); size == 1 {
			return at
		}
	}
	return -1
}

func lineAt(text string, at int) int { return 1 + strings.Count(text[:at], "\n") }

// parser consumes a file from the front.
type parser struct {
	// text is what is left, line the number of the line that it begins on.
	text string
	line int
	// lines tells where each key stands.
	lines map[string]int
	file  File
}

// take consumes n bytes and returns them.
func (p *parser) take(n int) string {
	taken := p.text[:n]
	p.text = p.text[n:]
	p.line += strings.Count(taken, "\n")
	return taken
}

// takeLine consumes what is left of a line, and the newline, which it does not
// return.
func (p *parser) takeLine() string {
	if end := strings.IndexByte(p.text, '\n'); end >= 0 {
		return strings.TrimSuffix(p.take(end+1), "\n")
	}
	return p.take(len(p.text))
}

// skipBlanks consumes blanks and reports whether there were any.
func (p *parser) skipBlanks() bool {
	n := len(p.text) - len(strings.TrimLeft(p.text, blanks))
	p.take(n)
	return n > 0
}

func (p *parser) fail(kind Kind) error { return &Error{Kind: kind, Line: p.line} }

// statement consumes a blank line, a comment or an assignment.
func (p *parser) statement() error {
	p.skipBlanks()
	switch {
	case p.text == "" || p.text[0] == '\n':
		p.takeLine()
		return nil
	case p.text[0] == '#':
		return p.comment()
	default:
		return p.assignment()
	}
}

func (p *parser) comment() error {
	line := p.line
	header, found, ok := parseHeader(p.takeLine())
	if !found {
		return nil
	}
	if !ok || !p.file.Header.IsZero() {
		return &Error{Kind: KindHeader, Line: line}
	}
	p.file.Header = header
	return nil
}

func (p *parser) assignment() error {
	key, err := p.key()
	if err != nil {
		return err
	}
	line := p.line
	if first, has := p.lines[key]; has {
		return &Error{Kind: KindDuplicateKey, Line: line, FirstLine: first, Key: key}
	}
	value, err := p.value()
	if err != nil {
		return err
	}
	p.lines[key] = line
	p.file.Keys = append(p.file.Keys, key)
	p.file.Values[key] = sensitive.New(value)
	return nil
}

// key consumes everything up to and with "=".
func (p *parser) key() (string, error) {
	end := strings.IndexAny(p.text, "=\n")
	if end < 0 || p.text[end] == '\n' {
		return "", p.fail(KindMissingEquals)
	}
	key := strings.Trim(p.take(end), blanks)
	p.take(len("="))
	if word, rest, has := cutBlank(key); has && word == "export" {
		key = rest
	}
	if document.ValidKey(key) != nil {
		return "", p.fail(KindInvalidKey)
	}
	return key, nil
}

// cutBlank cuts s around its first run of blanks.
func cutBlank(s string) (before, after string, found bool) {
	at := strings.IndexAny(s, blanks)
	if at < 0 {
		return s, "", false
	}
	return s[:at], strings.TrimLeft(s[at:], blanks), true
}

// value consumes what follows "=", to the end of its last line.
func (p *parser) value() (string, error) {
	blank := p.skipBlanks()
	switch {
	case p.text == "":
		return "", nil
	case p.text[0] == '\'':
		return p.quoted(p.singleQuoted)
	case p.text[0] == '"':
		return p.quoted(p.doubleQuoted)
	case p.text[0] == '`':
		return "", p.fail(KindBacktick)
	default:
		return bare(p.takeLine(), blank), nil
	}
}

// bare cuts a comment off a value without quotes. A "#" begins a comment after
// a blank only: it may well be a part of a password.
func bare(line string, blankBefore bool) string {
	for at := range len(line) {
		if line[at] != '#' {
			continue
		}
		if at == 0 && blankBefore || at > 0 && strings.IndexByte(blanks, line[at-1]) >= 0 {
			line = line[:at]
			break
		}
	}
	return strings.TrimRight(line, blanks)
}

// quoted consumes a value in quotes, and what may follow it on its last line.
func (p *parser) quoted(read func() (string, error)) (string, error) {
	value, err := read()
	if err != nil {
		return "", err
	}
	blank := p.skipBlanks()
	if p.text != "" && p.text[0] != '\n' && (!blank || p.text[0] != '#') {
		return "", p.fail(KindTextAfterQuote)
	}
	p.takeLine()
	return value, nil
}
