// Package document holds what a secret's document is and what can be done with
// it: reading and writing it, comparing and merging documents key by key, and
// the staged form of a proposed edit. All of it is pure. Values travel as
// sensitive.Value, and no error quotes one.
package document

import (
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/secretreview/secretreview/internal/sensitive"
)

// MaxBytes is the size at most of a document as it is stored, in bytes: AWS
// Secrets Manager's quota "Secret value size" (docs.aws.amazon.com/secretsmanager,
// "AWS Secrets Manager quotas").
const MaxBytes = 65536

// Document is what a live secret holds: one JSON object of strings. Keys are
// names and are shown; values are secret. A nil Document is an empty one to
// read from.
type Document map[string]sensitive.Value

// Parse reads a document as it is stored. It fails with an *Error: KindNotJSON,
// KindTrailingData, KindInvalidUTF8, KindNotObject, or, naming the key,
// KindNotString, KindDuplicateKey or KindInvalidUTF8. Keys may be any text.
func Parse(stored sensitive.Value) (Document, error) {
	text := []byte(stored.Reveal())
	if err := checkJSON(text); err != nil {
		return nil, err
	}
	return parseDocument(text)
}

// Encode writes the document as it is to be stored: keys sorted, no white
// space, nothing escaped for HTML, so that equal documents have equal bytes.
// It fails with an *Error of KindInvalidUTF8, or with a *TooLargeError.
func (d Document) Encode() (sensitive.Value, error) {
	plain, err := d.reveal()
	if err != nil {
		return sensitive.Value{}, err
	}
	return encodeJSON(plain, SubjectLive)
}

// Keys returns the keys, sorted by their bytes.
func (d Document) Keys() []string { return slices.Sorted(maps.Keys(d)) }

// Equal reports whether both have the same keys with the same values.
func (d Document) Equal(other Document) bool {
	return maps.EqualFunc(d, other, sensitive.Value.Equal)
}

// Clone returns a copy that can be written to, also of a nil Document.
func (d Document) Clone() Document {
	clone := make(Document, len(d))
	maps.Copy(clone, d)
	return clone
}

// same reports whether a and b agree about one key, which both may lack.
func same(a, b Document, key string) bool {
	inA, hasA := a[key]
	inB, hasB := b[key]
	return hasA == hasB && inA.Equal(inB)
}

// reveal returns the plain text for encoding. JSON cannot carry bytes that are
// not UTF-8; encoding/json would replace them without a word.
func (d Document) reveal() (map[string]string, error) {
	plain := make(map[string]string, len(d))
	for _, key := range d.Keys() {
		value := d[key].Reveal()
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return nil, &Error{Kind: KindInvalidUTF8, Key: key}
		}
		plain[key] = value
	}
	return plain, nil
}
