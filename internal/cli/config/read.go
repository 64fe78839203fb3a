package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/files"
)

// maxBytes is more than any of these files needs.
const maxBytes = 64 << 10

// Read reads one file in our form. One that is not there says nothing; one
// that cannot be used is an exit.Error that names it, and the line that is
// wrong.
func Read(path string) (Config, error) { return read(path, own) }

// ReadLegacy is Read for the file of the replaced tool.
func ReadLegacy(path string) (Config, error) { return read(path, legacy) }

func read(path string, of form) (Config, error) {
	if path == "" {
		return Config{}, nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Config{}, nil
	case err != nil:
		return Config{}, exit.Errorf(exit.Usage, "read configuration file %s: %w", path, files.Pathless(err))
	case info.IsDir():
		return Config{}, exit.Errorf(exit.Usage, "configuration file %s is a directory: move it away", path)
	case !info.Mode().IsRegular():
		return Config{}, exit.Errorf(exit.Usage, "configuration file %s is not a regular file: move it away", path)
	}
	text, err := files.Read(path, maxBytes)
	if err != nil {
		return Config{}, exit.Errorf(exit.Usage, "read configuration file %s: %w", path, err)
	}
	if len(text) > maxBytes {
		return Config{}, exit.Errorf(exit.Usage, "configuration file %s is over %d bytes", path, maxBytes)
	}
	c, err := of.parse(text)
	if err != nil {
		return Config{}, exit.Errorf(exit.Usage, "configuration file %s: %w", path, err)
	}
	return c, nil
}

// field is one that a file can have.
type field struct {
	name string
	of   func(*Config) *string
	// old ones are taken, but not named.
	old bool
}

// form is how a kind of file is written.
type form struct {
	fields []field
	// open lets a file have other fields, which say nothing.
	open bool
}

var (
	own = form{fields: []field{
		{name: "project", of: func(c *Config) *string { return &c.Project }},
		{name: "environment", of: func(c *Config) *string { return &c.Environment }},
		{name: "env", of: func(c *Config) *string { return &c.Environment }, old: true},
		{name: "namespace", of: func(c *Config) *string { return &c.Namespace }},
		{name: "context", of: func(c *Config) *string { return &c.Context }},
		{name: "region", of: func(c *Config) *string { return &c.Region }},
		{name: "prefix", of: func(c *Config) *string { return &c.Prefix }},
	}}
	// legacy is the interface CliConfig of cdk-gitify-secrets, without what its
	// server and its sign-in need.
	legacy = form{open: true, fields: []field{
		{name: "defaultProject", of: func(c *Config) *string { return &c.Project }},
		{name: "defaultEnv", of: func(c *Config) *string { return &c.Environment }},
		{name: "region", of: func(c *Config) *string { return &c.Region }},
		{name: "secretPrefix", of: func(c *Config) *string { return &c.Prefix }},
	}}
)

// entry is one field of a file, and the offset behind its name and value.
type entry struct {
	name  string
	value json.RawMessage
	named int
	ended int
}

func (f form) parse(text []byte) (Config, error) {
	entries, err := entriesOf(text)
	if err != nil {
		return Config{}, err
	}
	var c Config
	from := map[*string]string{}
	for _, e := range entries {
		known, ok := f.find(e.name)
		if !ok && f.open {
			continue
		}
		if !ok {
			return Config{}, fmt.Errorf("it has an unknown field %q at %s: it can have %s", e.name, at(text, e.named), f.names())
		}
		target := known.of(&c)
		switch earlier, twice := from[target]; {
		case twice && earlier == e.name:
			return Config{}, fmt.Errorf("it has %q twice, again at %s: leave one out", e.name, at(text, e.named))
		case twice:
			return Config{}, fmt.Errorf("it has both %q and %q, at %s: leave one out", earlier, e.name, at(text, e.named))
		}
		from[target] = e.name
		if json.Unmarshal(e.value, target) != nil {
			return Config{}, fmt.Errorf("field %q must be a string, at %s", e.name, at(text, e.ended))
		}
	}
	return c, nil
}

// find compares case, which encoding/json does not.
func (f form) find(name string) (field, bool) {
	for _, known := range f.fields {
		if known.name == name {
			return known, true
		}
	}
	return field{}, false
}

func (f form) names() string {
	var names []string
	for _, known := range f.fields {
		if !known.old {
			names = append(names, known.name)
		}
	}
	return strings.Join(names, ", ")
}

var errNoObject = errors.New("it must be a JSON object")

// entriesOf takes an object apart, in the order of the text.
func entriesOf(text []byte) ([]entry, error) {
	var whole any
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(text, &whole); {
	case errors.As(err, &syntax):
		return nil, fmt.Errorf("it is not JSON, from %s on", at(text, int(syntax.Offset)))
	case err != nil:
		return nil, err
	}
	if _, ok := whole.(map[string]any); !ok {
		return nil, errNoObject
	}
	var entries []entry
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		e := entry{name: fmt.Sprint(name), named: int(decoder.InputOffset())}
		if err := decoder.Decode(&e.value); err != nil {
			return nil, err
		}
		e.ended = int(decoder.InputOffset())
		entries = append(entries, e)
	}
	return entries, nil
}

// at names the place of the last of the first offset bytes of text. Lines and
// columns count from 1, columns in characters.
func at(text []byte, offset int) string {
	before := text[:max(0, min(offset, len(text))-1)]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	return fmt.Sprintf("line %d, column %d", line, column)
}
