package factory

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/term"
)

// childPatience is how long a program may take to end once it is asked to.
const childPatience = 5 * time.Second

// runChild runs a program on this process's own streams. A terminal is
// afterwards as it was before: not every editor sees to that when it is asked to
// end.
func runChild(ctx context.Context, args []string) error {
	if before, err := term.GetState(int(os.Stdin.Fd())); err == nil {
		defer func() { _ = term.Restore(int(os.Stdin.Fd()), before) }()
	}
	//nolint:gosec // Running what the person names is what it is for.
	child := exec.CommandContext(ctx, args[0], args[1:]...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	child.Cancel = func() error { return child.Process.Signal(syscall.SIGTERM) }
	child.WaitDelay = childPatience
	return child.Run()
}
