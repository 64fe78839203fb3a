package world

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestEncodedMarksAreFound(t *testing.T) {
	const mark = "hush0123456789abcdef-what"
	for name, encode := range map[string]func(string) string{
		"plain":        func(s string) string { return s },
		"JSON":         func(s string) string { out, _ := json.Marshal(s); return string(out) },
		"a query":      url.QueryEscape,
		"%q":           func(s string) string { return fmt.Sprintf("%q", s) },
		"%x":           func(s string) string { return hex.EncodeToString([]byte(s)) },
		"%X":           func(s string) string { return fmt.Sprintf("%X", s) },
		"%v of bytes":  func(s string) string { return fmt.Sprintf("%v", []byte(s)) },
		"% x":          func(s string) string { return fmt.Sprintf("% x", s) },
		"% X":          func(s string) string { return fmt.Sprintf("% X", s) },
		"%#v of bytes": func(s string) string { return fmt.Sprintf("%#v", []byte(s)) },
		"numbers of JSON": func(s string) string {
			return strings.ReplaceAll(strings.Trim(fmt.Sprintf("%d", []byte(s)), "[]"), " ", ",")
		},
		"%+q of runes":    each(func(r rune) string { return fmt.Sprintf(`\x%02x`, r) }),
		"JSON, escaped":   each(func(r rune) string { return fmt.Sprintf(`\u%04x`, r) }),
		"JSON, Escaped":   each(func(r rune) string { return fmt.Sprintf(`\u%04X`, r) }),
		"a URL, escaped":  each(func(r rune) string { return fmt.Sprintf("%%%02x", r) }),
		"a URL, Escaped":  each(func(r rune) string { return fmt.Sprintf("%%%02X", r) }),
		"HTML":            each(func(r rune) string { return fmt.Sprintf("&#%d;", r) }),
		"HTML in hex":     each(func(r rune) string { return fmt.Sprintf("&#x%x;", r) }),
		"octal":           each(func(r rune) string { return fmt.Sprintf(`\%03o`, r) }),
		"UTF-16LE":        each(func(r rune) string { return string(r&0xff) + "\x00" }),
		"UTF-16BE":        each(func(r rune) string { return "\x00" + string(r&0xff) }),
		"base64":          func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"base64 for URLs": func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	} {
		for before := range 4 {
			for after := range 4 {
				t.Run(fmt.Sprintf("%s with %d characters before and %d after", name, before, after), func(t *testing.T) {
					content := []byte(encode("~\"ÿ~"[:before] + mark + "\\ÿ~~"[:after]))
					for _, pattern := range encodings(mark) {
						if bytes.Contains(content, pattern) {
							return
						}
					}
					t.Errorf("not found in %s", content)
				})
			}
		}
	}
}

// each writes every character in a way of its own.
func each(write func(rune) string) func(string) string {
	return func(s string) string {
		var out strings.Builder
		for _, r := range s {
			out.WriteString(write(r))
		}
		return out.String()
	}
}

func TestNothingIsFoundInWhatIsOnlyAlike(t *testing.T) {
	const mark = "hush0123456789abcdef"
	for _, content := range []string{"", "hush", mark[1:], mark[:len(mark)-1], strings.ToUpper(mark), base64.StdEncoding.EncodeToString([]byte(mark[2:]))} {
		for form, pattern := range encodings(mark) {
			if bytes.Contains([]byte(content), pattern) {
				t.Errorf("%q is found %s", content, form)
			}
		}
	}
}
