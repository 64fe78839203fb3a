package document

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/secretreview/secretreview/internal/sensitive"
)

// member is one member of a JSON object, its value as it was written.
type member struct {
	key string
	raw json.RawMessage
}

// checkJSON requires text to be one JSON value in valid UTF-8. The errors of
// encoding/json quote what they read, so none of them is passed on.
func checkJSON(text []byte) error {
	if !utf8.Valid(text) {
		return &Error{Kind: KindInvalidUTF8}
	}
	if json.Valid(text) {
		return nil
	}
	var first json.RawMessage
	if json.NewDecoder(bytes.NewReader(text)).Decode(&first) == nil {
		return &Error{Kind: KindTrailingData}
	}
	return &Error{Kind: KindNotJSON}
}

// members reads an object that checkJSON has passed, in the order of its text.
// Unlike encoding/json it refuses a key that is there twice.
func members(text []byte) ([]member, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil, &Error{Kind: KindNotObject}
	}
	var found []member
	seen := map[string]bool{}
	for decoder.More() {
		start := decoder.InputOffset()
		token, err := decoder.Token()
		key, isString := token.(string)
		if err != nil || !isString {
			return nil, &Error{Kind: KindNotJSON}
		}
		if hasLoneSurrogate(text[start:decoder.InputOffset()]) {
			return nil, &Error{Kind: KindInvalidUTF8, Key: key}
		}
		if seen[key] {
			return nil, &Error{Kind: KindDuplicateKey, Key: key}
		}
		seen[key] = true
		var raw json.RawMessage
		if decoder.Decode(&raw) != nil {
			return nil, &Error{Kind: KindNotJSON}
		}
		found = append(found, member{key, raw})
	}
	return found, nil
}

// parseDocument reads an object of strings that checkJSON has passed.
func parseDocument(text []byte) (Document, error) {
	found, err := members(text)
	if err != nil {
		return nil, err
	}
	d := make(Document, len(found))
	for _, m := range found {
		value, kind := parseString(m.raw)
		if kind != "" {
			return nil, &Error{Kind: kind, Key: m.key}
		}
		d[m.key] = sensitive.New(value)
	}
	return d, nil
}

// parseString reads a JSON string, or returns the kind of what is wrong.
func parseString(raw []byte) (string, Kind) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", KindNotString
	}
	if hasLoneSurrogate(raw) {
		return "", KindInvalidUTF8
	}
	var value string
	if json.Unmarshal(raw, &value) != nil {
		return "", KindNotString
	}
	return value, ""
}

// hasLoneSurrogate reports whether a valid JSON string escapes one half of a
// surrogate pair, as "\ud800" does. encoding/json reads that as U+FFFD, and
// writing it back would change the secret.
func hasLoneSurrogate(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++ // whatever is escaped is no backslash that escapes
		unit := escapedUnit(raw, i)
		if !utf16.IsSurrogate(unit) {
			continue
		}
		if i+5 >= len(raw) || raw[i+5] != '\\' {
			return true
		}
		if utf16.DecodeRune(unit, escapedUnit(raw, i+6)) == utf8.RuneError {
			return true
		}
		i += 10
	}
	return false
}

// escapedUnit returns the UTF-16 unit of an escape whose "u" is at i, or 0 if
// it is another escape.
func escapedUnit(raw []byte, i int) rune {
	if i+5 > len(raw) || raw[i] != 'u' {
		return 0
	}
	unit, err := strconv.ParseUint(string(raw[i+1:i+5]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(unit)
}

// encodeJSON writes v, whose strings are valid UTF-8, in its one form.
func encodeJSON(v any, subject Subject) (sensitive.Value, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(v) != nil {
		return sensitive.Value{}, &Error{Kind: KindNotJSON}
	}
	text := bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
	if len(text) > MaxBytes {
		return sensitive.Value{}, &TooLargeError{Subject: subject, Bytes: len(text), Limit: MaxBytes}
	}
	return sensitive.New(string(text)), nil
}
