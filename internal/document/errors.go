package document

import (
	"fmt"
	"strings"
)

// Kind tells what is wrong with a document.
type Kind string

// Kinds of what cannot be read or written.
const (
	// KindNotJSON: the text is not one JSON value.
	KindNotJSON Kind = "NotJSON"
	// KindTrailingData: text follows the JSON value.
	KindTrailingData Kind = "TrailingData"
	// KindInvalidUTF8: bytes that are not UTF-8, or an escaped half of a
	// surrogate pair, which no UTF-8 text can hold.
	KindInvalidUTF8 Kind = "InvalidUTF8"
	// KindNotObject: JSON, but not an object.
	KindNotObject Kind = "NotObject"
	// KindNotString: the value of Key is not a string.
	KindNotString Kind = "NotString"
	// KindDuplicateKey: the object has Key twice.
	KindDuplicateKey Kind = "DuplicateKey"
	// KindInvalidKey: Key cannot be proposed; see ValidKey.
	KindInvalidKey Kind = "InvalidKey"
)

// Kinds of a patch that contradicts itself; see Patch.Validate.
const (
	// KindEmptyPatch: the patch changes nothing.
	KindEmptyPatch Kind = "EmptyPatch"
	// KindSetAndUnset: Key is both set and unset.
	KindSetAndUnset Kind = "SetAndUnset"
	// KindUnsetTwice: Key is unset twice.
	KindUnsetTwice Kind = "UnsetTwice"
	// KindUnsetUnknown: Key is unset, but the base does not have it.
	KindUnsetUnknown Kind = "UnsetUnknown"
	// KindNoOp: Key is set to the value that the base has.
	KindNoOp Kind = "NoOp"
	// KindUntouched: Key is expected, but neither set nor unset.
	KindUntouched Kind = "Untouched"
)

// Kinds of a staged document that cannot be read; see ParseStaged.
const (
	// KindUnknownVersion: written by another release, in a form not known here.
	KindUnknownVersion Kind = "UnknownVersion"
	// KindUnknownField: Field has no meaning in this version.
	KindUnknownField Kind = "UnknownField"
	// KindMissingField: Field is not there.
	KindMissingField Kind = "MissingField"
	// KindInvalidField: Field is empty or has the wrong form.
	KindInvalidField Kind = "InvalidField"
)

var kindText = map[Kind]string{
	KindNotJSON:        "it is not JSON",
	KindTrailingData:   "text follows the JSON object",
	KindInvalidUTF8:    "it holds text that is not valid UTF-8",
	KindNotObject:      "it is not a JSON object",
	KindNotString:      "its value is not a string",
	KindDuplicateKey:   "it is there twice",
	KindInvalidKey:     "it must be a letter or '_', then letters, digits, '_', '.' or '-', at most 255 bytes in all",
	KindEmptyPatch:     "it changes nothing",
	KindSetAndUnset:    "it is both set and unset",
	KindUnsetTwice:     "it is unset twice",
	KindUnsetUnknown:   "it is unset, but was not there",
	KindNoOp:           "it is set to the value that it already has",
	KindUntouched:      "it is expected, but not changed",
	KindUnknownVersion: fmt.Sprintf("it has a version other than %d; use the release that staged it, or stage the change again", StagedVersion),
	KindUnknownField:   "it is not known in this version",
	KindMissingField:   "it is missing",
	KindInvalidField:   "it is empty or malformed",
}

// Error says what is wrong, where, and never a value.
type Error struct {
	Kind Kind
	// Field is the field of a staged document, empty for other documents.
	Field string
	// Key is the key that is wrong, as it is; Error escapes it.
	Key string
}

func (e *Error) Error() string {
	var where []string
	if e.Field != "" {
		where = append(where, "field "+Quote(e.Field))
	}
	if e.Key != "" || aboutKey[e.Kind] {
		where = append(where, "key "+Quote(e.Key))
	}
	if len(where) == 0 {
		where = append(where, "document")
	}
	return strings.Join(where, ", ") + ": " + kindText[e.Kind]
}

// aboutKey lists the kinds that always name a key, which may be empty text.
var aboutKey = map[Kind]bool{
	KindNotString: true, KindDuplicateKey: true, KindInvalidKey: true, KindSetAndUnset: true,
	KindUnsetTwice: true, KindUnsetUnknown: true, KindNoOp: true, KindUntouched: true,
}

// Subject names the kind of document that a TooLargeError is about.
type Subject string

const (
	// SubjectLive is a document as it would be live.
	SubjectLive Subject = "live"
	// SubjectStaged is a staged edit, which holds both old and new values.
	SubjectStaged Subject = "staged"
)

var tooLargeAdvice = map[Subject]string{
	SubjectLive:   "remove keys or shorten values",
	SubjectStaged: "split the change into smaller ones",
}

// TooLargeError says that AWS could not store a document. Both are bytes.
type TooLargeError struct {
	Subject      Subject
	Bytes, Limit int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the %s document would have %d bytes, and AWS stores at most %d: %s",
		e.Subject, e.Bytes, e.Limit, tooLargeAdvice[e.Subject])
}

// ForeignError says that a staged document or its tags belong to another
// change. Field is the first part of the Identity that differs.
type ForeignError struct{ Field string }

func (e *ForeignError) Error() string {
	return fmt.Sprintf("the staged secret belongs to another %s: stage the change again", e.Field)
}

// Quote shows a key in an error or message: quoted, with everything escaped
// that a terminal might act on, and cut where no valid key could be as long.
func Quote(key string) string {
	if len(key) <= MaxKeyBytes {
		return fmt.Sprintf("%q", key)
	}
	return fmt.Sprintf("%q and %d bytes more", key[:MaxKeyBytes], len(key)-MaxKeyBytes)
}
