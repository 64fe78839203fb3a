package dotenv

import (
	"regexp"
	"strings"
)

// escapedNUL is how NUL is written. Written as itself, some programs drop it,
// and editors take the file for binary.
const escapedNUL = "u0000"

// escapes are the escapes in double quotes, by what follows the backslash.
var escapes = map[byte]string{
	'\\': `\`, '"': `"`, '$': `$`, '`': "`", 'n': "\n", 'r': "\r",
}

// ambiguous are the bytes behind a backslash in double quotes that some of the
// programs named in the package comment take for an escape and some do not. A
// backslash before anything else stands for itself in all of them.
const ambiguous = "0abcftv'\n"

// escaper writes text in double quotes.
var escaper = strings.NewReplacer(
	`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`", "\r", `\r`, "\x00", `\`+escapedNUL,
)

// plain is text that needs no quotes for any program that is known.
var plain = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]*$`)

// quote returns the form in which value is written.
func quote(value string) string {
	switch {
	case plain.MatchString(value):
		return value
	case !strings.ContainsAny(value, "'\r\x00") && !strings.HasSuffix(value, `\`):
		return "'" + value + "'"
	default:
		return `"` + escaper.Replace(value) + `"`
	}
}

// singleQuoted consumes '…' and returns what is between.
func (p *parser) singleQuoted() (string, error) {
	end := strings.IndexByte(p.text[1:], '\'')
	if end < 0 {
		return "", p.fail(KindUnterminated)
	}
	value := p.text[1 : end+1]
	p.take(end + 2)
	if strings.HasSuffix(value, `\`) {
		return "", p.fail(KindEscape) // \' is a quote for python-dotenv and compose
	}
	return value, nil
}

// doubleQuoted consumes "…" and returns what it stands for.
func (p *parser) doubleQuoted() (string, error) {
	var value strings.Builder
	for at := 1; at < len(p.text); at++ {
		switch c := p.text[at]; {
		case c == '"':
			p.take(at + 1)
			return value.String(), nil
		case c != '\\':
			value.WriteByte(c)
		case strings.HasPrefix(p.text[at+1:], escapedNUL):
			value.WriteByte(0)
			at += len(escapedNUL)
		case at+1 == len(p.text):
			// The quote is not closed.
		default:
			at++
			text, known := escapes[p.text[at]]
			switch {
			case known:
				value.WriteString(text)
			case strings.IndexByte(ambiguous, p.text[at]) >= 0:
				p.take(at)
				return "", p.fail(KindEscape)
			default:
				value.WriteString(p.text[at-1 : at+1])
			}
		}
	}
	return "", p.fail(KindUnterminated)
}
