// Package config reads what a person would otherwise type again and again:
// .sr.json in a directory or above it, and the user's own file.
package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secretreview/secretreview/internal/cli/exit"
)

// LocalName is the file that says which project a directory tree is about.
const LocalName = ".sr.json"

// maxBytes is more than any of these files needs.
const maxBytes = 64 << 10

// Config is what a file or the flags say. Empty means not said.
type Config struct {
	Project     string `json:"project,omitempty"`
	Environment string `json:"environment,omitempty"`
	// Env is another way to write Environment, and empty after loading.
	Env       string `json:"env,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Context   string `json:"context,omitempty"`
	Region    string `json:"region,omitempty"`
	// Prefix begins the names of all secrets in AWS, "secret-review/" if the
	// manager was started without another.
	Prefix string `json:"prefix,omitempty"`
}

// Over returns c with what it leaves open filled in from below.
func (c Config) Over(below Config) Config {
	pick := func(a, b string) string {
		if a != "" {
			return a
		}
		return b
	}
	return Config{
		Project:     pick(c.Project, below.Project),
		Environment: pick(c.Environment, below.Environment),
		Namespace:   pick(c.Namespace, below.Namespace),
		Context:     pick(c.Context, below.Context),
		Region:      pick(c.Region, below.Region),
		Prefix:      pick(c.Prefix, below.Prefix),
	}
}

// Load reads the local file in directory or the nearest one above it, and
// below that the user's file. Neither has to be there; one that is there and
// cannot be used is an exit.Error that names it.
func Load(directory, userFile string) (Config, error) {
	local, err := findLocal(directory)
	if err != nil {
		return Config{}, err
	}
	result := Config{}
	for _, path := range []string{local, userFile} {
		if path == "" {
			continue
		}
		c, err := read(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Config{}, err
		}
		result = result.Over(c)
	}
	return result, nil
}

// UserFile returns the path of the user's file, empty where there is no home.
func UserFile() string {
	directory, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(directory, "secretreview", "config.json")
}

// findLocal returns the nearest local file's path, or "". A file above the
// directory counts only where it belongs to a user whom the person trusts:
// whoever can write to a parent, as anybody can to /tmp, could otherwise
// choose where a proposal's values go.
func findLocal(directory string) (string, error) {
	start, err := filepath.Abs(directory)
	if err != nil {
		return "", fmt.Errorf("find the current directory: %w", err)
	}
	for at := start; ; at = filepath.Dir(at) {
		path := filepath.Join(at, LocalName)
		info, err := os.Stat(path)
		switch {
		case err == nil && at != start && !trusted(info, start):
			return "", exit.Errorf(exit.Usage,
				"%s belongs to another user and is not used: put a %s of your own into %s", path, LocalName, start)
		case err == nil:
			return path, nil
		case !errors.Is(err, fs.ErrNotExist) && (at == start || !errors.Is(err, fs.ErrPermission)):
			return "", exit.Errorf(exit.Usage, "read %s: %w", path, err)
		case filepath.Dir(at) == at:
			return "", nil
		}
	}
}

func read(path string) (Config, error) {
	file, err := os.Open(path)
	if err != nil {
		return Config{}, exit.Errorf(exit.Usage, "read the configuration: %w", err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return Config{}, exit.Errorf(exit.Usage, "read the configuration: %w", err)
	}
	if len(text) > maxBytes {
		return Config{}, exit.Errorf(exit.Usage, "configuration file %s is over %d bytes", path, maxBytes)
	}
	c, err := parse(text)
	if err != nil {
		return Config{}, exit.Errorf(exit.Usage, "configuration file %s: %w", path, err)
	}
	return c, nil
}

func parse(text []byte) (Config, error) {
	if err := checkFields(text); err != nil {
		return Config{}, err
	}
	var c Config
	if err := json.Unmarshal(text, &c); err != nil {
		return Config{}, describe(err)
	}
	if c.Env != "" {
		if c.Environment != "" {
			return Config{}, errors.New(`it has both "environment" and "env": leave one out`)
		}
		c.Environment, c.Env = c.Env, ""
	}
	return c, nil
}

// fields lists what a file can have, in the order in which help names them;
// old ones are taken, but not named.
var fields = []struct {
	name string
	old  bool
}{{name: "project"}, {name: "environment"}, {name: "env", old: true}, {name: "namespace"}, {name: "context"}, {name: "region"}, {name: "prefix"}}

// checkFields refuses unknown fields by name; the error that encoding/json has
// for them can be told from others only by its text. It compares case, which
// encoding/json does not.
func checkFields(text []byte) error {
	var found map[string]json.RawMessage
	if err := json.Unmarshal(text, &found); err != nil {
		return describe(err)
	}
	var names []string
	for _, f := range fields {
		delete(found, f.name)
		if !f.old {
			names = append(names, f.name)
		}
	}
	for _, unknown := range slices.Sorted(maps.Keys(found)) {
		return fmt.Errorf("it has an unknown field %q: it can have %s", unknown, strings.Join(names, ", "))
	}
	return nil
}

func describe(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("it is not JSON, from byte %d on", syntax.Offset)
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Errorf("field %q must be a string", kind.Field)
	case errors.As(err, &kind):
		return errors.New("it must be a JSON object")
	default:
		return err
	}
}
