// Package approve is the command that adds one's approval to a change and waits
// until it is live.
package approve

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/review/flow"
	"github.com/secretreview/secretreview/internal/cli/review/sheet"
	"github.com/secretreview/secretreview/internal/cli/review/verdict"
	"github.com/secretreview/secretreview/internal/cli/selector"
	"github.com/secretreview/secretreview/internal/policy"
)

const (
	long = `Approve a change, and wait until it is live.

It is shown first, with the values that it sets and those that are live, read with your
own AWS credentials. Values that are not exactly those that the change pins are refused.
Where you may not read values, you can still approve by the keys alone.

The approval is good for exactly what was shown: if the change was deleted and made anew
under the same name meanwhile, nothing is approved. If more approvals are needed, the
command says how many and ends.`

	examples = `  # Approve a change
  {{P}} approve backend-api-production-x7k2p

  # Approve the newest pending one of this project and environment, with a comment
  {{P}} approve --latest -c "checked with the database team"

  # In a script: nothing is asked, and nothing is waited for
  {{P}} approve backend-api-production-x7k2p -y --no-wait`
)

// Options are the command's flags.
type Options struct {
	flow.Options
	Comment string
	Yes     bool
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &Options{Options: flow.Options{Factory: f}}
	command := &cobra.Command{
		Use:               "approve [CHANGE]",
		Short:             "Approve a change, and wait until it is live",
		Long:              long,
		Example:           strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:              selector.Args,
		ValidArgsFunction: selector.Complete(f),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	flags := command.Flags()
	o.AddFlags(flags)
	o.AddSkipReview(flags)
	flags.StringVarP(&o.Comment, "comment", "c", "", "what to say with the approval")
	flags.BoolVarP(&o.Yes, "yes", "y", false, "do not ask")
	return command
}

func (o *Options) run(ctx context.Context, args []string) error {
	if err := o.validate(); err != nil {
		return err
	}
	o.Selector.Whole = o.Yes
	c, err := o.Open(ctx, args)
	if err != nil {
		return err
	}
	return o.approve(ctx, c)
}

func (o *Options) validate() error {
	switch {
	case !o.Yes && o.JSON:
		return exit.Errorf(exit.Usage, "--json asks nothing: add -y, or look at the change with \"%s review --json\" first", o.Factory.Program)
	case !o.Yes && !o.Factory.Terminal.CanAsk():
		return exit.Errorf(exit.Usage, "nobody can be asked here: add -y to approve without a question")
	default:
		return cmp.Or(flow.CheckTimeout(o.Timeout), verdict.CheckComment(o.Comment))
	}
}

// approve shows the change, asks, approves it and tells what came of it.
func (o *Options) approve(ctx context.Context, c *flow.Case) error {
	if err := c.AwaitCheck(ctx); err != nil {
		return err
	}
	given := verdict.Given(c.Change, c.User)
	if given != nil && given.Verdict == v1alpha1.VerdictApproved && c.Change.Status.Phase == v1alpha1.PhaseApplied {
		_, err := fmt.Fprintln(c.Factory.Out, verdict.Told(c.Change, c.User))
		return err
	}
	if err := verdict.Open(c.Change); err != nil {
		return err
	}
	if given != nil {
		c.WithoutValues = true // there is nothing to decide
		if err := c.Load(ctx); err != nil {
			return err
		}
		return c.Give(ctx, v1alpha1.VerdictApproved, o.Comment)
	}
	if err := Allowed(ctx, c); err != nil {
		return err
	}
	if err := c.LoadOpen(ctx); err != nil {
		return err
	}
	if err := c.Show(); err != nil {
		return err
	}
	if err := consent(ctx, c, o.Yes); err != nil {
		return err
	}
	return c.Give(ctx, v1alpha1.VerdictApproved, o.Comment)
}

// Allowed fails with an exit.Error where it is plain that the person's approval
// would not count. The API server and the controller decide on their own.
func Allowed(ctx context.Context, c *flow.Case) error {
	change := c.Change
	if change.Status.Phase == "" {
		why := change.Status.Message
		if why == "" {
			why = "wait a moment, or see whether it runs"
		}
		return exit.Errorf(exit.Unavailable, "the controller has not checked change %q yet, so there is nothing to approve: %s", change.Name, why)
	}
	if !c.Own() {
		return nil
	}
	target, err := sheet.TargetOf(ctx, c.Factory, change)
	if err != nil || target == nil {
		return err
	}
	if effective, _ := policy.For(target.Project, target.Environment.Name); effective.PreventSelfApproval {
		return exit.Errorf(exit.Refused, "you proposed change %q yourself, and %s/%s wants somebody else's approval: ask an approver",
			change.Name, change.Spec.Project, change.Spec.Environment)
	}
	return nil
}

// consent makes sure that the person wants what they were, or were not, shown.
func consent(ctx context.Context, c *flow.Case, yes bool) error {
	s := c.Sheet
	switch {
	case s.State == sheet.Wrong:
		return exit.Errorf(exit.Refused, "change %q is not approved: %w", c.Change.Name, s.Problem)
	case s.State == sheet.Unreadable && (yes || !c.Factory.Terminal.CanAsk()):
		return exit.Errorf(exit.CodeOf(s.Problem), "change %q is not approved, because its values cannot be read (%w): add --without-values to approve by the keys alone",
			c.Change.Name, s.Problem)
	case yes:
		return nil
	case !c.Seen():
		return Typed(ctx, c)
	default:
		return c.Ask(ctx, "Approve this change?")
	}
}

// Typed asks for more than a key that is pressed in passing, of a person who
// approves values that they have not seen.
func Typed(ctx context.Context, c *flow.Case) error {
	answer, err := c.Factory.Prompter.Line(ctx, fmt.Sprintf("You have not seen the values. To approve all the same, type the change's name (%s):", c.Change.Name))
	if err == nil && answer != c.Change.Name {
		err = exit.Errorf(exit.Cancelled, "change %q is left as it is", c.Change.Name)
	}
	return err
}
