package change

import (
	"fmt"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/policy"
)

// validate checks a change that has not been looked at yet, so that reviewers
// see only what can be applied.
func (d *decider) validate() *Action {
	if d.status.Phase != "" {
		return nil
	}
	switch {
	case d.environment == nil:
		return d.wait(v1alpha1.ReasonProjectNotReady, d.notReady(), d.soon())
	case d.environment.Problem != nil:
		return d.wait(d.environment.Problem.Reason, "Waiting: "+d.environment.Problem.Message, d.untilExpiry())
	case d.environment.SecretARN == "":
		return d.wait(v1alpha1.ReasonProjectNotReady, d.notReady(), d.untilExpiry())
	case !d.letIn && d.Queue.LetIn >= d.policy.PendingLimit:
		return d.invalid(v1alpha1.ReasonTooManyPending,
			"%s already has %d unfinished changes to environment %q: withdraw some first",
			quote(d.spec.ProposedBy), d.Queue.LetIn, d.spec.Environment)
	case !d.letIn && d.Queue.LetIn+d.Queue.Older >= d.policy.PendingLimit:
		// Most of them may end as they are checked: records that a backup brought back without their status do.
		return d.wait(v1alpha1.ReasonProgressing, fmt.Sprintf("Waiting: %d older changes of %s are checked first",
			d.Queue.Older, quote(d.spec.ProposedBy)), d.soon())
	case d.spec.Staged == nil:
		return d.validateRevert()
	default:
		return d.validateStaged()
	}
}

func (d *decider) invalid(reason, format string, args ...any) *Action {
	return d.end(v1alpha1.PhaseInvalid, reason, format, args...)
}

// validateStaged reads the staged secret and the live one.
func (d *decider) validateStaged() *Action {
	if problem := d.stagedARNProblem(); problem != "" {
		return d.invalid(v1alpha1.ReasonInvalid, "Stage the change again: %s", problem)
	}
	if d.Staged == nil {
		return read(ReadStaged)
	}
	if d.Staged.Missing {
		return d.stagedGone("the staged secret does not exist")
	}
	if problem := d.stagedTagsProblem(); problem != "" {
		return d.invalid(v1alpha1.ReasonInvalid, "Stage the change again: %s", problem)
	}
	if d.Staged.Secret.DeletedAt != nil {
		d.status.Message = "The staged secret is being taken back from its recovery window"
		return &Action{Effect: Effect{Kind: RestoreStaged, ARN: d.spec.Staged.SecretARN}, Again: true}
	}
	if d.StagedValue == nil {
		return read(ReadStagedValue)
	}
	if d.StagedValue.Missing {
		return d.stagedGone("the staged version does not exist")
	}
	patch, problem := d.stagedPatch()
	if problem != "" {
		return d.invalid(v1alpha1.ReasonInvalid, "Stage the change again: %s", problem)
	}
	live, a := d.liveDocument(d.baseIfLive())
	if a != nil {
		return a
	}
	return d.validatePatch(patch, live)
}

// baseIfLive is the base, where the project last saw it live: a pinned version
// is often remembered, which saves a call. What is live by then is looked at
// again before anything is written.
func (d *decider) baseIfLive() string {
	if base := string(d.spec.BaseVersionID); base == d.environment.LiveVersionID {
		return base
	}
	return ""
}

// stagedGone gives AWS time to show what was just made. What ended has nothing
// staged, either: its record may have been brought back without its status.
func (d *decider) stagedGone(problem string) *Action {
	deadline := d.Change.CreationTimestamp.Add(d.ConsistencyGrace)
	if d.Now.Before(deadline) {
		return d.wait(v1alpha1.ReasonProgressing, "Waiting: "+problem, d.soon())
	}
	if a := d.wentLive(); a != nil {
		return a
	}
	return d.invalid(v1alpha1.ReasonInvalid, "Propose the change again, unless it has ended before and this is its record, "+
		"brought back without its status: %s", problem)
}

func (d *decider) validatePatch(patch document.Patch, live document.Document) *Action {
	current := d.LiveValue.VersionID
	base := string(d.spec.BaseVersionID)
	clashes := patch.Clashes(live)
	if base == "" {
		base = current
	}
	d.status.BaseVersionID = base
	switch {
	case (d.strict() || len(clashes) > 0) && base != current && !d.certain(current):
		d.status.BaseVersionID = ""
		return d.baseNotShown()
	case d.strict() && base != current:
		return d.end(v1alpha1.PhaseConflicted, v1alpha1.ReasonConflicted, "%s", d.movedMessage(current))
	case base == current && len(clashes) > 0 && d.spec.BaseVersionID != "":
		return d.invalid(v1alpha1.ReasonInvalid,
			"The staged document does not tell the truth about its base %s at %s: propose the change again", base, keyList(clashes))
	case len(clashes) > 0:
		return d.clash(clashes)
	}
	wanted := patch.Apply(live)
	if _, err := wanted.Encode(); err != nil {
		return d.invalid(v1alpha1.ReasonInvalid, "Propose a smaller change: %s", err)
	}
	d.pending(document.Diff(live, wanted))
	return d.validated()
}

func (d *decider) clash(keys []string) *Action {
	return d.endUnapplied(v1alpha1.PhaseConflicted, v1alpha1.ReasonConflicted,
		"Since it was proposed, the live value has changed of %s: rebase it onto what is live now", keyList(keys))
}

// pending records what reviewers are to judge.
func (d *decider) pending(diff []document.KeyChange) {
	counts := document.Count(diff)
	d.status.Diff = nil
	for _, c := range diff {
		d.status.Diff = append(d.status.Diff, v1alpha1.KeyChange{Key: c.Key, Type: v1alpha1.ChangeType(c.Type)})
	}
	d.status.DiffCounts = &v1alpha1.DiffCounts{
		Added: int32(counts.Added), Modified: int32(counts.Modified), Removed: int32(counts.Removed), //nolint:gosec // bounded by a document's size
	}
	d.status.Summary = summary(diff)
}

// validated opens the change for reviews.
func (d *decider) validated() *Action {
	d.status.Phase = v1alpha1.PhasePending
	d.status.Message = d.missingReviews()
	d.blocked = note{v1alpha1.ReasonAwaitingReview, d.status.Message}
	if d.decision.Verdict == policy.Approved {
		d.status.Message = "Checked, and approved already"
		d.blocked = note{v1alpha1.ReasonProgressing, d.status.Message}
	}
	d.events = append(d.events, Event{Reason: v1alpha1.ReasonValidated, Message: fmt.Sprintf("Checked: %s", d.status.Summary)})
	return &Action{Again: true, After: d.untilExpiry()}
}

func (d *decider) strict() bool {
	return strict(d.spec, d.policy)
}
