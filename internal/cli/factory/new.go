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

// Connector connects to AWS in a region.
type Connector interface {
	Store(ctx context.Context, region string) (secretstore.Store, error)
	Account(ctx context.Context, region string) (secretstore.Account, error)
}

// New returns a Factory for this process.
func New(program, version string, connect Connector) (*Factory, error) {
	directory, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find the current directory: %w", err)
	}
	return &Factory{
		IOStreams:    genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr},
		Program:      program,
		Version:      version,
		Terminal:     detectTerminal(),
		Prompter:     newTerminalPrompter(os.Stdin, os.Stderr),
		Clock:        clock.RealClock{},
		Rand:         rand.Reader,
		Directory:    directory,
		UserConfig:   config.UserFile(),
		LegacyConfig: config.LegacyFile(),
		Getenv:       os.Getenv,
		Environ:      os.Environ,
		Exec:         execute,
		Child:        runChild,
		Executable:   os.Executable,
		NewStore:     connect.Store,
		NewAccount:   connect.Account,
		KubeFlags:    NewKubeFlags(),
	}, nil
}
