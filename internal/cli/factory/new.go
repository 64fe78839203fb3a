package factory

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"

	"github.com/secretreview/secretreview/internal/cli/config"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// New returns a Factory for this process.
func New(program, version string, newStore func(context.Context, string) (secretstore.Store, error)) (*Factory, error) {
	directory, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find the current directory: %w", err)
	}
	return &Factory{
		IOStreams:  genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr},
		Program:    program,
		Version:    version,
		Terminal:   detectTerminal(),
		Prompter:   newTerminalPrompter(os.Stdin, os.Stderr),
		Clock:      clock.RealClock{},
		Rand:       rand.Reader,
		Directory:  directory,
		UserConfig: config.UserFile(),
		Getenv:     os.Getenv,
		Environ:    os.Environ,
		Exec:       execute,
		Child:      runChild,
		Executable: os.Executable,
		NewStore:   newStore,
		KubeFlags:  NewKubeFlags(),
	}, nil
}
