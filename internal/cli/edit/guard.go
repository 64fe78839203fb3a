package edit

import (
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
)

// guardName is the command that nobody types: it waits until the process that
// has started it is gone, and wipes what that left.
const guardName = "__wipe"

// NewGuard returns the command, which help does not list.
func NewGuard(f *factory.Factory) *cobra.Command {
	return &cobra.Command{
		Use: guardName + " DIRECTORY", Hidden: true, Short: "Wipe what an edit that was killed has left",
		Args: onePrivateDir,
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := io.Copy(io.Discard, f.In); err != nil {
				return exit.Errorf(exit.Failure, "wait for the end of the edit: %w", err)
			}
			return wipe(args[0])
		},
	}
}

func onePrivateDir(_ *cobra.Command, args []string) error {
	if len(args) != 1 || !strings.HasPrefix(filepath.Base(args[0]), dirPrefix) {
		return errors.New("it takes the directory of an edit")
	}
	return nil
}

// guard starts a process that wipes the directory should this one be killed,
// which nothing can hold off. It lives in a session of its own, so that no
// terminal ends it. Where it cannot be started, the edit goes on without.
func (s *session) guard(dir string) (release func()) {
	if s.Factory.Executable == nil {
		return func() {}
	}
	path, err := s.Factory.Executable()
	if err != nil {
		return func() {}
	}
	//nolint:gosec,noctx // It is this program, and is to outlive every context.
	guard := exec.Command(path, guardName, dir)
	guard.SysProcAttr = ownSession()
	alive, err := guard.StdinPipe()
	if err != nil || guard.Start() != nil {
		return func() {}
	}
	return func() {
		_ = alive.Close()
		_ = guard.Wait()
	}
}
