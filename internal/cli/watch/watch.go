// Package watch is the command that tells of changes as they come and go.
package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/selector"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/cli/watch/stream"
)

const (
	long = `Tell of changes as they come and go, a line each time, until Ctrl-C.

First come those that are open. What happens then is
  proposed             it is new
  waiting              it is checked, and waits for reviews
  approved, rejected   somebody has added a review
  decided              enough approvals count
  live                 it is applied
  ended                it has ended otherwise
  deleted              it is gone
Nothing is read from AWS. A cluster that goes away for a while is waited for, and what
happened meanwhile is told then.

Without a project, it is of all in the namespace; with a project and no environment, of
all its environments.`

	examples = `  # The current project and environment
  {{P}} watch

  # Everything in the namespace, for another program
  {{P}} watch --all -o json | while read -r event; do notify "$event"; done`

	outputJSON = "json"
)

// options are the command's flags.
type options struct {
	factory *factory.Factory
	scope   selector.Scope
	output  string
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &options{factory: f}
	command := &cobra.Command{
		Use:     "watch",
		Short:   "Tell of changes as they come and go",
		Long:    long,
		Example: strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:    factory.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	o.scope.AddFlags(command.Flags())
	command.Flags().StringVarP(&o.output, "output", "o", "", "json: an object a line")
	return command
}

func (o *options) run(ctx context.Context) error {
	f := o.factory
	if o.output != "" && o.output != outputJSON {
		return exit.Errorf(exit.Usage, "unknown output %q: choose json", o.output)
	}
	listing, err := o.scope.Resolve(ctx, f, selector.Unfinished)
	if err != nil {
		return err
	}
	kube, err := f.Kube()
	if err != nil {
		return err
	}
	tell := func(text string) { _, _ = fmt.Fprintln(f.ErrOut, text) }
	if f.Terminal.StderrTTY {
		tell(fmt.Sprintf("Watching %s. Ctrl-C ends it.", listing))
	}
	err = stream.Follow(ctx, kube, stream.Options{Filter: listing.Filter, Clock: f.Clock, Emit: o.printer(listing), Tell: tell})
	if ctx.Err() != nil {
		// That is how it ends.
		return &exit.SilentError{Code: exit.Cancelled}
	}
	return err
}

// printer returns what writes an event.
func (o *options) printer(l *selector.Listing) func(stream.Event) error {
	f := o.factory
	if o.output == outputJSON {
		encoder := json.NewEncoder(&terminal.Writer{Out: f.Out})
		encoder.SetEscapeHTML(false)
		return func(e stream.Event) error {
			if err := encoder.Encode(e); err != nil {
				return fmt.Errorf("write the event: %w", err)
			}
			return nil
		}
	}
	layout := lines{width: f.Terminal.Width, styles: terminal.NewStyles(f.Terminal.Color), namespaces: l.Namespace == "", environments: l.Environment == ""}
	return func(e stream.Event) error {
		if _, err := fmt.Fprintln(f.Out, layout.line(e)); err != nil {
			return fmt.Errorf("write the event: %w", err)
		}
		return nil
	}
}

// lines lays out events for a person.
type lines struct {
	// width is how many columns a line may take, 0 for any number.
	width  int
	styles terminal.Styles
	// namespaces and environments are named where there are several.
	namespaces, environments bool
}

// clockTime is how a person is told the time, in UTC as everywhere.
const clockTime = "15:04:05Z"

// indent begins the lines on which a long one goes on.
const indent = "    "

// line returns an event as a line: when, what, to which change, and more. On a
// narrow terminal it goes on below.
func (l lines) line(e stream.Event) string {
	name := terminal.Escape(e.Change)
	if l.namespaces {
		name = terminal.Escape(e.Namespace) + "/" + name
	}
	if l.environments {
		name += "  " + terminal.Escape(e.Project) + "/" + terminal.Escape(e.Environment)
	}
	layout := time.RFC3339
	if l.width > 0 {
		layout = clockTime
	}
	kind := fmt.Sprintf("%-8s", e.Kind)
	text := e.Time.Format(layout) + "  " + kind + "  " + name + l.details(e)
	var shown []string
	for _, part := range terminal.WrapWords(text, max(l.width-len(indent), 0)) {
		shown = append(shown, strings.TrimSpace(part))
	}
	return strings.Replace(strings.Join(shown, "\n"+indent), string(e.Kind), l.style(e.Kind)(string(e.Kind)), 1)
}

func (l lines) details(e stream.Event) string {
	var text strings.Builder
	if e.Kind == stream.Ended || e.Kind == stream.Open && e.Phase != "" {
		text.WriteString("  " + string(e.Phase))
	}
	if e.Approvals != "" && (e.Kind == stream.Open || e.Kind == stream.Waiting) {
		text.WriteString("  " + terminal.Escape(e.Approvals))
	}
	if e.By != "" {
		text.WriteString("  by " + terminal.Escape(e.By))
	}
	if e.Text != "" {
		text.WriteString(": " + terminal.Escape(e.Text))
	}
	return text.String()
}

func (l lines) style(kind stream.Kind) func(string) string {
	switch kind {
	case stream.Live, stream.Approved, stream.Decided:
		return l.styles.Good
	case stream.Rejected, stream.Ended, stream.Deleted:
		return l.styles.Bad
	case stream.Waiting, stream.Open, stream.Proposed:
		return l.styles.Warning
	}
	return func(text string) string { return text }
}
