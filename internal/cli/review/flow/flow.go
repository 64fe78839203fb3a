// Package flow is what review, approve and reject have in common: which change
// is meant, showing it, and giving a verdict on it.
package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/review/sheet"
	"github.com/secretreview/secretreview/internal/cli/review/verdict"
	"github.com/secretreview/secretreview/internal/cli/selector"
	"github.com/secretreview/secretreview/internal/cli/spinner"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

// DefaultTimeout is how long a command waits for the controller.
const DefaultTimeout = 5 * time.Minute

// Options are the flags that all three commands have.
type Options struct {
	Factory  *factory.Factory
	Selector selector.Options

	ShowAll       bool
	JSON          bool
	Reveal        bool
	WithoutValues bool
	NoWait        bool
	Timeout       time.Duration
}

// AddFlags binds the flags.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	o.Selector.AddFlags(flags)
	flags.BoolVar(&o.ShowAll, "show-all", false, "show the keys that stay as they are, too")
	flags.BoolVar(&o.JSON, "json", false, "print JSON")
	flags.BoolVar(&o.Reveal, "reveal", false, "show values although the output is not a terminal, or is a CI log")
	flags.BoolVar(&o.WithoutValues, "without-values", false, "do not read values from AWS: go by the keys alone")
	flags.BoolVar(&o.NoWait, "no-wait", false, "do not wait for what comes of the review")
	flags.DurationVar(&o.Timeout, "timeout", DefaultTimeout, "how long to wait for what comes of the review")
}

// AddSkipReview binds the flag by which cdk-gitify-secrets showed nothing before
// it asked.
func (o *Options) AddSkipReview(flags *pflag.FlagSet) {
	const name = "skip-review"
	flags.BoolVar(&o.WithoutValues, name, false, "")
	if err := flags.MarkDeprecated(name, "use --without-values"); err != nil {
		panic(err) // there is no such flag
	}
}

// CheckTimeout fails with an exit.Error of Usage for a --timeout in which nothing
// can happen.
func CheckTimeout(timeout time.Duration) error {
	if timeout <= 0 {
		return exit.Errorf(exit.Usage, "--timeout is %s: give more, or --no-wait", timeout)
	}
	return nil
}

// Case is one change in front of one person.
type Case struct {
	*Options
	Change *v1alpha1.SecretChange
	// User is how the cluster knows the person.
	User string
	// Sheet is set by Show.
	Sheet *sheet.Sheet
}

// Open finds the change that is meant and who asks.
func (o *Options) Open(ctx context.Context, args []string) (*Case, error) {
	change, err := o.Selector.Find(ctx, o.Factory, args)
	if err != nil {
		return nil, err
	}
	user, err := o.Factory.User(ctx)
	if err != nil {
		return nil, err
	}
	return &Case{Options: o, Change: change, User: user}, nil
}

// AwaitCheck waits a moment for the controller to check a change that is new, so
// that a script can review what it has just seen proposed.
func (c *Case) AwaitCheck(ctx context.Context) error {
	if c.Change.Status.Phase != "" {
		return nil
	}
	kube, err := c.Factory.Kube()
	if err != nil {
		return err
	}
	waiting := spinner.Start(c.Factory, "Waiting for the check of "+c.Change.Name)
	checked, err := verdict.AwaitCheck(ctx, kube, verdict.Wait{
		Clock: c.Factory.Clock, Reviewed: c.Change, Timeout: c.Timeout, Program: c.Factory.Program,
		Tell: func(message string) { waiting.Tell(terminal.Escape(message)) },
	})
	waiting.Stop()
	if err == nil {
		c.Change = checked
	}
	return err
}

// Own reports whether the person proposed the change.
func (c *Case) Own() bool { return c.Change.Spec.ProposedBy == c.User }

// Seen reports whether the person sees all that there is to know of the values,
// rather than keys alone.
func (c *Case) Seen() bool {
	return c.Sheet.State == sheet.NoValues || c.Sheet.State == sheet.Read && c.view().ShowValues
}

// Load reads what is to be shown. A change that has ended meanwhile has taken
// its staged values with it: then Change is as it ended.
func (c *Case) Load(ctx context.Context) error {
	var err error
	if c.Sheet, err = sheet.Load(ctx, c.Factory, c.Change, c.WithoutValues); err != nil || c.Sheet.Problem == nil {
		return err
	}
	kube, err := c.Factory.Kube()
	if err != nil {
		return err
	}
	now := &v1alpha1.SecretChange{}
	if err := kube.Get(ctx, client.ObjectKeyFromObject(c.Change), now); err != nil {
		return nil //nolint:nilerr // the sheet says what was found
	}
	if now.UID != c.Change.UID || !now.Status.Phase.Finished() {
		return nil
	}
	c.Change = now
	c.Sheet, err = sheet.Load(ctx, c.Factory, c.Change, c.WithoutValues)
	return err
}

// LoadOpen is Load for a verdict: it fails with an exit.Error for a change that
// has ended.
func (c *Case) LoadOpen(ctx context.Context) error {
	if err := c.Load(ctx); err != nil {
		return err
	}
	return verdict.Open(c.Change)
}

// Show prints the sheet for a person, unless JSON is wanted.
func (c *Case) Show() error {
	if c.JSON {
		return nil
	}
	if err := c.Sheet.Print(c.Factory.Out, c.view()); err != nil {
		return err
	}
	if c.Factory.Terminal.CanAsk() {
		c.Note("") // before the question
	}
	return nil
}

