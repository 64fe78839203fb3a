// Package files reads and replaces files that hold secret values.
package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Private is the mode of every file that holds values: its owner's alone.
const Private fs.FileMode = 0o600

// Read reads a file, at most limit+1 bytes of it, so that a caller can tell
// one that is too long. Its errors do not name the path.
func Read(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, Pathless(err)
	}
	defer func() { _ = file.Close() }()
	return ReadFrom(file, limit)
}

// ReadFrom is Read of a file that is open.
func ReadFrom(file *os.File, limit int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	return content, Pathless(err)
}

// Create writes a new file, with the mode less what the umask takes. Where path
// is there already, the error is fs.ErrExist; where it fails, nothing is.
func Create(path string, content []byte, mode fs.FileMode) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return Pathless(err)
	}
	defer func() {
		if err != nil {
			_ = file.Close()
			_ = os.Remove(path)
		}
	}()
	if _, err := file.Write(content); err != nil {
		return Pathless(err)
	}
	return Pathless(file.Close())
}

// Replace writes a file, Private from the first byte, and puts it in the place
// of path at once. Where it fails, path is as it was.
func Replace(path string, content []byte) error { return ReplaceWith(path, content, Private) }

// ReplaceWith is Replace for a file that ends with another mode.
func ReplaceWith(path string, content []byte, mode fs.FileMode) (err error) {
	directory := filepath.Dir(path)
	// CreateTemp's mode is 0600, less what the umask takes.
	temporary, err := os.CreateTemp(directory, ".sr-*")
	if err != nil {
		return Pathless(err)
	}
	defer func() {
		if err != nil {
			_ = temporary.Close()
			_ = os.Remove(temporary.Name())
		}
	}()
	if _, err := temporary.Write(content); err != nil {
		return Pathless(err)
	}
	if err := temporary.Chmod(mode); err != nil {
		return Pathless(err)
	}
	if err := temporary.Sync(); err != nil {
		return Pathless(err)
	}
	if err := temporary.Close(); err != nil {
		return Pathless(err)
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return Pathless(err)
	}
	syncDirectory(directory)
	return nil
}

// syncDirectory makes a rename last. Not every file system can, and the file
// is complete either way.
func syncDirectory(path string) {
	directory, err := os.Open(path)
	if err != nil {
		return
	}
	defer func() { _ = directory.Close() }()
	_ = directory.Sync()
}

// Pathless takes the paths off an error, for sentences that have named them
// already.
func Pathless(err error) error {
	var ofPath *fs.PathError
	var ofLink *os.LinkError
	switch {
	case errors.As(err, &ofPath):
		return ofPath.Err
	case errors.As(err, &ofLink):
		return ofLink.Err
	default:
		return err
	}
}
