// Package format writes and reads values in the formats of other programs. What
// a format cannot hold exactly is named, and neither changed nor guessed.
package format

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/dotenv"
)

// GitHub is the format of which a part goes to the runner's log; see Masks.
const GitHub = "github"

// Format is one format.
type Format struct {
	Name string
	// Escapes says that what is written has no character that a terminal would
	// act on.
	Escapes bool
	// about says in a few words who reads it.
	about  string
	limits []limit
	write  func(values document.Document, random io.Reader) (string, error)
	// read is nil where the format cannot be read without guessing.
	read func(text []byte) (dotenv.File, error)
}

// limit is something that a format cannot hold.
type limit struct {
	why    string
	broken func(key, value string) bool
}

var formats = []Format{
	{"dotenv", false, "as pull writes it", []limit{dotenvKeys}, writeDotenv, readDotenv},
	{"json", true, "one object of strings", nil, writeJSON, readJSON},
	{"yaml", false, "one mapping of strings", nil, writeYAML, readYAML},
	{"shell", false, "for eval and . in a POSIX shell", []limit{shellKeys, noNUL}, writeShell, nil},
	{"docker", false, "for docker run --env-file", []limit{dotenvKeys, noNUL, oneLine, noOuterQuotes, shortLine}, writeDocker, readDocker},
	{GitHub, false, "for later steps of a job of GitHub Actions", []limit{dotenvKeys, gitHubKeys, noNUL, noFinalCR}, writeGitHub, nil},
}

// Names lists the formats that can be written or, if readable, be read.
func Names(readable bool) []string {
	var names []string
	for _, f := range formats {
		if !readable || f.read != nil {
			names = append(names, f.Name)
		}
	}
	return names
}

// About describes those formats for a help text, one a line.
func About(readable bool) string {
	var text strings.Builder
	for _, f := range formats {
		if !readable || f.read != nil {
			text.WriteString("  " + f.Name + strings.Repeat(" ", len("dotenv  ")-len(f.Name)) + f.about + "\n")
		}
	}
	return text.String()
}

// Complete lets a shell complete --format.
func Complete(command *cobra.Command, readable bool) {
	completion := cobra.FixedCompletions(Names(readable), cobra.ShellCompDirectiveNoFileComp)
	if err := command.RegisterFlagCompletionFunc("format", completion); err != nil {
		panic(err) // there is no such flag
	}
}

// Find returns the format of that name. It fails with an exit.Error of Usage
// where there is none, or none that can be read if that is wanted.
func Find(name string, readable bool) (Format, error) {
	for _, f := range formats {
		if f.Name == name && (!readable || f.read != nil) {
			return f, nil
		}
	}
	choice := strings.Join(Names(readable), ", ")
	if name == "" {
		return Format{}, exit.Errorf(exit.Usage, "no format is given: choose one with --format: %s", choice)
	}
	return Format{}, exit.Errorf(exit.Usage, "--format is %q: choose %s", name, choice)
}

// Misfit is what a format cannot hold, and why.
type Misfit struct {
	Keys []string
	Why  string
}

func (m Misfit) String() string { return wording.Keys(m.Keys) + " (" + m.Why + ")" }

// Split parts what the format can hold from what it cannot.
func (f Format) Split(values document.Document) (fit document.Document, misfits []Misfit) {
	fit = values.Clone()
	for _, l := range f.limits {
		var keys []string
		for _, key := range fit.Keys() {
			if l.broken(key, fit[key].Reveal()) {
				keys = append(keys, key)
				delete(fit, key)
			}
		}
		if len(keys) > 0 {
			misfits = append(misfits, Misfit{Keys: keys, Why: l.why})
		}
	}
	return fit, misfits
}

// Write returns values, all of which must fit; see Split. random is a source of
// cryptographic randomness. The result may hold control characters, as values
// may, but for that of json.
func (f Format) Write(values document.Document, random io.Reader) (string, error) {
	return f.write(values, random)
}

// Read reads text of at most dotenv.MaxBytes bytes. It fails with a *dotenv.Error
// or an *Error, neither of which quotes what is not a key.
func (f Format) Read(text []byte) (dotenv.File, error) {
	if len(text) > dotenv.MaxBytes {
		return dotenv.File{}, &dotenv.Error{Kind: dotenv.KindTooLarge}
	}
	return f.read(text)
}
