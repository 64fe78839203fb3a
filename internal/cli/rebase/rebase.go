// Package rebase is the command that makes a change anew on what is live.
package rebase

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/cli/propose"
	"github.com/secretreview/secretreview/internal/cli/review/sheet"
	"github.com/secretreview/secretreview/internal/cli/review/verdict"
	"github.com/secretreview/secretreview/internal/cli/selector"
	"github.com/secretreview/secretreview/internal/document"
)

const (
	long = `Make a change anew on what is live now, because others were faster.

The keys that the change sets and unsets are merged with what is live. Keys that others
have changed as well are named, with both values where you see values, and you decide:
--ours KEY takes what the change wants, --theirs KEY leaves what is live. On a terminal
you are asked.

The result is staged and proposed as a new change, in your name, which needs its own
reviews. The old one is withdrawn and names the new one. A change that has ended as
Conflicted can be rebased until it would have expired: so long its values stay staged.`

	examples = `  # Make a change anew
  {{P}} rebase backend-api-production-x7k2p

  # Decide about keys that others have changed as well
  {{P}} rebase backend-api-production-x7k2p --ours DB_PASSWORD --theirs LOG_LEVEL

  # See what it would come to
  {{P}} rebase backend-api-production-x7k2p --dry-run`
)

// Options are the command's flags.
type Options struct {
	propose  propose.Options
	selector selector.Options
	ours     []string
	theirs   []string
	reveal   bool
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &Options{propose: propose.Options{Factory: f}}
	command := &cobra.Command{
		Use:                   "rebase CHANGE [--ours KEY]... [--theirs KEY]...",
		DisableFlagsInUseLine: true,
		Short:                 "Make a change anew on what is live now",
		Long:                  long,
		Example:               strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:                  selector.Args,
		ValidArgsFunction:     selector.CompleteRebasable(f),
		RunE:                  func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	flags := command.Flags()
	o.selector.AddFlags(flags)
	o.propose.AddFlags(flags)
	flags.Lookup("reason").Usage = "why, if not for the reason of the change that is rebased"
	flags.StringArrayVar(&o.ours, "ours", nil, "take what the change wants for a key that others have changed too; may be repeated")
	flags.StringArrayVar(&o.theirs, "theirs", nil, "leave what is live for a key that others have changed too; may be repeated")
	flags.BoolVar(&o.reveal, "reveal", false, "show values although the output is not a terminal, or is a CI log")
	o.propose.Complete(command)
	return command
}

func (o *Options) run(ctx context.Context, args []string) error {
	if err := o.validate(); err != nil {
		return err
	}
	f := o.propose.Factory
	old, err := o.selector.Find(ctx, f, args)
	if err != nil {
		return err
	}
	if err := rebasable(old, f.Clock.Now()); err != nil {
		return err
	}
	target, err := sheet.TargetOf(ctx, f, old)
	if err != nil {
		return err
	}
	if target == nil {
		return exit.Errorf(exit.NotFound, "project %q has no environment %q any more: change %q cannot be rebased", old.Spec.Project, old.Spec.Environment, old.Name)
	}
	if err := target.Served(); err != nil {
		return err
	}
	store, err := f.Store(ctx, target.Project.Status.Region)
	if err != nil {
		return err
	}
	edit, err := sheet.ReadStaged(ctx, store, old, target)
	if err != nil {
		return err
	}
	now, err := live.ReadTarget(ctx, store, target)
	if err != nil {
		return err
	}
	if old.Status.Phase != v1alpha1.PhaseConflicted && string(old.Spec.BaseVersionID) == now.ID {
		_, err := fmt.Fprintf(f.Out, "No need: change %s is on what is live already.\n", old.Name)
		return err
	}
	patch, err := o.merge(ctx, old, edit, now.Values)
	if err != nil {
		return err
	}
	if o.propose.Reason == "" {
		o.propose.Reason = old.Spec.Reason
	}
	o.propose.RebaseOf = old.Name
	name, err := o.propose.Amend(ctx, store, target, now, patch)
	if err != nil || name == "" {
		o.tellGit(old, err)
		return err
	}
	return o.withdraw(ctx, old, name)
}

func (o *Options) validate() error {
	for _, key := range o.ours {
		if slices.Contains(o.theirs, key) {
			return exit.Errorf(exit.Usage, "key %s is given to both --ours and --theirs: choose one", document.Quote(key))
		}
	}
	return nil
}

// withdraw ends the old change, where it has not ended, with a word on the new
// one. Whoever may not do that is told who may: the new change stands.
func (o *Options) withdraw(ctx context.Context, old *v1alpha1.SecretChange, name string) error {
	f := o.propose.Factory
	if old.Status.Phase.Finished() {
		return nil
	}
	kube, err := f.Kube()
	if err != nil {
		return err
	}
	user, err := f.User(ctx)
	if err != nil {
		return err
	}
	review := v1alpha1.Review{Reviewer: user, Verdict: v1alpha1.VerdictRejected, Comment: "Rebased as " + name}
	_, _, err = verdict.Submit(ctx, kube, old, review)
	if err == nil {
		_, _ = fmt.Fprintf(f.ErrOut, "Change %s is withdrawn: %s takes its place.\n", old.Name, name)
		return nil
	}
	now := &v1alpha1.SecretChange{}
	look := kube.Get(ctx, client.ObjectKeyFromObject(old), now)
	switch phase := now.Status.Phase; {
	case look == nil && now.UID == old.UID && phase == v1alpha1.PhaseConflicted:
		// Others were faster once more, which is what it was rebased for.
	case look == nil && now.UID == old.UID && phase.Finished():
		_, _ = fmt.Fprintf(f.ErrOut, "Warning: change %s has ended as %s meanwhile: look at %s again, which was made without that.\n", old.Name, phase, name)
	default:
		_, _ = fmt.Fprintf(f.ErrOut, "Warning: change %s stays, beside %s (%v): its proposer or an approver can end it with \"%s reject %s -n %s\".\n",
			old.Name, name, err, f.Program, old.Name, old.Namespace)
	}
	return nil
}

// tellGit says what is left to do where the new change goes into a repository.
func (o *Options) tellGit(old *v1alpha1.SecretChange, err error) {
	if err == nil && o.propose.ForGit() {
		_, _ = fmt.Fprintf(o.propose.Factory.ErrOut, "Take the manifest of %s out of the repository, if it is there; it is not withdrawn.\n", old.Name)
	}
}
