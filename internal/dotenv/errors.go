package dotenv

import (
	"fmt"

	"github.com/secretreview/secretreview/internal/document"
)

// Kind tells what is wrong with a file.
type Kind string

const (
	// KindTooLarge: the file has more than MaxBytes.
	KindTooLarge Kind = "TooLarge"
	// KindInvalidUTF8: bytes that are not UTF-8.
	KindInvalidUTF8 Kind = "InvalidUTF8"
	// KindCarriageReturn: a carriage return that ends no line. Some programs
	// take it for a newline.
	KindCarriageReturn Kind = "CarriageReturn"
	// KindMissingEquals: a line that is neither blank, a comment nor KEY=value.
	KindMissingEquals Kind = "MissingEquals"
	// KindInvalidKey: what stands before "=" is no document.ValidKey.
	KindInvalidKey Kind = "InvalidKey"
	// KindDuplicateKey: the key stands on FirstLine already.
	KindDuplicateKey Kind = "DuplicateKey"
	// KindUnterminated: the quote that opens on Line is never closed.
	KindUnterminated Kind = "UnterminatedQuote"
	// KindTextAfterQuote: text other than a comment follows a closing quote.
	KindTextAfterQuote Kind = "TextAfterQuote"
	// KindEscape: an escape that programs read differently.
	KindEscape Kind = "AmbiguousEscape"
	// KindBacktick: a value that begins with a backtick, which is a quote, a
	// command or itself, depending on the program.
	KindBacktick Kind = "Backtick"
	// KindHeader: a header that is malformed, or the second one.
	KindHeader Kind = "Header"
)

var kindText = map[Kind]string{
	KindTooLarge:       fmt.Sprintf("the file is larger than %d bytes", MaxBytes),
	KindInvalidUTF8:    "not valid UTF-8; save the file as UTF-8",
	KindCarriageReturn: `a carriage return that ends no line; write it as \r in double quotes`,
	KindMissingEquals:  "neither KEY=value nor a comment; a value of several lines needs quotes",
	KindInvalidKey:     "no valid key before '='; a key is a letter or '_', then letters, digits, '_', '.' or '-'",
	KindUnterminated:   "a quote opens here and is never closed",
	KindTextAfterQuote: "text follows the closing quote; quote the whole value, and leave a space before a comment",
	KindEscape:         `an escape that programs read differently; in double quotes write \\ for a backslash, and leave ' and tabs as they are`,
	KindBacktick:       "a value begins with a backtick, which programs read differently; use single or double quotes",
	KindHeader:         "a malformed or second \"" + headerMark + "\" line; pull the file again, or delete the line",
}

// Error says what is wrong with a file and where, and nothing that stands in
// it but a valid key.
type Error struct {
	Kind Kind
	// Line counts from 1; 0 means the file as a whole.
	Line int
	// FirstLine and Key are set for KindDuplicateKey only.
	FirstLine int
	Key       string
}

func (e *Error) Error() string {
	switch {
	case e.Kind == KindDuplicateKey:
		return fmt.Sprintf("line %d: key %s is set again, first on line %d; delete one of them", e.Line, document.Quote(e.Key), e.FirstLine)
	case e.Line == 0:
		return kindText[e.Kind]
	default:
		return fmt.Sprintf("line %d: %s", e.Line, kindText[e.Kind])
	}
}

// UnwritableError says that a document holds what no dotenv file can carry.
type UnwritableError struct {
	// Kind is KindInvalidKey, or KindInvalidUTF8 for the key's value.
	Kind Kind
	Key  string
}

func (e *UnwritableError) Error() string {
	if e.Kind == KindInvalidUTF8 {
		return fmt.Sprintf("the value of key %s is not valid UTF-8 and cannot stand in a dotenv file", document.Quote(e.Key))
	}
	return fmt.Sprintf("key %s cannot stand in a dotenv file; remove it from the environment with a change that unsets it", document.Quote(e.Key))
}
