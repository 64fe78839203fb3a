// Package revert creates the changes by which rollback and restore go back: it
// shows what would change, asks, and waits until it is live.
package revert

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/draft"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/review/flow"
	"github.com/secretreview/secretreview/internal/cli/review/sheet"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/policy"
)

// Options are the flags that both commands have.
type Options struct {
	Factory *factory.Factory

	Reason        string
	Yes           bool
	DryRun        bool
	JSON          bool
	Reveal        bool
	WithoutValues bool
	NoWait        bool
	Timeout       time.Duration
}

// AddFlags binds the flags.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.StringVarP(&o.Reason, "reason", "r", "", "why, as in a commit message (required)")
	flags.BoolVarP(&o.Yes, "yes", "y", false, "do not ask")
	flags.BoolVar(&o.DryRun, "dry-run", false, "show what would change, and create nothing")
	flags.BoolVar(&o.JSON, "json", false, "print JSON: the change, what it does to which key, and what came of it")
	flags.BoolVar(&o.Reveal, "reveal", false, "show values although the output is not a terminal, or is a CI log")
	flags.BoolVar(&o.WithoutValues, "without-values", false, "do not read values from AWS, and do not show what would change")
	flags.BoolVar(&o.NoWait, "no-wait", false, "do not wait until it is live")
	flags.DurationVar(&o.Timeout, "timeout", flow.DefaultTimeout, "how long to wait until it is live")
}

// Validate fails with an exit.Error of Usage for flags that make no sense.
func (o *Options) Validate() error {
	if err := draft.CheckReason(o.Reason, o.DryRun); err != nil {
		return err
	}
	switch {
	case o.DryRun && o.WithoutValues:
		return exit.Errorf(exit.Usage, "--dry-run shows what would change, for which values are read: leave --without-values out")
	case o.JSON && !o.Yes && !o.DryRun:
		return exit.Errorf(exit.Usage, "--json asks nothing: add -y, or --dry-run to look")
	case !o.Yes && !o.DryRun && !o.Factory.Terminal.CanAsk():
		return exit.Errorf(exit.Usage, "nobody can be asked here: add -y to go back without a question, or --dry-run to look")
	default:
		return flow.CheckTimeout(o.Timeout)
	}
}

// Way is how to go back.
type Way struct {
	// Source has Rollback or Restore.
	Source v1alpha1.SecretChangeSpec
	// Versions are those to go back between, as the controller will work them out.
	Versions v1alpha1.Revert
	// What is what is done, as in "restore api/dev to version 1".
	What string
}

// Run shows what would change, asks, creates the change, and waits for what
// comes of it.
func (o *Options) Run(ctx context.Context, target *factory.Target, way Way) error {
	if err := target.Served(); err != nil {
		return err
	}
	change, err := o.draft(ctx, target, way)
	if err != nil {
		return err
	}
	alone, err := o.Factory.May(ctx, "rollback", target)
	if err != nil {
		return err
	}
	spec := change.Spec.DeepCopy()
	spec.BaseVersionID = v1alpha1.VersionID(target.Status.LiveVersionID)
	if alone {
		spec.Reviews = []v1alpha1.Review{{Reviewer: spec.ProposedBy, Verdict: v1alpha1.VerdictApproved}}
	}
	kube, err := o.Factory.Kube()
	if err != nil {
		return err
	}
	// What the cluster would refuse is not shown first.
	object := &v1alpha1.SecretChange{ObjectMeta: metav1.ObjectMeta{Namespace: change.Namespace, Name: change.Name}, Spec: *spec}
	if err := kube.Create(ctx, object.DeepCopy(), client.DryRunAll); err != nil {
		return fmt.Errorf("ask the cluster whether it takes the change: %w", err)
	}
	c := o.reviewing(change)
	if done, err := o.show(ctx, c, target, way); done || err != nil {
		return err
	}
	if !o.Yes {
		if err := o.ask(ctx, question(c, way, alone)); err != nil {
			return err
		}
	}
	object.Spec.BaseVersionID = v1alpha1.VersionID(cmp.Or(c.Sheet.LiveVersionID(), target.Status.LiveVersionID))
	c.Change = object
	return o.create(ctx, c, target, alone)
}

// question tells what a yes does.
func question(c *flow.Case, way Way, alone bool) string {
	what := way.What
	if c.Sheet.State == sheet.Read && len(c.Sheet.Entries) == 0 {
		what = "adopt what is live"
	}
	if alone {
		return strings.ToUpper(what[:1]) + what[1:] + " now?"
	}
	return "Propose to " + what + "?"
}

