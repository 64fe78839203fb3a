// Command manager is the controller: it checks proposed changes, makes approved
// ones live in AWS Secrets Manager, and watches over what is live.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/coredump"
)

// version is set by the linker: -X main.version=v1.2.3.
var version string

func main() { os.Exit(manage()) }

func manage() int {
	if err := coredump.Disable(); err != nil {
		fmt.Fprintln(os.Stderr, "manager:", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal lets work in progress end; a second one ends the process.
	context.AfterFunc(ctx, stop)
	if err := command(os.LookupEnv).ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "manager:", err)
		return 1
	}
	return 0
}

func command(environment func(string) (string, bool)) *cobra.Command {
	o := defaults(environment)
	c := &cobra.Command{
		Use:           "manager",
		Short:         "Makes reviewed changes live in AWS Secrets Manager",
		Args:          cobra.NoArgs,
		Version:       release(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			return run(c.Context(), o, c.ErrOrStderr())
		},
	}
	o.bind(c.Flags())
	c.AddCommand(verifyCommand(environment))
	c.CompletionOptions.DisableDefaultCmd = true
	return c
}

func release() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
