// Package reject is the command that ends a change: a reviewer rejects it, its
// proposer withdraws it.
package reject

import (
	"cmp"
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/review/flow"
	"github.com/secretreview/secretreview/internal/cli/review/verdict"
	"github.com/secretreview/secretreview/internal/cli/selector"
)

const (
	long = `Reject a change, or withdraw your own.

One rejection ends a change, and its staged values are deleted. It counts until the
moment in which the change becomes live, also from somebody who approved before.`

	examples = `  # Reject a change, saying why
  {{P}} reject backend-api-production-x7k2p -c "wrong database"

  # Withdraw the change that you have just proposed
  {{P}} reject --latest`
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
		Use:               "reject [CHANGE]",
		Short:             "Reject a change, or withdraw your own",
		Long:              long,
		Example:           strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:              selector.Args,
		ValidArgsFunction: selector.Complete(f),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	flags := command.Flags()
	o.AddFlags(flags)
	o.AddSkipReview(flags)
	flags.StringVarP(&o.Comment, "comment", "c", "", "why, for the proposer to read (asked for where it is missing)")
	flags.BoolVarP(&o.Yes, "yes", "y", false, "do not ask, and do not read values")
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
	if err := verdict.Open(c.Change); err != nil {
		return err
	}
	// What nobody looks at need not be read.
	c.WithoutValues = c.WithoutValues || o.Yes
	if err := c.LoadOpen(ctx); err != nil {
		return err
	}
	if err := c.Show(); err != nil {
		return err
	}
	if !o.Yes {
		if err := c.Ask(ctx, Question(c)); err != nil {
			return err
		}
	}
	return Reject(ctx, c, o.Comment, o.Yes)
}

func (o *Options) validate() error {
	switch {
	case !o.Yes && o.JSON:
		return exit.Errorf(exit.Usage, "--json asks nothing: add -y")
	case !o.Yes && !o.Factory.Terminal.CanAsk():
		return exit.Errorf(exit.Usage, "nobody can be asked here: add -y to reject without a question")
	default:
		return cmp.Or(flow.CheckTimeout(o.Timeout), verdict.CheckComment(o.Comment))
	}
}

// Question is what to ask before a rejection.
func Question(c *flow.Case) string {
	if c.Own() {
		return "Withdraw this change?"
	}
	return "Reject this change?"
}

// Reject rejects the change and tells what came of it. Unless quiet, it asks
// for a comment where none is given.
func Reject(ctx context.Context, c *flow.Case, comment string, quiet bool) error {
	if comment == "" && !quiet {
		var err error
		if comment, err = c.Factory.Prompter.Line(ctx, "Why? (Enter for no comment)"); err != nil {
			return err
		}
		if err := verdict.CheckComment(comment); err != nil {
			return err
		}
	}
	return c.Give(ctx, v1alpha1.VerdictRejected, comment)
}
