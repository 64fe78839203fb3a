// Package edit is the command that opens what is live in an editor, and proposes
// what was changed there.
package edit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/cli/propose"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/dotenv"
)

const (
	long = `Open what is live in an editor, and propose what you change there.

The editor is $SR_EDITOR, $VISUAL or $EDITOR, else vi. Nothing is proposed if it fails, or
if nothing is changed. What others make live meanwhile stays; if you and they changed the
same key, you are asked to look at it again.

While the editor is open, the values are in a file that only you can read, in memory where
the system has such a place ($XDG_RUNTIME_DIR, /dev/shm). It is overwritten and removed
with everything that the editor left beside it. What an editor keeps elsewhere, such as an
undo file or a list of registers, is a matter of its own settings.`

	examples = `  # Edit the current project and environment
  {{P}} edit -r "New database"

  # With another editor
  SR_EDITOR="code --wait" {{P}} edit -p backend-api -e dev -r "New database"`

	// shownAs is what messages call the file.
	shownAs = "what you have edited"
)

// options are the command's own flags.
type options struct {
	propose.Options
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &options{Options: propose.Options{Factory: f, File: shownAs, Prune: true}}
	command := &cobra.Command{
		Use:                   "edit -r REASON",
		DisableFlagsInUseLine: true,
		Short:                 "Open what is live in an editor, and propose what you change",
		Long:                  long,
		Example:               strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:                  factory.NoArgs,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	o.AddFlags(command.Flags())
	o.Complete(command)
	return command
}

func (o *options) run(ctx context.Context) error {
	if err := o.Validate(); err != nil {
		return err
	}
	editor, err := findEditor(o.Factory)
	if err != nil {
		return err
	}
	target, now, err := o.open(ctx)
	if err != nil {
		return err
	}
	s := &session{options: o, target: target, editor: editor, base: now}
	values, _ := live.Writable(now.Values)
	if s.text, err = s.render(values); err != nil {
		return err
	}
	for {
		err := s.round(ctx)
		if err == nil || s.text == nil || exit.CodeOf(err) == exit.Cancelled {
			return err
		}
		if again, err := s.again(ctx, err); !again {
			return err
		}
	}
}

// open reads what is live, once it is plain that an edit could be proposed: it
// would be a pity to find that out afterwards.
func (o *options) open(ctx context.Context) (*factory.Target, live.Version, error) {
	f := o.Factory
	target, err := f.ResolveProject(ctx)
	if err != nil {
		return nil, live.Version{}, err
	}
	if err := target.Served(); err != nil {
		return nil, live.Version{}, err
	}
	may, err := f.May(ctx, v1alpha1.VerbPropose, target)
	if err != nil {
		return nil, live.Version{}, err
	}
	if !may {
		return nil, live.Version{}, exit.Errorf(exit.Denied, "you may not propose changes to %s: ask an administrator of the project for the right", target)
	}
	store, err := f.Store(ctx, target.Project.Status.Region)
	if err != nil {
		return nil, live.Version{}, err
	}
	now, err := live.ReadTarget(ctx, store, target)
	return target, now, err
}

// session is one edit, which may take several rounds.
type session struct {
	*options
	target *factory.Target
	editor []string
	// base is the version that text is an edit of.
	base live.Version
	// text is what is opened next, nil once there is nothing to be lost.
	text []byte
}

// render writes values as a file to edit.
func (s *session) render(values document.Document) ([]byte, error) {
	var text bytes.Buffer
	fmt.Fprintf(&text, "# What is live in %s/%s, namespace %s. What you change is proposed once you close\n"+
		"# the editor. Lines that begin with # do not count.\n\n", s.target.Project.Name, s.target.Environment.Name, s.target.Namespace)
	if err := dotenv.Format(&text, values, dotenv.Header{}); err != nil {
		return nil, fmt.Errorf("write what is live into a file: %w", err)
	}
	return text.Bytes(), nil
}

// round opens the editor once, and proposes what came of it.
func (s *session) round(ctx context.Context) error {
	edited, err := s.edit(ctx)
	if err != nil {
		s.text = nil
		return err
	}
	s.text = edited
	content, err := dotenv.Parse(bytes.NewReader(edited))
	if err != nil {
		return fmt.Errorf("%s, %w", shownAs, err)
	}
	opened, _ := live.Writable(s.base.Values)
	switch {
	case content.Values.Equal(opened):
		s.text = nil
		_, err := fmt.Fprintf(s.Factory.ErrOut, "No changes: nothing is proposed for %s/%s.\n", s.target.Project.Name, s.target.Environment.Name)
		return err
	case len(content.Values) == 0:
		return exit.Errorf(exit.Refused, "no keys are left in %s, which is taken for a mistake: remove them by \"%s unset\" if it is meant", shownAs, s.Factory.Program)
	}
	base := s.base
	s.Content, s.Base = &content, &base
	err = s.Run(ctx)
	var clash *propose.ClashError
	if errors.As(err, &clash) {
		return s.rebase(content.Values, clash)
	}
	return err
}

// rebase makes an edit of one version an edit of what is live now. Of a key that
// both have changed, it keeps the person's value, who is told.
func (s *session) rebase(mine document.Document, clash *propose.ClashError) error {
	merged, _ := document.Merge(s.base.Values, mine, clash.Live.Values)
	for _, key := range clash.Keys {
		delete(merged, key)
		if value, has := mine[key]; has {
			merged[key] = value
		}
	}
	values, _ := live.Writable(merged)
	text, err := s.render(values)
	if err != nil {
		return err
	}
	s.base, s.text = clash.Live, text
	return exit.Errorf(exit.Conflict, "somebody else has changed %s too while you were editing: look at what is live now, and decide", wording.Keys(clash.Keys))
}

// again tells what failed and asks whether to edit again. Where it is not, the
// edit is lost, and err says so.
func (s *session) again(ctx context.Context, failed error) (again bool, err error) {
	f := s.Factory
	if !f.Terminal.CanAsk() {
		return false, exit.Errorf(exit.CodeOf(failed), "%w; nothing of the edit is kept", failed)
	}
	code := exit.Report(f.ErrOut, "sr", failed)
	again, err = f.Prompter.Confirm(ctx, "Edit again? Otherwise your edit is lost.")
	if err == nil && !again {
		err = &exit.SilentError{Code: code}
	}
	return again, err
}
