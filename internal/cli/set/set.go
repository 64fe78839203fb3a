// Package set is the command that proposes new values of single keys.
package set

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/propose"
)

const (
	long = `Propose new values of single keys, and leave the others as they are.

A value is taken
  KEY=VALUE   from the command line (which others on this machine may see),
  KEY         from you, without showing it,
  KEY=@FILE   from a file, byte for byte,
  KEY=-       from standard input, byte for byte.`

	examples = `  # Change one key, typing its value
  {{P}} set DB_PASSWORD -r "New database"

  # Several, one of them from a file
  {{P}} set LOG_LEVEL=warn TLS_KEY=@key.pem -p backend-api -e dev -r "Log less, new certificate"`
)

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &propose.Options{Factory: f}
	command := &cobra.Command{
		Use:                   "set KEY[=VALUE]... -r REASON",
		DisableFlagsInUseLine: true,
		Short:                 "Propose new values of single keys",
		Long:                  long,
		Example:               strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:                  someKeys,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Set = args
			return o.Run(cmd.Context())
		},
	}
	o.AddFlags(command.Flags())
	o.Complete(command)
	return command
}

func someKeys(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return errors.New("it takes the keys to set: KEY=VALUE, or KEY to be asked")
	}
	return nil
}
