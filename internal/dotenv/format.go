package dotenv

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/secretreview/secretreview/internal/document"
)

// Format writes values to w, sorted by key, in a single Write, with the header
// as the first line unless it is zero. Before it writes anything it fails with
// an *UnwritableError that names a key, or with an *Error of KindHeader. What
// it writes may hold control characters, as values may: it is for files and
// pipes, not for a terminal.
func Format(w io.Writer, values document.Document, header Header) error {
	var text strings.Builder
	if !header.IsZero() {
		if !header.valid() {
			return &Error{Kind: KindHeader}
		}
		text.WriteString(header.String() + "\n")
	}
	for _, key := range values.Keys() {
		if document.ValidKey(key) != nil {
			return &UnwritableError{Kind: KindInvalidKey, Key: key}
		}
		value := values[key].Reveal()
		if !utf8.ValidString(value) {
			return &UnwritableError{Kind: KindInvalidUTF8, Key: key}
		}
		text.WriteString(key + "=" + quote(value) + "\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}
