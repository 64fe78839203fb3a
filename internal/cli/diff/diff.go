// Package diff is the command that compares a file with what is live, or two
// environments with each other.
package diff

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/sensitive"
)

const (
	long = `Compare a dotenv file with what is live, or two environments with each other.

Marked is how the file differs from what is live, or the second environment from the
first: + is only there, - is missing there, ~ is different. Values are hidden unless
--reveal is given.

It exits with 0 where both are alike, with 1 where they differ, and with more than 1 where
they could not be compared.`

	examples = `  # What have I changed?
  {{P}} diff

  # What does production have that dev lacks?
  {{P}} diff dev production -p backend-api`

	defaultFile = ".env"
)

// Options are the command's flags.
type Options struct {
	Factory *factory.Factory

	File   string
	Reveal bool
	Source live.SourceFlags
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &Options{Factory: f}
	command := &cobra.Command{
		Use:                   "diff [-f FILE | ENV1 ENV2]",
		DisableFlagsInUseLine: true,
		Short:                 "Compare a file with what is live, or two environments",
		Long:                  long,
		Example:               strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:                  noneOrTwo,
		ValidArgsFunction:     f.CompleteEnvironments,
		RunE:                  func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	flags := command.Flags()
	flags.StringVarP(&o.File, "file", "f", "", `dotenv file, "-" for standard input (default ".env")`)
	flags.BoolVar(&o.Reveal, "reveal", false, "show the values, too")
	o.Source.AddFlags(flags)
	return command
}

func noneOrTwo(_ *cobra.Command, args []string) error {
	if len(args) != 0 && len(args) != 2 {
		return errors.New("it takes two environments, or none to compare a file")
	}
	return nil
}

func (o *Options) run(ctx context.Context, args []string) error {
	var before, after document.Document
	var err error
	if len(args) == 2 {
		before, after, err = o.environments(ctx, args[0], args[1])
	} else {
		before, after, err = o.file(ctx)
	}
	if err != nil {
		return err
	}
	changes := document.Diff(before, after)
	if len(changes) == 0 {
		_, _ = fmt.Fprintln(o.Factory.ErrOut, "No differences.")
		return nil
	}
	diff := &printers.Diff{ShowValues: o.Reveal}
	for _, c := range changes {
		diff.Entries = append(diff.Entries, printers.Entry{Key: c.Key, Type: c.Type, Old: value(before, c.Key), New: value(after, c.Key)})
	}
	f := o.Factory
	if err := diff.Print(f.Out, f.Terminal.Width, terminal.NewStyles(f.Terminal.Color)); err != nil {
		return err
	}
	return &exit.SilentError{Code: exit.Failure}
}

// environments reads two environments of the project.
func (o *Options) environments(ctx context.Context, first, second string) (before, after document.Document, err error) {
	switch {
	case o.File != "":
		return nil, nil, exit.Errorf(exit.Usage, "two environments and a file are given: leave -f or the environments out")
	case o.Factory.Flags.Environment != "":
		return nil, nil, exit.Errorf(exit.Usage, "three environments are given: leave --env out")
	}
	if before, err = o.live(ctx, first); err != nil {
		return nil, nil, err
	}
	after, err = o.live(ctx, second)
	return before, after, err
}

// file reads what is live, and the file.
func (o *Options) file(ctx context.Context) (before, after document.Document, err error) {
	if after, err = o.read(ctx); err != nil {
		return nil, nil, err
	}
	if before, err = o.live(ctx, o.Factory.Flags.Environment); err != nil {
		return nil, nil, err
	}
	// What no file can carry is not missing in it.
	for key := range before {
		if document.ValidKey(key) != nil {
			delete(before, key)
		}
	}
	return before, after, nil
}

// live reads what is live in an environment; empty is the current one.
func (o *Options) live(ctx context.Context, environment string) (document.Document, error) {
	o.Factory.Flags.Environment = environment
	source, err := o.Source.Locate(ctx, o.Factory)
	if err != nil {
		return nil, err
	}
	now, err := source.Read(ctx, o.Factory)
	return now.Values.Clone(), err
}

func (o *Options) read(ctx context.Context) (document.Document, error) {
	if o.File == "" {
		o.File = defaultFile
	}
	file, err := o.Factory.ReadDotenv(ctx, o.File)
	if err != nil {
		// 1 means that they differ.
		return nil, exit.Errorf(exit.Usage, "%w", err)
	}
	return file.Values, nil
}

// value returns the value of a key, or nil if it is not there.
func value(d document.Document, key string) *sensitive.Value {
	if v, has := d[key]; has {
		return &v
	}
	return nil
}
