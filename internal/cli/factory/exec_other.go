//go:build !unix

package factory

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// execute runs the program as a child, where nothing can take this one's place.
func execute(path string, args, environment []string) error {
	child := exec.Command(path, args[1:]...) //nolint:gosec,noctx // it gets the signals itself
	child.Env = environment
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := child.Run()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		os.Exit(failed.ExitCode())
	}
	if err != nil {
		return fmt.Errorf("run %q: %w", args[0], err)
	}
	os.Exit(0)
	return nil
}
