package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/files"
)

const (
	// privateDirectory is the mode of the directory that the user's file is in.
	privateDirectory fs.FileMode = 0o700
	// sharedFile is the mode of a local file, less what the umask takes.
	sharedFile fs.FileMode = 0o644
)

// encode writes c as the files have it.
func encode(c Config) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(c); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	return text.Bytes(), nil
}

// WriteUser writes the user's file, whole or not at all, with mode 0600 in a
// directory of mode 0700, which it makes. A symbolic link stays one.
func WriteUser(path string, c Config) error {
	text, err := encode(c)
	if err != nil {
		return err
	}
	directory := filepath.Dir(path)
	if err := os.MkdirAll(directory, privateDirectory); err != nil {
		return exit.Errorf(exit.Failure, "make directory %s for the configuration: %w", directory, files.Pathless(err))
	}
	if info, err := os.Stat(directory); err == nil && exposed(info) {
		if err := os.Chmod(directory, privateDirectory); err != nil {
			return exit.Errorf(exit.Failure, "keep directory %s to yourself: %w", directory, files.Pathless(err))
		}
	}
	if linked, err := filepath.EvalSymlinks(path); err == nil {
		path = linked
	}
	if err := files.Replace(path, text); err != nil {
		return exit.Errorf(exit.Failure, "write configuration file %s: %w", path, err)
	}
	return nil
}

// ErrExists is what WriteLocal fails with where it may not replace.
var ErrExists = fs.ErrExist

// WriteLocal writes a local file, which others may read and which Git may hold.
// One that is there is replaced whole, as the file itself if it is a symbolic
// link, or if not replace it is left alone and the error is ErrExists.
func WriteLocal(path string, c Config, replace bool) error {
	text, err := encode(c)
	if err != nil {
		return err
	}
	info, err := os.Lstat(path)
	switch {
	case err == nil && !replace:
		return ErrExists
	case err == nil && info.IsDir():
		return exit.Errorf(exit.Usage, "%s is a directory: move it away", path)
	case err == nil:
		err = files.ReplaceWith(path, text, sharedFile)
	case errors.Is(err, fs.ErrNotExist):
		err = files.Create(path, text, sharedFile)
	}
	if errors.Is(err, ErrExists) {
		return ErrExists
	}
	if err != nil {
		return exit.Errorf(exit.Failure, "write %s: %w", path, files.Pathless(err))
	}
	return nil
}

// Exposed returns the mode of a file, and whether others than its owner may read
// or write it.
func Exposed(path string) (fs.FileMode, bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return 0, false
	}
	return info.Mode().Perm(), exposed(info)
}
