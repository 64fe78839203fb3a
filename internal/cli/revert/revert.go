// Package revert creates the changes by which rollback and restore go back: it
// shows what would change, asks, and waits until it is live.
package revert

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/draft"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/review/flow"
	"github.com/secretreview/secretreview/internal/cli/review/sheet"
)

// maxReasonBytes is the CRD's limit.
const maxReasonBytes = 2048

// Options are the flags that both commands have.
type Options struct {
	Factory *factory.Factory

	Reason        string
	Yes           bool
	DryRun        bool
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
	flags.BoolVar(&o.Reveal, "reveal", false, "show values although the output is not a terminal, or is a CI log")
	flags.BoolVar(&o.WithoutValues, "without-values", false, "do not read values from AWS, and do not show what would change")
	flags.BoolVar(&o.NoWait, "no-wait", false, "do not wait until it is live")
	flags.DurationVar(&o.Timeout, "timeout", flow.DefaultTimeout, "how long to wait for that")
}

// Validate fails with an exit.Error of Usage for flags that make no sense.
func (o *Options) Validate() error {
	switch {
	case strings.TrimSpace(o.Reason) == "":
		return exit.Errorf(exit.Usage, "no reason is given: say with -r why it is needed")
	case len(o.Reason) > maxReasonBytes || !utf8.ValidString(o.Reason):
		return exit.Errorf(exit.Usage, "the reason must be text of at most %d bytes: shorten it", maxReasonBytes)
	case o.DryRun && o.WithoutValues:
		return exit.Errorf(exit.Usage, "--dry-run shows what would change, for which values are read: leave --without-values out")
	case !o.Yes && !o.DryRun && !o.Factory.Terminal.CanAsk():
		return exit.Errorf(exit.Usage, "nobody can be asked here: add -y to go back without a question, or --dry-run to look")
	default:
		return nil
	}
}

// Way is how to go back.
type Way struct {
	// Source has Rollback or Restore.
	Source v1alpha1.SecretChangeSpec
	// Versions are those to go back between, as the controller will work them out.
	Versions v1alpha1.Revert
	// Question is asked before the change is created.
	Question string
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
	c := o.reviewing(change)
	if err := o.show(ctx, c, target, way); err != nil || o.DryRun {
		return err
	}
	if !o.Yes {
		if err := o.ask(ctx, way.Question); err != nil {
			return err
		}
	}
	change.Spec.BaseVersionID = v1alpha1.VersionID(cmp.Or(c.Sheet.LiveVersionID(), target.Status.LiveVersionID))
	change.Status = v1alpha1.SecretChangeStatus{}
	change.CreationTimestamp = metav1.Time{}
	return o.create(ctx, c, target)
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
	if o.DryRun {
		name = "" // there will be no such change
	}
	versions := way.Versions
	return &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Namespace: target.Namespace, Name: name, CreationTimestamp: metav1.NewTime(f.Clock.Now())},
		Spec: v1alpha1.SecretChangeSpec{
			Project: target.Project.Name, Environment: target.Environment.Name, Reason: o.Reason, ProposedBy: user,
			Rollback: way.Source.Rollback, Restore: way.Source.Restore,
		},
		Status: v1alpha1.SecretChangeStatus{Revert: &versions},
	}, nil
}

// reviewing is the change in front of its proposer, who reviews it first.
func (o *Options) reviewing(change *v1alpha1.SecretChange) *flow.Case {
	return &flow.Case{Change: change, User: change.Spec.ProposedBy, Options: &flow.Options{
		Factory: o.Factory, Reveal: o.Reveal, WithoutValues: o.WithoutValues, NoWait: o.NoWait, Timeout: o.Timeout,
	}}
}

// show prints what would change. It fails where nothing would, and where the
// values, which are wanted, cannot be read.
func (o *Options) show(ctx context.Context, c *flow.Case, target *factory.Target, way Way) error {
	var err error
	if c.Sheet, err = sheet.Load(ctx, o.Factory, c.Change, o.WithoutValues); err != nil {
		return err
	}
	s := c.Sheet
	switch {
	case s.State == sheet.NotRead:
		return nil
	case s.Problem != nil:
		return exit.Errorf(exit.CodeOf(s.Problem), "%s/%s is left as it is: %w", target.Project.Name, target.Environment.Name, s.Problem)
	case len(s.Entries) == 0 && way.Versions.ToVersionID != s.LiveVersionID():
		return exit.Errorf(exit.Refused, "%s/%s is left as it is: what is live is like that already", target.Project.Name, target.Environment.Name)
	}
	return c.Show()
}

func (o *Options) ask(ctx context.Context, question string) error {
	yes, err := o.Factory.Prompter.Confirm(ctx, question)
	if err == nil && !yes {
		err = exit.Errorf(exit.Cancelled, "nothing is proposed")
	}
	return err
}

// create creates the change, with one's own approval where one may roll back
// alone, and tells how it goes on.
func (o *Options) create(ctx context.Context, c *flow.Case, target *factory.Target) error {
	f, change := o.Factory, c.Change
	alone, err := f.May(ctx, "rollback", target)
	if err != nil {
		return err
	}
	own := v1alpha1.Review{Reviewer: change.Spec.ProposedBy, Verdict: v1alpha1.VerdictApproved}
	if alone {
		change.Spec.Reviews = []v1alpha1.Review{own}
	}
	kube, err := f.Kube()
	if err != nil {
		return err
	}
	if err := kube.Create(ctx, change); err != nil {
		return fmt.Errorf("create SecretChange %q in namespace %q: %w", change.Name, change.Namespace, err)
	}
	if _, err := fmt.Fprintf(f.Out, "Proposed %s\n  for %s/%s in namespace %s\n",
		change.Name, change.Spec.Project, change.Spec.Environment, change.Namespace); err != nil {
		return err
	}
	if !alone {
		_, err := fmt.Fprintf(f.Out, "It needs somebody else's approval. Next, they run:\n  %s review %s -n %s\n", f.Program, change.Name, change.Namespace)
		return err
	}
	return c.Await(ctx, own)
}
