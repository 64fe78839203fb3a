// Package unset is the command that proposes to remove keys.
package unset

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/propose"
)

const (
	long = `Propose to remove single keys, and leave the others as they are.`

	examples = `  # Remove two keys
  {{P}} unset OLD_TOKEN OLD_URL -r "Nobody uses them any more"`
)

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &propose.Options{Factory: f}
	command := &cobra.Command{
		Use:                   "unset KEY... -r REASON",
		DisableFlagsInUseLine: true,
		Short:                 "Propose to remove keys",
		Long:                  long,
		Example:               strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:                  someKeys,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Unset = args
			return o.Run(cmd.Context())
		},
	}
	o.AddFlags(command.Flags())
	o.Complete(command)
	return command
}

func someKeys(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return errors.New("it takes the keys to remove")
	}
	return nil
}