// draft returns the change as it would be, with what the controller will add.
func (o *Options) draft(ctx context.Context, target *factory.Target, way Way) (*v1alpha1.SecretChange, error) {
	f := o.Factory
	user, err := f.User(ctx)
	if err != nil {
		return nil, err
	}
	name, err := draft.Name(target.Project.Name, target.Environment.Name, f.Rand)
	if err != nil {
		return nil, err
	}
	versions := way.Versions
	return &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Namespace: target.Namespace, Name: name, CreationTimestamp: metav1.NewTime(f.Clock.Now())},
		Spec: v1alpha1.SecretChangeSpec{
			Project: target.Project.Name, Environment: target.Environment.Name, Reason: draft.Reason(o.Reason, o.DryRun), ProposedBy: user,
			Rollback: way.Source.Rollback, Restore: way.Source.Restore,
		},
		Status: v1alpha1.SecretChangeStatus{Revert: &versions},
	}, nil
}

// reviewing is the change in front of its proposer, who reviews it first.
func (o *Options) reviewing(change *v1alpha1.SecretChange) *flow.Case {
	return &flow.Case{Change: change, User: change.Spec.ProposedBy, Options: &flow.Options{
		Factory: o.Factory, JSON: o.JSON, Reveal: o.Reveal, WithoutValues: o.WithoutValues, NoWait: o.NoWait, Timeout: o.Timeout,
	}}
}

// show prints what would change. It reports that nothing is left to be done where
// nothing would change, or where only that was wanted. It fails where the values,
// which are wanted, cannot be read.
func (o *Options) show(ctx context.Context, c *flow.Case, target *factory.Target, way Way) (done bool, err error) {
	if c.Sheet, err = sheet.Load(ctx, o.Factory, c.Change, o.WithoutValues); err != nil {
		return false, err
	}
	s := c.Sheet
	name := target.Project.Name + "/" + target.Environment.Name
	switch {
	case s.State == sheet.NotRead:
		return false, nil
	case s.Problem != nil && exit.CodeOf(s.Problem) == exit.Conflict, s.Problem != nil && exit.CodeOf(s.Problem) == exit.NotFound:
		return false, exit.Errorf(exit.CodeOf(s.Problem), "%s is left as it is: %w", name, s.Problem)
	case s.Problem != nil:
		return false, exit.Errorf(exit.CodeOf(s.Problem), "%s is left as it is, because its values cannot be read (%w): add --without-values to go back unseen", name, s.Problem)
	case len(s.Entries) == 0 && (way.Versions.ToVersionID != s.LiveVersionID() || target.Status.Drift == nil):
		return true, o.tellNoChanges(c, name)
	}
	if err := c.Show(); err != nil {
		return false, err
	}
	if !o.DryRun {
		return false, nil
	}
	c.Note("This is what it would change; nothing is proposed.")
	return true, o.printUncreated(c)
}

func (o *Options) tellNoChanges(c *flow.Case, name string) error {
	if o.JSON {
		return o.printUncreated(c)
	}
	_, err := fmt.Fprintf(o.Factory.Out, "No changes: %s is like that already.\n", name)
	return err
}

// printUncreated prints the JSON of a change that there is not, without a name.
func (o *Options) printUncreated(c *flow.Case) error {
	if !o.JSON {
		return nil
	}
	c.Sheet.Change = c.Change.DeepCopy()
	c.Sheet.Change.Name = ""
	return c.PrintJSON(nil)
}

func (o *Options) ask(ctx context.Context, question string) error {
	yes, err := o.Factory.Prompter.Confirm(ctx, question)
	if err == nil && !yes {
		err = exit.Errorf(exit.Cancelled, "nothing is proposed")
	}
	return err
}

// say tells a person how it goes on.
func (o *Options) say(f *factory.Factory, format string, args ...any) error {
	if o.JSON {
		return nil
	}
	_, err := fmt.Fprintf(f.Out, format, args...)
	return err
}

// create creates the change, and tells how it goes on.
func (o *Options) create(ctx context.Context, c *flow.Case, target *factory.Target, alone bool) error {
	f, change := o.Factory, c.Change
	kube, err := f.Kube()
	if err != nil {
		return err
	}
	if err := kube.Create(ctx, change); err != nil {
		return fmt.Errorf("create SecretChange %q in namespace %q: %w", change.Name, change.Namespace, err)
	}
	c.Sheet.Change = change
	if err := o.say(f, "Proposed %s\n  for %s/%s in namespace %s\n",
		change.Name, change.Spec.Project, change.Spec.Environment, change.Namespace); err != nil {
		return err
	}
	effective, _ := policy.For(target.Project, target.Environment.Name)
	if alone || effective.RequiredApprovals == 0 {
		if err := c.Await(ctx); err != nil || o.NoWait || c.Change.Status.Phase.Finished() || o.JSON {
			return err
		}
	}
	if o.JSON {
		return c.PrintJSON(nil)
	}
	return o.say(f, "It needs %s of others by %s. Next, they run:\n  %s review %s -n %s\n",
		wording.Count(max(effective.RequiredApprovals, 1), "approval"), naming.KeepUntil(f.Clock.Now().Add(effective.ChangeTTL)),
		f.Program, change.Name, change.Namespace)
}
