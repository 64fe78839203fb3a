// Package config reads and writes what a person would otherwise type again and
// again: .sr.json in a directory or above it, the user's own file, and the
// file of the tool that this one replaces.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/secretreview/secretreview/internal/cli/exit"
)

// LocalName is the file that says which project a directory tree is about.
const LocalName = ".sr.json"

// Config is what a file or the flags say. Empty means not said.
type Config struct {
	Project     string `json:"project,omitempty"`
	Environment string `json:"environment,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
	Context     string `json:"context,omitempty"`
	Region      string `json:"region,omitempty"`
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

// Load reads the local file in directory or the nearest one above it (without a
// directory, none), below
// that the user's file, and below that the replaced tool's. None has to be
// there; one that is there and cannot be used is an exit.Error that names it,
// and the line that is wrong.
func Load(directory, userFile, legacyFile string) (Config, error) {
	local := ""
	if directory != "" {
		var err error
		if local, err = findLocal(directory); err != nil {
			return Config{}, err
		}
	}
	result := Config{}
	for _, source := range []struct {
		path string
		of   form
	}{{local, own}, {userFile, own}, {legacyFile, legacy}} {
		c, err := read(source.path, source.of)
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

// LegacyFile returns the path of the replaced tool's file, which it finds as
// that tool (cdk-gitify-secrets, src/cli/auth.ts) does. Empty where there is no
// home.
func LegacyFile() string {
	directory := os.Getenv("SR_CONFIG_DIR")
	if directory == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		directory = filepath.Join(home, ".cdk-gitify-secrets")
	}
	return filepath.Join(directory, "config.json")
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
