package format

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/dotenv"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// Error says what is wrong with a text and where, and quotes nothing of it but a
// key.
type Error struct {
	// Line counts from 1; 0 means the text as a whole.
	Line int
	// Key is the key that is wrong, if HasKey.
	Key    string
	HasKey bool
	// Why is what is wrong, and what to do.
	Why string
}

func (e *Error) Error() string {
	var where []string
	if e.Line > 0 {
		where = append(where, fmt.Sprintf("line %d", e.Line))
	}
	if e.HasKey {
		where = append(where, "key "+document.Quote(e.Key))
	}
	if len(where) == 0 {
		return e.Why
	}
	return strings.Join(where, ", ") + ": " + e.Why
}

var byteOrderMark = []byte("\uFEFF")

const notUTF8 = "not valid UTF-8; save it as UTF-8"

func readDotenv(text []byte) (dotenv.File, error) { return dotenv.Parse(bytes.NewReader(text)) }

func readJSON(text []byte) (dotenv.File, error) {
	values, err := document.Parse(sensitive.New(string(bytes.TrimPrefix(text, byteOrderMark))))
	if err != nil {
		return dotenv.File{}, exit.Errorf(exit.Failure, "%w; only one object of strings is taken, so that nothing has to be guessed", err)
	}
	return dotenv.File{Values: values, Keys: values.Keys()}, nil
}

// readDocker reads as docker/cli's pkg/kvfile does, and refuses what that takes
// from elsewhere, or its releases read differently.
func readDocker(text []byte) (dotenv.File, error) {
	file := dotenv.File{Values: document.Document{}}
	first := map[string]int{}
	number := 0
	for raw := range bytes.Lines(bytes.TrimPrefix(text, byteOrderMark)) {
		number++
		key, value, err := dockerLine(raw)
		switch {
		case err != "":
			return dotenv.File{}, &Error{Line: number, Why: err}
		case key == "":
			continue
		case first[key] > 0:
			return dotenv.File{}, &dotenv.Error{Kind: dotenv.KindDuplicateKey, Line: number, FirstLine: first[key], Key: key}
		case outerQuotes(value):
			return dotenv.File{}, &Error{Line: number, Key: key, HasKey: true,
				Why: "some releases of docker take quotes around a value off, and some do not; take them off yourself, or read the file as dotenv"}
		}
		first[key] = number
		file.Values[key] = sensitive.New(value)
		file.Keys = append(file.Keys, key)
	}
	return file, nil
}

// dockerLine returns no key for a line that says nothing, or what is wrong.
func dockerLine(raw []byte) (key, value, wrong string) {
	line := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	if !utf8.ValidString(line) {
		return "", "", notUTF8
	}
	if len(line) >= maxDockerLine {
		return "", "", "docker reads lines of less than 64 KiB; shorten it"
	}
	line = strings.TrimLeftFunc(line, unicode.IsSpace)
	if line == "" || line[0] == '#' {
		return "", "", ""
	}
	key, value, assigns := strings.Cut(line, "=")
	switch {
	case document.ValidKey(key) != nil:
		return "", "", "no valid key; a key is a letter or '_', then letters, digits, '_', '.' or '-'"
	case !assigns:
		return "", "", "a key without '=', which docker takes from its own environment; give it a value, or delete the line"
	}
	return key, value, ""
}
