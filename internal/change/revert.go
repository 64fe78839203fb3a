package change

import (
	"fmt"
	"slices"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
)

// validateRevert checks a rollback or restore, and works out what it changes.
// Both start from what is live, or end.
func (d *decider) validateRevert() *Action {
	if d.Live == nil {
		return read(ReadLive)
	}
	if problem, ok := d.usable(); !ok {
		return d.wait(problem.reason, problem.message, d.soon())
	}
	if version := d.madeLive(); version != "" && !d.adopts(version) {
		return d.applied(version) // a backup is older than what became of it
	}
	current := d.Live.Secret.Current()
	if base := string(d.spec.BaseVersionID); base != current {
		if !d.certain(current) {
			return d.baseNotShown()
		}
		d.status.BaseVersionID = base
		return d.end(v1alpha1.PhaseConflicted, v1alpha1.ReasonConflicted, "%s", d.movedMessage(current))
	}
	if problem := d.namedProblem(); problem != "" {
		return d.invalid(v1alpha1.ReasonInvalid, "Name another change: %s", problem)
	}
	goal := d.goal()
	if d.spec.Restore != nil && goal.ToVersionID == current {
		return d.adoptable(current)
	}
	live, a := d.liveDocument(current)
	if a != nil {
		return a
	}
	wanted, a := d.reverted(goal, live)
	if a != nil {
		return a
	}
	diff := document.Diff(live, wanted)
	if len(diff) == 0 {
		return d.invalid(v1alpha1.ReasonInvalid, "It would change nothing: what is live is like that already")
	}
	if _, err := wanted.Encode(); err != nil {
		return d.invalid(v1alpha1.ReasonInvalid, "It cannot be put back: %s", err)
	}
	d.status.BaseVersionID, d.status.Revert = current, &goal
	d.pending(diff)
	return d.validated()
}

// adoptable opens a restore of the live version, which changes nothing.
func (d *decider) adoptable(current string) *Action {
	d.status.BaseVersionID = current
	d.pending(nil)
	return d.validated()
}

// namedProblem says why the change that is named cannot be gone back by, or "".
func (d *decider) namedProblem() string {
	name, change := named(d.spec), d.Queue.Named
	switch {
	case name == "":
		return ""
	case change == nil:
		return fmt.Sprintf("environment %q has no change %q", d.spec.Environment, name)
	case change.Status.Phase != v1alpha1.PhaseApplied || change.Status.AppliedVersionID == "":
		return fmt.Sprintf("change %q was never applied", name)
	case d.spec.Rollback != nil && change.Status.PreviousVersionID == "" && change.Status.AppliedKeys == 0:
		return fmt.Sprintf("what change %q replaced is not known", name)
	case d.spec.Rollback != nil && change.Adopted():
		return fmt.Sprintf("change %q adopted what was live, so there is nothing to undo", name)
	default:
		return ""
	}
}

// goal returns the versions that the change goes back between.
func (d *decider) goal() v1alpha1.Revert {
	goal := v1alpha1.Revert{ToVersionID: targetOf(d.spec, d.Queue.Named)}
	if d.spec.Rollback != nil {
		goal.FromVersionID = d.Queue.Named.Status.AppliedVersionID
	}
	return goal
}

// reverted returns the document that the change makes of what is live: the one
// to go back to or, for a rollback, what is live with the keys put back that one
// change touched. It returns an action where that is not known yet, or cannot be
// done.
func (d *decider) reverted(goal v1alpha1.Revert, live document.Document) (document.Document, *Action) {
	to, a := d.version(goal.ToVersionID)
	if a != nil || goal.FromVersionID == "" {
		return to, a
	}
	from, a := d.version(goal.FromVersionID)
	if a != nil {
		return nil, a
	}
	// What was there before the change, and what is live, are two edits of what it wrote.
	wanted, clashes := document.Merge(from, to, live)
	if len(clashes) > 0 {
		return nil, d.endUnapplied(v1alpha1.PhaseConflicted, v1alpha1.ReasonConflicted,
			"Later changes have touched %s, too: roll those back first, restore the whole environment, or propose the values that are wanted",
			keyList(clashes))
	}
	return wanted, nil
}

// version returns the document of an older version; empty before there was any.
func (d *decider) version(id string) (document.Document, *Action) {
	if id == "" {
		return document.Document{}, nil
	}
	if d.LiveValue != nil && d.LiveValue.VersionID == id && !d.LiveValue.Missing {
		return d.LiveValue.Document, nil
	}
	switch value, known := d.Versions[id]; {
	case !known:
		return nil, &Action{Read: ReadOldValue, ReadVersion: id}
	case value.Missing:
		return nil, d.endUnapplied(v1alpha1.PhaseInvalid, v1alpha1.ReasonInvalid,
			"AWS no longer has version %s, which it goes back by: propose the values that are wanted", id)
	case value.Err != nil:
		return nil, d.endUnapplied(v1alpha1.PhaseInvalid, v1alpha1.ReasonInvalid,
			"Version %s, which it goes back by, cannot be used: %s", id, value.Err)
	default:
		return value.Document, nil
	}
}

// keep puts a label on the live version where it bears none of ours: once it is
// replaced, AWS would soon delete it, and the change could not be rolled back.
func (d *decider) keep() *Effect {
	current := d.Live.Secret.Current()
	if !d.unkept(current) {
		return nil
	}
	label := naming.KeptLabel(string(d.Change.UID))
	effect := d.moveLabel(label, d.Live.Secret.VersionWith(label), current)
	return &effect
}

// unkept reports whether a version bears no label of ours.
func (d *decider) unkept(version string) bool {
	own := d.Live.Secret.VersionWith(naming.KeptLabel(string(d.Change.UID)))
	return version != "" && own != version && !slices.ContainsFunc(slices.Concat(d.Live.Labels, d.Live.Kept), func(l Label) bool {
		return l.VersionID == version && !l.AppliedAt.IsZero()
	})
}
