// Package rollback is the command that undoes one applied change and keeps what
// came after it.
package rollback

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/revert"
	"github.com/secretreview/secretreview/internal/cli/selector"
)

const (
	long = `Undo one applied change, and keep what came after it, as git revert does.

The keys that the change touched get back what it had replaced, whatever was done in AWS
since. Where a later change has touched one of them too, nothing is done, and the keys are
named: roll that one back first, or use "restore".

A rollback is a change like any other. Who holds the verb rollback needs nobody else, to
values that an applied change wrote, unless the project's policy wants a review.`

	examples = `  # Undo a change
  {{P}} rollback backend-api-production-x7k2p -r "It broke the login"

  # Undo what was applied last in this project and environment
  {{P}} rollback --latest -r "It broke the login"

  # See what that would change
  {{P}} rollback --latest -r "It broke the login" --dry-run`
)

// Options are the command's flags.
type Options struct {
	revert.Options
	Selector selector.Options
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &Options{Options: revert.Options{Factory: f}, Selector: selector.Options{Applied: true}}
	command := &cobra.Command{
		Use:                   "rollback [CHANGE] -r REASON",
		DisableFlagsInUseLine: true,
		Short:                 "Undo one applied change, and keep what came after it",
		Long:                  long,
		Example:               strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:                  selector.Args,
		ValidArgsFunction:     selector.CompleteApplied(f),
		RunE:                  func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	flags := command.Flags()
	o.Selector.AddFlags(flags)
	o.AddFlags(flags)
	return command
}

func (o *Options) run(ctx context.Context, args []string) error {
	if err := o.Validate(); err != nil {
		return err
	}
	o.Selector.Whole = o.Yes
	undone, err := o.Selector.Find(ctx, o.Factory, args)
	if err != nil {
		return err
	}
	if err := revert.Applied(undone); err != nil {
		return err
	}
	if undone.Adopted() {
		return exit.Errorf(exit.Refused, "change %q adopted what was live, so there is nothing to undo: name another change", undone.Name)
	}
	if o.Selector.Latest && undone.Spec.Staged == nil {
		return exit.Errorf(exit.Refused, "change %q, which was applied last, itself goes back: name it if that is to be undone, or another change", undone.Name)
	}
	target, err := revert.TargetOf(ctx, o.Factory, undone)
	if err != nil {
		return err
	}
	if err := unfinished(ctx, o.Factory, target, undone); err != nil {
		return err
	}
	return o.Run(ctx, target, revert.Way{
		Source: v1alpha1.SecretChangeSpec{Rollback: &v1alpha1.RollbackSource{Change: undone.Name}},
		Versions: v1alpha1.Revert{
			FromVersionID: undone.Status.AppliedVersionID, ToVersionID: undone.Status.PreviousVersionID,
		},
		What: fmt.Sprintf("roll back change %s", undone.Name),
	})
}

// unfinished fails with an exit.Error of Conflict where a rollback of the same
// change is on its way.
func unfinished(ctx context.Context, f *factory.Factory, target *factory.Target, undone *v1alpha1.SecretChange) error {
	kube, err := f.Kube()
	if err != nil {
		return err
	}
	filter := selector.Filter{
		Namespace: target.Namespace, Project: target.Project.Name, Environment: target.Environment.Name, Phases: selector.Unfinished,
	}
	found := ""
	err = selector.Each(ctx, kube, filter, func(c *v1alpha1.SecretChange) {
		if c.Spec.Rollback != nil && c.Spec.Rollback.Change == undone.Name {
			found = c.Name
		}
	})
	if err == nil && found != "" {
		err = exit.Errorf(exit.Conflict, "change %q undoes %q already: see \"%s status %s -n %s\"", found, undone.Name, f.Program, found, target.Namespace)
	}
	return err
}
