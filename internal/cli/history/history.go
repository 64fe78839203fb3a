// Package history is the command that lists changes that have ended.
package history

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
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

// phases are what --status takes.
var phases = []v1alpha1.Phase{
	v1alpha1.PhaseApplied, v1alpha1.PhaseRejected, v1alpha1.PhaseConflicted, v1alpha1.PhaseExpired, v1alpha1.PhaseInvalid,
	v1alpha1.PhasePending, v1alpha1.PhaseApproved,
}

// Options are the command's flags.
type Options struct {
	Factory *factory.Factory
	Scope   selector.Scope
	Output  printers.Output
	Limit   int
	Status  string
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
	o.Output.AddFlag(flags)
	flags.IntVar(&o.Limit, "limit", defaultLimit, "how many at most; 0 is all of them, which are then held in memory")
	flags.StringVar(&o.Status, "status", "", "only those in this phase: "+names())
	return command
}

func names() string {
	var all []string
	for _, phase := range phases {
		all = append(all, string(phase))
	}
	return strings.Join(all, ", ")
}

func (o *Options) run(ctx context.Context) error {
	f := o.Factory
	wanted, err := o.phases()
	if err != nil {
		return err
	}
	if o.Limit < 0 {
		return exit.Errorf(exit.Usage, "--limit is %d: give 0 or more", o.Limit)
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
	latest := &latest{limit: o.Limit}
	if err := selector.Each(ctx, kube, listing.Filter, latest.add); err != nil {
		return err
	}
	found := latest.sorted()
	if write != nil {
		return write(printers.List(found))
	}
	return o.print(listing, found, latest.seen)
}

func (o *Options) phases() (selector.Phases, error) {
	if o.Status == "" {
		return selector.Finished, nil
	}
	at := slices.IndexFunc(phases, func(p v1alpha1.Phase) bool { return strings.EqualFold(string(p), o.Status) })
	if at < 0 {
		return selector.Phases{}, exit.Errorf(exit.Usage, "--status is %q, which is no phase: give %s", o.Status, names())
	}
	return selector.Phases{Only: phases[at]}, nil
}

func (o *Options) print(l *selector.Listing, changes []v1alpha1.SecretChange, seen int) error {
	f := o.Factory
	if len(changes) == 0 {
		what := "ended changes"
		if o.Status != "" {
			what = "changes in phase " + string(l.Phases.Only)
		}
		_, err := fmt.Fprintf(f.ErrOut, "No %s in %s.\n", what, l)
		return err
	}
	styles := terminal.NewStyles(f.Terminal.Color)
	table := printers.Changes{
		Now: f.Clock.Now(), Styles: styles, Wide: o.Output.IsWide(), Finished: true,
		Namespaces: l.Namespace == "", Environments: l.Environment == "",
	}.Table(changes)
	if err := table.Print(f.Out, o.Output.Width(f), styles); err != nil {
		return err
	}
	if more := seen - len(changes); more > 0 {
		_, _ = fmt.Fprintf(f.ErrOut, "%s not listed: --limit lists more.\n", wording.Count(more, "older change"))
	}
	return nil
}
