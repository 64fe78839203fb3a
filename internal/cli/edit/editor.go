package edit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/files"
	"github.com/secretreview/secretreview/internal/dotenv"
)

const fallbackEditor = "vi"

// shellSigns are those for which Git, too, leaves a command line to the shell.
const shellSigns = "|&;<>()$`\\\"' \t\n*?[#~=%"

// findEditor returns the editor's command line, to which the file is added.
func findEditor(f *factory.Factory) ([]string, error) {
	command := cmp.Or(f.Getenv("SR_EDITOR"), f.Getenv("VISUAL"), f.Getenv("EDITOR"))
	if strings.TrimSpace(command) == "" {
		if !f.Terminal.StdinTTY {
			return nil, exit.Errorf(exit.Usage, "there is neither a terminal for %s nor another editor: set SR_EDITOR, or use \"%s propose -f\"", fallbackEditor, f.Program)
		}
		command = fallbackEditor
	}
	if strings.ContainsAny(command, shellSigns) {
		// The shell outlives a Ctrl-C that is the editor's.
		return []string{"sh", "-c", "trap : INT; " + command + ` "$@"`, command}, nil
	}
	return []string{command}, nil
}

// edit has the editor open the text, and returns what it has made of it.
// Whatever happens, nothing is left of the file.
func (s *session) edit(ctx context.Context) (edited []byte, err error) {
	release := holdSignals()
	defer release()
	dir, err := newPrivateDir(s.Factory.Getenv)
	if err != nil {
		return nil, err
	}
	defer s.guard(dir.path)()
	defer func() {
		if failed := wipe(dir.path); failed != nil {
			err = errors.Join(err, exit.Errorf(exit.Failure, "the values may still be in %s: remove it (%w)", dir.path, failed))
		}
	}()
	if !dir.inMemory {
		_, _ = fmt.Fprintf(s.Factory.ErrOut, "Note: there is no file system in memory here, so the values are on the disk for a while (%s).\n", dir.path)
	}
	path := filepath.Join(dir.path, s.target.Environment.Name+".env")
	if err := files.Replace(path, s.text); err != nil {
		return nil, fmt.Errorf("write a file for the editor: %w", err)
	}
	// Ctrl-C in an editor is the editor's: it may stop what was started there.
	if hold := s.Factory.HoldInterrupts; hold != nil && s.Factory.Terminal.StdinTTY {
		defer hold()()
	}
	if err := s.Factory.Child(ctx, append(s.editor[:len(s.editor):len(s.editor)], path)); err != nil {
		return nil, s.failed(ctx, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	edited, err = files.Read(path, dotenv.MaxBytes)
	if err != nil {
		return nil, exit.Errorf(exit.Failure, "read what the editor has left: %w; nothing is proposed", err)
	}
	return edited, nil
}

// failed words how the editor failed.
func (s *session) failed(ctx context.Context, err error) error {
	name := s.editor[len(s.editor)-1]
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &ended):
		return exit.Errorf(exit.Failure, "the editor %q failed (%w): nothing is proposed, and nothing of the edit is kept", name, err)
	default:
		return exit.Errorf(exit.Usage, "the editor %q cannot be started (%w): set SR_EDITOR, VISUAL or EDITOR", name, err)
	}
}
