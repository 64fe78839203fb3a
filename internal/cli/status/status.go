// Package status is the command that shows where an environment stands and
// which changes to it are unfinished, or one change without its values.
package status

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/review/sheet"
	"github.com/secretreview/secretreview/internal/cli/selector"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/cli/wording"
)

const (
	long = `Show where an environment stands, and its unfinished changes.

Without a project, all unfinished changes of the namespace are listed; with a project and
no environment, those of all its environments. With a change, that one is shown, without
its values. Nothing is read from AWS.`

	examples = `  # The current project and environment
  {{P}} status

  # All projects of the namespace
  {{P}} status --all

  # One change
  {{P}} status backend-api-production-x7k2p

  # The names of what waits for a review, for a script
  {{P}} status --all -o jsonpath='{.items[?(@.status.phase=="Pending")].metadata.name}'`
)

// Options are the command's flags.
type Options struct {
	Factory  *factory.Factory
	Selector selector.Options
	Scope    selector.Scope
	Narrow   selector.Narrow
	Output   printers.Output
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &Options{Factory: f}
	command := &cobra.Command{
		Use:               "status [CHANGE]",
		Short:             "Show where an environment stands, and its unfinished changes",
		Long:              long,
		Example:           strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:              selector.Args,
		ValidArgsFunction: selector.Complete(f),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	flags := command.Flags()
	o.Selector.AddFlags(flags)
	o.Scope.AddFlags(flags)
	o.Narrow.AddFlags(flags, 0)
	o.Output.AddFlag(command)
	return command
}

func (o *Options) run(ctx context.Context, args []string) error {
	write, err := o.Output.Printer(o.Factory)
	if err != nil {
		return err
	}
	if o.Selector.Named(args) {
		return o.one(ctx, args, write)
	}
	return o.list(ctx, write)
}

// one shows one change.
func (o *Options) one(ctx context.Context, args []string, write printers.Printer) error {
	if o.Scope.All || o.Scope.AllNamespaces || o.Narrow != (selector.Narrow{}) {
		return exit.Errorf(exit.Usage, "--all, -A, --status and --limit list changes: leave them out to see one")
	}
	f := o.Factory
	change, err := o.Selector.Find(ctx, f, args)
	if err != nil {
		return err
	}
	if write != nil {
		return write(change)
	}
	s, err := sheet.Load(ctx, f, change, true)
	if err != nil {
		return err
	}
	return s.Print(f.Out, sheet.View{Width: f.Terminal.Width, Styles: terminal.NewStyles(f.Terminal.Color), Now: f.Clock.Now()})
}

func (o *Options) list(ctx context.Context, write printers.Printer) error {
	f := o.Factory
	wanted, err := o.Narrow.Phases(selector.Unfinished)
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
	slices.SortFunc(found, inOrder)
	if write != nil {
		return write(printers.List(found))
	}
	return o.print(listing, found, older)
}

// inOrder sorts by environment, and in it the newest first.
func inOrder(a, b v1alpha1.SecretChange) int {
	if order := cmp.Or(
		cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Spec.Project, b.Spec.Project), cmp.Compare(a.Spec.Environment, b.Spec.Environment),
	); order != 0 {
		return order
	}
	if selector.Newer(&a, &b) {
		return -1
	}
	return 1
}

func (o *Options) print(l *selector.Listing, changes []v1alpha1.SecretChange, older int) error {
	f := o.Factory
	styles := terminal.NewStyles(f.Terminal.Color)
	if l.Project != nil {
		if err := summary(f, styles, l); err != nil {
			return err
		}
	}
	if len(changes) == 0 {
		_, err := fmt.Fprintf(f.ErrOut, "No %s in %s.\n", o.Narrow.What(l, "unfinished changes"), l)
		return err
	}
	table := printers.Changes{
		Now: f.Clock.Now(), Styles: styles, Wide: o.Output.IsWide(), Finished: l.Phases.Only.Finished(),
		Namespaces: l.Namespace == "", Environments: l.Environment == "",
	}.Table(changes)
	if err := table.Print(f.Out, o.Output.Width(f), styles); err != nil {
		return err
	}
	if older > 0 {
		_, _ = fmt.Fprintf(f.ErrOut, "%s not listed: --limit lists more.\n", wording.Count(older, "older change"))
	}
	printers.Next(f, printers.Newest(changes, v1alpha1.PhasePending), l.Namespace == "", "review NAME", "approve NAME")
	return nil
}
