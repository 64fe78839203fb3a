package pull

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/files"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/dotenv"
)

// target is the file to write.
type target struct {
	path string
	// shown is the path as the person gave it.
	shown string
}

// check refuses what a file cannot be written in place of.
func (t target) check() error {
	info, err := os.Lstat(t.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return t.checkDirectory()
	case err != nil:
		return fmt.Errorf("look at %s: %w", t.shown, files.Pathless(err))
	case info.Mode()&fs.ModeSymlink != 0:
		return exit.Errorf(exit.Refused, "%s is a symbolic link, and values are not written through one: name the file itself with -o", t.shown)
	case info.IsDir():
		return exit.Errorf(exit.Usage, "%s is a directory: name a file in it with -o", t.shown)
	case !info.Mode().IsRegular():
		return exit.Errorf(exit.Refused, "%s is not a regular file: name another with -o, or use -o - for standard output", t.shown)
	default:
		return nil
	}
}

func (t target) checkDirectory() error {
	info, err := os.Stat(filepath.Dir(t.path))
	if err == nil && info.IsDir() {
		return nil
	}
	return exit.Errorf(exit.Usage, "there is no directory for %s: make it, or name another file with -o", t.shown)
}

// write replaces the file, and says so.
func (o *Options) write(ctx context.Context, file target, p pulled) error {
	var text bytes.Buffer
	if err := dotenv.Format(&text, p.version.Values, p.header()); err != nil {
		return fmt.Errorf("write %s: %w", file.shown, err)
	}
	// Once more, as asking may have taken a while.
	if err := file.check(); err != nil {
		return err
	}
	f := o.Factory
	if info, err := os.Lstat(file.path); err == nil && info.Mode().Perm()&^files.Private != 0 {
		_, _ = fmt.Fprintf(f.ErrOut, "Note: %s could be read or written by others (mode %#o); now it is yours alone (mode %#o).\n",
			file.shown, info.Mode().Perm(), files.Private)
	}
	if err := files.Replace(file.path, text.Bytes()); err != nil {
		return fmt.Errorf("write %s, which stays as it was: %w", file.shown, err)
	}
	_, _ = fmt.Fprintf(f.Out, "Wrote %s of %s/%s to %s (version %s)\n",
		wording.Count(len(p.version.Values), "key"), p.source.Project, p.source.Environment, file.shown, p.version.ID)
	if exposedToGit(ctx, file.path) {
		_, _ = fmt.Fprintf(f.ErrOut, "Warning: Git does not ignore %s: add it to .gitignore, or its values may be committed.\n", file.shown)
	}
	return nil
}

// notIgnored is git check-ignore's exit code for a path in a work tree that no
// rule ignores, or that is tracked already.
const notIgnored = 1

// exposedToGit reports whether the file lies in a work tree of Git and is not
// ignored there. Without git, or outside a work tree, it is not.
func exposedToGit(ctx context.Context, path string) bool {
	// A repository's fsmonitor would be a program of its choice.
	//nolint:gosec // The path is one argument, behind "--".
	check := exec.CommandContext(ctx, "git", "-c", "core.fsmonitor=false", "check-ignore", "--quiet", "--", filepath.Base(path))
	check.Dir = filepath.Dir(path)
	var failed *exec.ExitError
	return errors.As(check.Run(), &failed) && failed.ExitCode() == notIgnored
}
