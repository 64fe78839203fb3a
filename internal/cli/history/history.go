// Package history is the command that lists changes that have ended.
package history

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/selector"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/cli/wording"
)

const (
	long = `List the changes that have ended, the latest first: what became live, and what was
rejected, withdrawn, in conflict, expired or invalid.

Without a project, those of the whole namespace are listed; with a project and no
environment, those of all its environments.`

	examples = `  # The current project and environment
  {{P}} history

  # What became live in the whole namespace, and who approved it
  {{P}} history --all --status Applied --limit 100 -o wide`

	// defaultLimit is how many changes are listed.
	defaultLimit = 20
)

// Options are the command's flags.
type Options struct {
	Factory *factory.Factory
	Scope   selector.Scope
	Narrow  selector.Narrow
	Output  printers.Output
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &Options{Factory: f}
	command := &cobra.Command{
		Use:     "history",
		Short:   "List the changes that have ended",
		Long:    long,
		Example: strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:    factory.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	flags := command.Flags()
	o.Scope.AddFlags(flags)
	o.Narrow.AddFlags(flags, defaultLimit)
	o.Output.AddFlag(command)
	return command
}

func (o *Options) run(ctx context.Context) error {
	f := o.Factory
	wanted, err := o.Narrow.Phases(selector.Finished)
	if err != nil {
		return err
	}
	write, err := o.Output.Printer(f)
	if err != nil {
		return err
	}
	listing, err := o.Scope.Resolve(ctx, f, wanted)
	if err != nil {
		return err
	}
	kube, err := f.Kube()
	if err != nil {
		return err
	}
	found, older, err := o.Narrow.Read(ctx, kube, listing.Filter)
	if err != nil {
		return err
	}
	if write != nil {
		return write(printers.List(found))
	}
	return o.print(listing, found, older)
}

func (o *Options) print(l *selector.Listing, changes []v1alpha1.SecretChange, older int) error {
	f := o.Factory
	if len(changes) == 0 {
		_, err := fmt.Fprintf(f.ErrOut, "No %s in %s.\n", o.Narrow.What(l, "ended changes"), l)
		return err
	}
	styles := terminal.NewStyles(f.Terminal.Color)
	table := printers.Changes{
		Now: f.Clock.Now(), Styles: styles, Wide: o.Output.IsWide(),
		Finished:   o.Narrow.Status == "" || l.Phases.Only.Finished(),
		Namespaces: l.Namespace == "", Environments: l.Environment == "",
	}.Table(changes)
	if err := table.Print(f.Out, o.Output.Width(f), styles); err != nil {
		return err
	}
	if older > 0 {
		_, _ = fmt.Fprintf(f.ErrOut, "%s not listed: --limit lists more.\n", wording.Count(older, "older change"))
	}
	printers.Next(f, printers.Newest(changes, v1alpha1.PhaseApplied), l.Namespace == "", "review NAME", "rollback NAME -r REASON")
	return nil
}
