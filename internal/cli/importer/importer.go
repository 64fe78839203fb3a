// Package importer is the command that proposes what another program has
// written.
package importer

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/format"
	"github.com/secretreview/secretreview/internal/cli/propose"
	"github.com/secretreview/secretreview/internal/dotenv"
)

const (
	long = `Propose what a file of another program holds.

The formats are
{{FORMATS}}
Keys of the file are added or changed. Live keys that it lacks stay, unless --prune makes
the file the whole wanted state. Values must be strings: a number, a truth or an object is
refused, and its key is named, because how it should be written would be a guess. shell and
github are written by "export" only, since reading them would mean to run them.`

	examples = `  # What a file of YAML holds
  {{P}} import --format yaml -f values.yaml -r "Move out of the old vault"

  # From one environment to another
  {{P}} export --format json -e dev | {{P}} import --format json -e staging -r "As in dev"`
)

// options are the command's own flags.
type options struct {
	propose.Options
	format string
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &options{Options: propose.Options{Factory: f}}
	command := &cobra.Command{
		Use:                   "import --format FORMAT [-f FILE] -r REASON",
		DisableFlagsInUseLine: true,
		Short:                 "Propose what a file of another program holds",
		Long:                  strings.ReplaceAll(long, "{{FORMATS}}", format.About(true)),
		Example:               strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:                  factory.NoArgs,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	flags := command.Flags()
	o.AddFlags(flags)
	flags.StringVar(&o.format, "format", "", strings.Join(format.Names(true), ", ")+" (required)")
	flags.StringVarP(&o.File, "file", "f", "", `file to read, "-" for standard input (default standard input, if that is no terminal)`)
	flags.BoolVar(&o.Prune, "prune", false, "remove live keys that the file lacks")
	o.Complete(command)
	format.Complete(command, true)
	return command
}

func (o *options) run(ctx context.Context) error {
	chosen, err := format.Find(o.format, true)
	if err != nil {
		return err
	}
	if o.File == "" {
		if o.Factory.Terminal.StdinTTY {
			return exit.Errorf(exit.Usage, "no file is given: name one with -f, or use a pipe")
		}
		o.File = factory.StdinMark
	}
	text, err := o.Factory.ReadFile(ctx, o.File, dotenv.MaxBytes)
	if err != nil {
		return err
	}
	content, err := chosen.Read(text)
	if err != nil {
		return fmt.Errorf("%s, %w", o.File, err)
	}
	o.Content, o.Keep = &content, !o.Prune
	return o.Run(ctx)
}
