// Package dotenv reads and writes dotenv files: lines of KEY=value.
//
// Writing and reading back gives the same value for every text there is, and
// what is written means the same to a POSIX shell (set -a; . ./file) wherever
// both are possible. Nothing is ever expanded: a "$" is a "$".
//
// # What is written
//
// One line a key, sorted, in the first of these forms that can hold the value:
//
//   - bare, for letters, digits and _ @ % + = : , . / -
//   - in single quotes, for text without single quote, carriage return and NUL
//     that does not end in a backslash; newlines stand as they are
//   - in double quotes, with a backslash before \ " $ and `, with \r for a
//     carriage return and \u0000 for NUL
//
// How other programs read these forms (tried with dash 0.5.12, bash 5.2, npm's
// dotenv 18.0.10, Node 20's util.parseEnv, python-dotenv 1.2.4 and compose-go
// 2.16.2, over thousands of values made of every character with a meaning):
//
//   - bare: all alike, "docker run --env-file" too
//   - single quotes: all alike, but python-dotenv takes \\ for one backslash,
//     and expands ${NAME} in every form unless told not to
//   - double quotes: the shells as meant, but for \r and \u0000, for which they
//     have no escape; compose as meant, but for \` and \u0000; python-dotenv as
//     meant, but for \$, \` and \u0000; dotenv and Node leave every backslash
//     where it stands, but for \r in dotenv
//
// A shell takes no key with '.' or '-', and "docker run --env-file" no quotes.
//
// # What is read
//
// The forms above, and what other programs write: "export " before a key, white
// space around "=", a byte order mark, CRLF, blank lines, comments on a line of
// their own or after white space behind a value, several lines in either kind of
// quotes, \n in double quotes, and bare values of any text that does not begin
// with a quote, in which neither "\" nor "#" in the middle of a word is special.
//
// An escape, a quote or a carriage return that the programs above read
// differently is refused rather than guessed, since a wrong guess would change a
// secret without a word. A key that stands twice is refused too.
//
// # Why not a library
//
// github.com/hashicorp/go-envparse is careful, but drops what follows a "#" in
// a bare value ("p#ss" becomes "p"), has no values of several lines, lets a
// second KEY replace the first silently, stops at lines of 64 KiB and at keys
// with "-", and quotes pieces of the file in its errors. The other libraries
// expand "$" or have no form that every text survives.
package dotenv

import "github.com/secretreview/secretreview/internal/document"

// MaxBytes is the size at most of a file that Parse reads, in bytes. No file
// with a document of document.MaxBytes comes near it, unless by comments.
const MaxBytes = 1 << 20

// File is what a dotenv file says.
type File struct {
	Values document.Document
	// Keys lists the keys of Values in the order of the file.
	Keys []string
	// Header is the file's header, zero if it has none.
	Header Header
}
