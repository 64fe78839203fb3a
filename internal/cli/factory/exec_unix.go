//go:build unix

package factory

import (
	"fmt"
	"syscall"
)

func execute(path string, args, environment []string) error {
	//nolint:gosec // Running what the person names is what the command is for.
	return fmt.Errorf("run %q: %w", args[0], syscall.Exec(path, args, environment))
}
