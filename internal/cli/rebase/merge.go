package rebase

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/printers"
	"github.com/secretreview/secretreview/internal/cli/review/flow"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/cli/wording"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// rebasable fails with an exit.Error for a change of which nothing is staged any
// more, or that stages nothing.
func rebasable(change *v1alpha1.SecretChange, now time.Time) error {
	phase := change.Status.Phase
	switch {
	case change.Spec.Rollback != nil:
		return exit.Errorf(exit.Refused, "change %q rolls back %s, and holds no values of its own: run rollback again", change.Name, change.Spec.Rollback.Change)
	case change.Spec.Restore != nil:
		return exit.Errorf(exit.Refused, "change %q restores a version, and holds no values of its own: run restore again", change.Name)
	case phase == v1alpha1.PhaseApproved:
		return exit.Errorf(exit.Refused, "change %q is approved and about to be made live: wait for what comes of it, or reject it first", change.Name)
	case phase == v1alpha1.PhaseApplied:
		return exit.Errorf(exit.Refused, "change %q was applied, so there is nothing to rebase", change.Name)
	case phase.Finished() && !now.Before(change.KeptUntil()):
		return exit.Errorf(exit.Refused, "change %q has ended as %s, and its values are not staged any more: propose them again", change.Name, phase)
	default:
		return nil
	}
}

// merge works out the edit on what is live, and asks about the keys that clash
// where it can. It fails with an exit.Error of Conflict while any are undecided,
// and of Usage where one is decided that does not clash.
func (o *Options) merge(ctx context.Context, old *v1alpha1.SecretChange, edit document.Patch, live document.Document) (document.Patch, error) {
	_, clashes := edit.Rebase(live, nil)
	for _, key := range slices.Concat(o.ours, o.theirs) {
		if !slices.Contains(clashes, key) {
			return document.Patch{}, exit.Errorf(exit.Usage, "key %s of change %q was not changed by others: leave it out of --ours and --theirs",
				document.Quote(key), old.Name)
		}
	}
	open := slices.DeleteFunc(slices.Clone(clashes), func(key string) bool {
		return slices.Contains(o.ours, key) || slices.Contains(o.theirs, key)
	})
	if len(open) > 0 {
		if err := o.decide(ctx, old, edit, live, open); err != nil {
			return document.Patch{}, err
		}
	}
	rebased, _ := edit.Rebase(live, o.ours)
	return rebased, nil
}

// decide shows the keys that are undecided, and asks.
func (o *Options) decide(ctx context.Context, old *v1alpha1.SecretChange, edit document.Patch, live document.Document, open []string) error {
	f := o.propose.Factory
	_, _ = fmt.Fprintf(f.ErrOut, "Others have changed %s of this change too. - is what is live (theirs), + what the change wants (ours):\n",
		wording.Count(len(open), "key"))
	// What is asked about goes where the question goes, which may not be where answers go.
	diff := printers.Diff{ShowValues: flow.ShowsValues(f, f.Terminal.StderrTTY, o.reveal)}
	wanted := edit.Apply(edit.Expect)
	for _, key := range open {
		diff.Entries = append(diff.Entries, printers.Entry{Key: key, Type: document.Modified, Old: value(live, key), New: value(wanted, key)})
	}
	if err := diff.Print(f.ErrOut, f.Terminal.ErrWidth, terminal.NewStyles(f.Terminal.Animate)); err != nil {
		return err
	}
	if !f.Terminal.CanAsk() {
		return exit.Errorf(exit.Conflict, "change %q and others have changed the same keys: decide each with --ours or --theirs: %s", old.Name, wording.Keys(open))
	}
	for _, key := range open {
		answer, err := f.Prompter.Line(ctx, fmt.Sprintf("%s: type o for ours, t for theirs; Enter stops:", wording.Key(key)))
		if err != nil {
			return err
		}
		switch strings.ToLower(answer) {
		case "o", "ours":
			o.ours = append(o.ours, key)
		case "t", "theirs":
			o.theirs = append(o.theirs, key)
		default:
			return exit.Errorf(exit.Cancelled, "nothing is proposed, and change %q is left as it is", old.Name)
		}
	}
	return nil
}

func value(d document.Document, key string) *sensitive.Value {
	if v, has := d[key]; has {
		return &v
	}
	return nil
}
