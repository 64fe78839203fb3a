// Package privatefile writes values into a file that a person names.
package privatefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/files"
)

// File is the file to write.
type File struct {
	Path string
	// Shown is the path as the person gave it, by Flag.
	Shown, Flag string
}

// Check refuses, by an exit.Error, what a file cannot be written in place of.
func (f File) Check() error {
	info, err := os.Lstat(f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f.checkDirectory()
	case err != nil:
		return fmt.Errorf("look at %s: %w", f.Shown, files.Pathless(err))
	case info.Mode()&fs.ModeSymlink != 0:
		return exit.Errorf(exit.Refused, "%s is a symbolic link, and values are not written through one: name the file itself with %s", f.Shown, f.Flag)
	case info.IsDir():
		return exit.Errorf(exit.Usage, "%s is a directory: name a file in it with %s", f.Shown, f.Flag)
	case !info.Mode().IsRegular():
		return exit.Errorf(exit.Refused, "%s is not a regular file: name another with %s, or use %s - for standard output", f.Shown, f.Flag, f.Flag)
	default:
		return nil
	}
}

func (f File) checkDirectory() error {
	info, err := os.Stat(filepath.Dir(f.Path))
	if err == nil && info.IsDir() {
		return nil
	}
	return exit.Errorf(exit.Usage, "there is no directory for %s: make it, or name another file with %s", f.Shown, f.Flag)
}

// Replace checks the file once more, as asking may have taken a while, and
// replaces it at once or not at all. Where others could read it before, notes
// says so.
func (f File) Replace(notes io.Writer, text []byte) error {
	if err := f.Check(); err != nil {
		return err
	}
	if info, err := os.Lstat(f.Path); err == nil && info.Mode().Perm()&^files.Private != 0 {
		_, _ = fmt.Fprintf(notes, "Note: %s could be read or written by others (mode %#o); now it is yours alone (mode %#o).\n",
			f.Shown, info.Mode().Perm(), files.Private)
	}
	if err := files.Replace(f.Path, text); err != nil {
		return fmt.Errorf("write %s, which stays as it was: %w", f.Shown, err)
	}
	return nil
}

// Append checks the file and adds text on lines of its own, at once. A new file
// is its owner's alone.
func (f File) Append(text []byte) (err error) {
	if err := f.Check(); err != nil {
		return err
	}
	file, err := os.OpenFile(f.Path, os.O_RDWR|os.O_APPEND|os.O_CREATE, files.Private)
	if err != nil {
		return fmt.Errorf("open %s: %w", f.Shown, files.Pathless(err))
	}
	defer func() {
		if closed := file.Close(); err == nil && closed != nil {
			err = fmt.Errorf("write %s: %w", f.Shown, files.Pathless(closed))
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("look at %s: %w", f.Shown, files.Pathless(err))
	}
	if last := make([]byte, 1); info.Size() > 0 {
		if _, err := file.ReadAt(last, info.Size()-1); err != nil {
			return fmt.Errorf("read %s: %w", f.Shown, files.Pathless(err))
		}
		if last[0] != '\n' {
			text = append([]byte("\n"), text...)
		}
	}
	if _, err := file.Write(text); err != nil {
		return fmt.Errorf("write %s: %w", f.Shown, files.Pathless(err))
	}
	return nil
}

// notIgnored is git check-ignore's exit code for a path in a work tree that no
// rule ignores, or that is tracked already.
const notIgnored = 1

// WarnOfGit warns where the file lies in a work tree of Git and is not ignored
// there. Without git, or outside a work tree, there is nothing to warn of.
func (f File) WarnOfGit(ctx context.Context, notes io.Writer) {
	// A repository's fsmonitor would be a program of its choice.
	//nolint:gosec // The path is one argument, behind "--".
	check := exec.CommandContext(ctx, "git", "-c", "core.fsmonitor=false", "check-ignore", "--quiet", "--", filepath.Base(f.Path))
	check.Dir = filepath.Dir(f.Path)
	var failed *exec.ExitError
	if errors.As(check.Run(), &failed) && failed.ExitCode() == notIgnored {
		_, _ = fmt.Fprintf(notes, "Warning: Git does not ignore %s: add it to .gitignore, or its values may be committed.\n", f.Shown)
	}
}
