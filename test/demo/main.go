// Command demo plays a whole story on the local cluster of `make up`: people propose, review, approve, reject and pull,
// each with their own rights, and every command is printed with its answer. It fails where an answer is not as expected.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/google/uuid"
	"golang.org/x/term"

	"github.com/secretreview/secretreview/test/cluster"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	root, err := cluster.RepositoryRoot()
	if err != nil {
		return err
	}
	envFile := filepath.Join(root, ".dev", "env")
	if _, err := os.Stat(envFile); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no %s: run `make up` first", envFile)
	}
	dir, err := os.MkdirTemp("", "secretreview-demo-")
	if err != nil {
		return fmt.Errorf("cannot make a directory to work in: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()

	p := &player{out: os.Stdout, envFile: envFile, dir: dir, words: map[string]string{"run": uuid.NewString()[:6]}}
	if term.IsTerminal(int(os.Stdout.Fd())) {
		p.screen = os.Stdout
		p.color = os.Getenv("NO_COLOR") == ""
	}
	for _, s := range story {
		if err := p.play(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