// PrintJSON prints the sheet, and the result if there is one.
func (c *Case) PrintJSON(result *Result) error {
	return printers.PrintJSON(c.Factory.Out, struct {
		sheet.JSON
		*Result
	}{c.Sheet.JSON(c.view()), result})
}

func (c *Case) view() sheet.View {
	f := c.Factory
	return sheet.View{
		Width: f.Terminal.Width, Styles: terminal.NewStyles(f.Terminal.Color), Now: f.Clock.Now(),
		ShowValues: ShowsValues(f, f.Terminal.StdoutTTY, c.Reveal), ShowAll: c.ShowAll,
	}
}

// ShowsValues reports whether values are shown on a stream: where it is a
// terminal, and where that is wanted anyway.
func ShowsValues(f *factory.Factory, terminal, reveal bool) bool {
	return reveal || terminal && !inCI(f.Getenv)
}

// inCI reports whether the output ends in a log, even where CI gives jobs a
// terminal.
func inCI(getenv func(string) string) bool {
	ci := getenv("CI")
	return ci != "" && ci != "false" && ci != "0"
}

// Ask asks a yes-or-no question, and fails with an exit.Error of Cancelled for
// a no.
func (c *Case) Ask(ctx context.Context, question string) error {
	yes, err := c.Factory.Prompter.Confirm(ctx, question)
	if err == nil && !yes {
		err = exit.Errorf(exit.Cancelled, "change %q is left as it is", c.Change.Name)
	}
	return err
}

// Result is what came of a review, for a machine.
type Result struct {
	Verdict v1alpha1.Verdict `json:"verdict"`
	// Added is false where the same verdict had been given before.
	Added bool `json:"added"`
	// Outcome is left out where nobody waited for it.
	Outcome *Outcome `json:"outcome,omitempty"`
}

// Outcome is where the change stands after a review.
type Outcome struct {
	Phase            v1alpha1.Phase `json:"phase"`
	Message          string         `json:"message,omitempty"`
	Approvals        string         `json:"approvals,omitempty"`
	AppliedVersionID string         `json:"appliedVersionID,omitempty"`
}

// Give adds the verdict to the change that was shown, waits for what comes of
// it unless that is not wanted, and tells.
func (c *Case) Give(ctx context.Context, given v1alpha1.Verdict, comment string) error {
	kube, err := c.Factory.Kube()
	if err != nil {
		return err
	}
	review := v1alpha1.Review{Reviewer: c.User, Verdict: given, Comment: comment}
	reviewed, added, err := verdict.Submit(ctx, kube, c.Change, review)
	if err != nil {
		return err
	}
	c.tellAdded(given, added)
	return c.await(ctx, kube, reviewed, &Result{Verdict: given, Added: added})
}

// Await waits for what comes of a review that the change was created with, unless
// that is not wanted, and tells.
func (c *Case) Await(ctx context.Context) error {
	kube, err := c.Factory.Kube()
	if err != nil {
		return err
	}
	return c.await(ctx, kube, c.Change, &Result{Verdict: v1alpha1.VerdictApproved, Added: true})
}

func (c *Case) await(ctx context.Context, kube client.WithWatch, reviewed *v1alpha1.SecretChange, result *Result) error {
	if c.NoWait {
		return c.finish(result, nil)
	}
	given := result.Verdict
	waiting := spinner.Start(c.Factory, "Waiting for "+reviewed.Name)
	ended, err := verdict.Await(ctx, kube, verdict.Wait{
		Clock: c.Factory.Clock, Reviewed: reviewed, Given: given, Timeout: c.Timeout, Program: c.Factory.Program,
		Tell: func(message string) { waiting.Tell(terminal.Escape(message)) },
	})
	waiting.Stop()
	if ended != nil {
		c.Change = ended
		if c.Sheet != nil {
			c.Sheet.Change = ended
		}
		result.Outcome = &Outcome{
			Phase: ended.Status.Phase, Message: ended.Status.Message,
			Approvals: ended.Status.Approvals, AppliedVersionID: ended.Status.AppliedVersionID,
		}
		if err == nil {
			c.say(verdict.Told(ended, c.User))
		}
	}
	return c.finish(result, err)
}

// finish prints the JSON whatever came of it.
func (c *Case) finish(result *Result, err error) error {
	if c.JSON {
		if failed := c.PrintJSON(result); err == nil {
			err = failed
		}
	}
	return err
}

var addedText = map[v1alpha1.Verdict][2]string{
	v1alpha1.VerdictApproved: {"You have already approved change %s.", "Your approval of change %s is recorded."},
	v1alpha1.VerdictRejected: {"You have already rejected change %s.", "Your rejection of change %s is recorded."},
}

func (c *Case) tellAdded(given v1alpha1.Verdict, added bool) {
	which := 0
	if added {
		which = 1
	}
	c.Note(fmt.Sprintf(addedText[given][which], c.Change.Name))
}

// Note tells a person how it goes on.
func (c *Case) Note(text string) { _, _ = fmt.Fprintln(c.Factory.ErrOut, text) }

// say tells a person what came of it.
func (c *Case) say(text string) {
	if !c.JSON {
		_, _ = fmt.Fprintln(c.Factory.Out, text)
	}
}
