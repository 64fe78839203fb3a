// Command sr proposes, reviews and approves changes to secrets. Called as
// kubectl-sr it is kubectl's plugin "kubectl sr".
package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/root"
	"github.com/secretreview/secretreview/internal/coredump"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/aws"
)

// version is set by the linker: -X main.version=v1.2.3.
var version string

func main() { os.Exit(int(run())) }

func run() exit.Code {
	if err := coredump.Disable(); err != nil {
		fmt.Fprintf(os.Stderr, "Warning: %v\n", err)
	}
	var signals interrupts
	ctx, stop := signals.context()
	defer stop()

	program, args := root.Invocation(os.Args[0], os.Args[1:])
	f, err := factory.New(program, release(), connector{})
	if err != nil {
		return exit.Report(os.Stderr, "sr", err)
	}
	f.HoldInterrupts = signals.hold
	return root.Run(ctx, f, args)
}

// connector keeps an adapter for each region, so that credentials are fetched
// once.
type connector map[string]*aws.Adapter

func (c connector) adapter(ctx context.Context, region string) (*aws.Adapter, error) {
	if known := c[region]; known != nil {
		return known, nil
	}
	adapter, err := aws.New(ctx, aws.Options{Region: region, Version: release()})
	if err != nil {
		return nil, exit.Errorf(exit.Usage, "%w", err)
	}
	c[region], c[adapter.Region()] = adapter, adapter
	return adapter, nil
}

func (c connector) Store(ctx context.Context, region string) (secretstore.Store, error) {
	return c.adapter(ctx, region)
}

func (c connector) Account(ctx context.Context, region string) (secretstore.Account, error) {
	return c.adapter(ctx, region)
}

func release() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
