// Package review is the command that shows a change to a reviewer and, on a
// terminal, asks for their verdict.
package review

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/approve"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/reject"
	"github.com/secretreview/secretreview/internal/cli/review/flow"
	"github.com/secretreview/secretreview/internal/cli/review/sheet"
	"github.com/secretreview/secretreview/internal/cli/review/verdict"
	"github.com/secretreview/secretreview/internal/cli/selector"
)

const (
	long = `Show a change: who proposed it and why, where it stands, and what it does to which key.

Old and new values are read with your own AWS credentials, and refused where they are not
exactly those that the change pins. They are shown on a terminal; in a pipe or a CI log
they are hidden unless --reveal is given. On a terminal you are then asked for your
verdict; nothing happens if you skip it.`

	examples = `  # Look at a change, and approve or reject it
  {{P}} review backend-api-production-x7k2p

  # The newest pending one of this project and environment
  {{P}} review --latest

  # All keys, for a program
  {{P}} review backend-api-production-x7k2p --show-all --json --reveal`
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
		Use:               "review [CHANGE]",
		Short:             "Show a change with its values, and ask for a verdict",
		Long:              long,
		Example:           strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:              selector.Args,
		ValidArgsFunction: selector.Complete(f),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	flags := command.Flags()
	o.AddFlags(flags)
	flags.StringVarP(&o.Comment, "comment", "c", "", "what to say with the verdict that is asked for")
	flags.BoolVarP(&o.Yes, "yes", "y", false, "only show, and do not ask for a verdict")
	return command
}

func (o *Options) validate() error {
	asks := !o.Yes && !o.JSON && o.Factory.Terminal.CanAsk()
	if o.Comment != "" && !asks {
		return exit.Errorf(exit.Usage, "no verdict is asked for here that -c could go with: use \"%[1]s approve\" or \"%[1]s reject\"", o.Factory.Program)
	}
	return cmp.Or(flow.CheckTimeout(o.Timeout), verdict.CheckComment(o.Comment))
}

func (o *Options) run(ctx context.Context, args []string) error {
	if err := o.validate(); err != nil {
		return err
	}
	c, err := o.Open(ctx, args)
	if err != nil {
		return err
	}
	if err := c.Load(ctx); err != nil {
		return err
	}
	if o.JSON {
		if err := c.PrintJSON(nil); err != nil {
			return err
		}
		return trouble(c)
	}
	if err := c.Show(); err != nil {
		return err
	}
	if o.Yes || !o.Factory.Terminal.CanAsk() || c.Change.Status.Phase.Finished() {
		return trouble(c)
	}
	return o.ask(ctx, c)
}

// trouble returns an error where the values are not what they should be, or
// cannot be read.
func trouble(c *flow.Case) error {
	switch c.Sheet.State {
	case sheet.Wrong:
		return exit.Errorf(exit.Refused, "change %q: %w", c.Change.Name, c.Sheet.Problem)
	case sheet.Unreadable:
		return exit.Errorf(exit.CodeOf(c.Sheet.Problem), "the values of change %q cannot be read: %w", c.Change.Name, c.Sheet.Problem)
	default:
		return nil
	}
}

// ask offers what the person can do.
func (o *Options) ask(ctx context.Context, c *flow.Case) error {
	end, key := "reject", "r"
	if c.Own() {
		end, key = "withdraw", "w"
	}
	may, err := mayReview(ctx, c)
	if err != nil {
		return err
	}
	if !may && !c.Own() {
		c.Note("You may look at change " + c.Change.Name + ", and not review it: that is for those who may approve it.")
		return nil
	}
	approvable := may && c.Sheet.State != sheet.Wrong && verdict.Given(c.Change, c.User) == nil && approve.Allowed(ctx, c) == nil
	question := fmt.Sprintf("To %s it, type %s; Enter leaves it as it is:", end, key)
	if approvable {
		question = "To approve it, type a; to " + strings.TrimPrefix(question, "To ")
	}
	answer, err := c.Factory.Prompter.Line(ctx, question)
	if err != nil {
		return err
	}
	switch answer = strings.ToLower(answer); {
	case approvable && (answer == "a" || answer == "approve"):
		return o.approveShown(ctx, c)
	case answer == key || answer == end:
		return reject.Reject(ctx, c, o.Comment, false)
	}
	c.Note("Change " + c.Change.Name + " is left as it is.")
	if c.Sheet.State == sheet.Wrong {
		return &exit.SilentError{Code: exit.Refused} // the screen says why
	}
	return nil
}

// mayReview asks the cluster whether the person may add an approval.
func mayReview(ctx context.Context, c *flow.Case) (bool, error) {
	if c.Sheet.Target == nil {
		return false, nil
	}
	return c.Factory.May(ctx, v1alpha1.VerbApprove, c.Sheet.Target)
}

// approveShown approves what is on the screen.
func (o *Options) approveShown(ctx context.Context, c *flow.Case) error {
	if !c.Seen() {
		if err := approve.Typed(ctx, c); err != nil {
			return err
		}
	}
	comment := o.Comment
	if comment == "" {
		var err error
		if comment, err = c.Factory.Prompter.Line(ctx, "Comment? (Enter for none)"); err != nil {
			return err
		}
		if err := verdict.CheckComment(comment); err != nil {
			return err
		}
	}
	return c.Give(ctx, v1alpha1.VerdictApproved, comment)
}
