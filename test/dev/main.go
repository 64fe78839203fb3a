// Command dev keeps a local cluster with secretreview on it, for trying things out: `dev up` starts it in the
// background and returns when it is ready, `dev down` stops it and forgets it. `make up` and `make down` call it.
//
// What runs in the background is this program again, as `dev supervise`: everything else is its child and dies with
// it, and it alone holds the lock file for as long as it lives.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/secretreview/secretreview/test/cluster"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "dev:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	commands := map[string]func(context.Context, state) error{"up": up, "down": down, superviseCommand: supervise}
	if len(args) != 1 || commands[args[0]] == nil {
		return fmt.Errorf("usage: dev up|down")
	}
	root, err := cluster.RepositoryRoot()
	if err != nil {
		return err
	}
	return commands[args[0]](ctx, state{dir: filepath.Join(root, ".dev")})
}
