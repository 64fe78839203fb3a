package world

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"testing"
)

func TestEncodedMarksAreFound(t *testing.T) {
	const mark = "hush0123456789abcdef-what"
	for name, encode := range map[string]func(string) string{
		"plain":           func(s string) string { return s },
		"JSON":            func(s string) string { out, _ := json.Marshal(s); return string(out) },
		"a query":         url.QueryEscape,
		"%q":              func(s string) string { return fmt.Sprintf("%q", s) },
		"%x":              func(s string) string { return hex.EncodeToString([]byte(s)) },
		"%X":              func(s string) string { return fmt.Sprintf("%X", s) },
		"%v of bytes":     func(s string) string { return fmt.Sprintf("%v", []byte(s)) },
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
