package propose

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/files"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// origin says where the value of a --set comes from.
type origin int

const (
	fromArgument origin = iota
	fromPrompt
	fromFile
	fromStdin
)

// assignment is one --set.
type assignment struct {
	key    string
	origin origin
	// argument is the value, or the path of a file.
	argument sensitive.Value
}

// edits are the --set and --unset of a command line.
type edits struct {
	set   []assignment
	unset []string
}

// parseEdits reads the flags. It fails with an exit.Error of Usage that names a
// key, and never quotes a value, nor what may be one whose key was forgotten.
func parseEdits(set, unset []string) (edits, error) {
	e := edits{unset: unset}
	seen := map[string]bool{}
	for _, key := range unset {
		if seen[key] {
			return edits{}, exit.Errorf(exit.Usage, "key %s is given twice: give it once, in --set or in --unset", document.Quote(key))
		}
		seen[key] = true
	}
	for i, text := range set {
		a := parseAssignment(text)
		if document.ValidKey(a.key) != nil {
			return edits{}, exit.Errorf(exit.Usage,
				"number %d of what is set does not begin with a key: a key is a letter or '_', then letters, digits, '_', '.' or '-', at most %d bytes in all",
				i+1, document.MaxKeyBytes)
		}
		if seen[a.key] {
			return edits{}, exit.Errorf(exit.Usage, "key %s is given twice: give it once, in --set or in --unset", document.Quote(a.key))
		}
		seen[a.key] = true
		e.set = append(e.set, a)
	}
	return e, nil
}

func parseAssignment(text string) assignment {
	key, value, hasValue := strings.Cut(text, "=")
	path, isFile := strings.CutPrefix(value, "@")
	switch {
	case !hasValue:
		return assignment{key: key, origin: fromPrompt}
	case value == factory.StdinMark:
		return assignment{key: key, origin: fromStdin}
	case isFile:
		return assignment{key: key, origin: fromFile, argument: sensitive.New(path)}
	default:
		return assignment{key: key, origin: fromArgument, argument: sensitive.New(value)}
	}
}

// count counts the assignments from o.
func (e edits) count(o origin) int {
	n := 0
	for _, a := range e.set {
		if a.origin == o {
			n++
		}
	}
	return n
}

// values reads the new values: from files and stdin byte for byte, and from
// the person who is asked for the others.
func (e edits) values(ctx context.Context, f *factory.Factory) (document.Document, error) {
	values := document.Document{}
	for _, a := range e.set {
		value, err := a.value(ctx, f)
		if err != nil {
			return nil, err
		}
		if a.origin != fromArgument && endsOneLine(value) {
			_, _ = fmt.Fprintf(f.ErrOut, "Note: the value of %s ends with a newline, which is kept.\n", a.key)
		}
		values[a.key] = value
	}
	return values, nil
}

func (a assignment) value(ctx context.Context, f *factory.Factory) (sensitive.Value, error) {
	switch a.origin {
	case fromPrompt:
		return f.Prompter.Hidden(ctx, "Value of "+a.key)
	case fromStdin:
		text, err := f.ReadIn(ctx, document.MaxBytes)
		return a.bounded(text, err, "stdin")
	case fromFile:
		path := a.argument.Reveal()
		text, err := files.Read(f.Path(path), document.MaxBytes)
		if err != nil {
			// Never the path: what was meant may be a value that begins with @.
			return sensitive.Value{}, exit.Errorf(exit.Failure,
				"the file that --set names for %s cannot be read (%w): correct its path, or give a value that itself begins with @ by KEY or KEY=-", a.key, err)
		}
		return a.bounded(text, nil, "the file that --set names")
	default:
		return a.argument, nil
	}
}

func (a assignment) bounded(text []byte, err error, source string) (sensitive.Value, error) {
	if err != nil {
		return sensitive.Value{}, fmt.Errorf("read the value of %s from %s: %w", a.key, source, err)
	}
	if len(text) > document.MaxBytes {
		return sensitive.Value{}, exit.Errorf(exit.Refused,
			"the value of %s from %s is over %d bytes, more than AWS stores: shorten it", a.key, source, document.MaxBytes)
	}
	return sensitive.New(string(text)), nil
}

// endsOneLine reports whether value is one line and its newline: what echo
// prints, and seldom what is meant.
func endsOneLine(value sensitive.Value) bool {
	text := []byte(value.Reveal())
	return bytes.IndexByte(text, '\n') == len(text)-1 && len(text) > 0
}
