package change

import (
	"fmt"
	"math"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/policy"
)

// deleting removes what a change has left in AWS and lets it go. A terminating
// namespace must not wait for anything else.
func (d *decider) deleting() *Action {
	if d.Change.DeletionTimestamp == nil {
		return nil
	}
	if a := d.unlabel(); a != nil {
		return a
	}
	if d.foreignOnRecord() {
		return d.release() // the sweep takes what is left, once it may
	}
	if a := d.cleanup(); a != nil {
		return a
	}
	return d.release()
}

// unlabel takes the label of a change that did not become live off what it has
// written: once the change is gone nobody would know the label, which holds an
// environment.
func (d *decider) unlabel() *Action {
	if d.status.Attempt == nil && !adopts(d.Change) || d.status.Phase == v1alpha1.PhaseApplied || !d.claimed() {
		return nil
	}
	if d.Live == nil {
		return read(ReadLive)
	}
	// Where AWS would refuse it, what else there is to do does not wait for that.
	if version := d.Live.Secret.VersionWith(d.label()); version != "" && d.writable() {
		return &Action{Effect: d.moveLabel(d.label(), version, ""), Again: true}
	}
	// A version may have been put once more until its attempt had settled. A terminating namespace must not wait for that.
	// Nor is there anything to wait for where the clock was ahead.
	a := d.status.Attempt
	if a == nil || a.SteppedAt == nil || d.Change.DeletionTimestamp != nil || a.SteppedAt.Sub(d.Now) > d.ConsistencyGrace {
		return nil
	}
	if last := a.SteppedAt.Add(d.ConsistencyGrace); !d.settled(last) {
		return d.settle(last)
	}
	return nil
}

// writable reports whether AWS lets labels of the live secret be moved by this
// cluster: its rights hang on whose the secret is.
func (d *decider) writable() bool {
	secret := d.Live.Secret
	return secret.DeletedAt == nil && (!d.RequireOwnerTag || secret.Tags[naming.TagOwner] == naming.Owner(d.Cluster, d.Change.Namespace))
}

// finished removes what a finished change has left in AWS, once nobody can need
// it any more.
func (d *decider) finished() *Action {
	if !d.status.Phase.Finished() {
		return nil
	}
	if a := d.unlabel(); a != nil {
		return a
	}
	if kept := d.Change.KeptUntil(); d.claimed() && d.Now.Before(kept) {
		return &Action{After: kept.Sub(d.Now) + time.Second}
	}
	if d.foreignOnRecord() && d.claimed() && d.spec.Staged != nil && !d.status.StagedDeleted {
		return &Action{After: foreignRetry}
	}
	if a := d.cleanup(); a != nil {
		return a
	}
	if d.labelled() {
		return &Action{After: labelRetry}
	}
	return d.release()
}

// labelled reports whether the label of a change that did not become live is still
// on the live secret.
func (d *decider) labelled() bool {
	return d.claimed() && d.status.Phase != v1alpha1.PhaseApplied && d.Live != nil && d.Live.Secret.VersionWith(d.label()) != ""
}

// labelRetry is how soon it is looked again whether a label may be taken off.
const labelRetry = 10 * time.Minute

// foreignRetry is how soon it is looked again whether a foreign label still
// holds deletions.
const foreignRetry = time.Minute

// foreignOnRecord reports whether a version bears the label of a change that
// this cluster does not know. Then another cluster of the same name, or one from
// before a backup was restored, may still need what is staged.
func (d *decider) foreignOnRecord() bool {
	if d.Project == nil {
		return false
	}
	environment := d.Project.Status.Environment(d.spec.Environment)
	return environment != nil && environment.Drift != nil && environment.Drift.ForeignChangeUID != ""
}

// claim puts the finalizer on a change before anything else is done for it.
func (d *decider) claim() *Action {
	if d.claimed() {
		return nil
	}
	return &Action{Effect: Effect{Kind: AddFinalizer}, Again: true}
}

func (d *decider) claimed() bool { return slices.Contains(d.Change.Finalizers, v1alpha1.Finalizer) }

func (d *decider) release() *Action {
	if !d.claimed() {
		return &Action{}
	}
	return &Action{Effect: Effect{Kind: RemoveFinalizer}}
}

// cleanup deletes the staged secret if it is this change's; nil if there is
// nothing to delete.
func (d *decider) cleanup() *Action {
	if d.spec.Staged == nil || d.status.StagedDeleted || !d.claimed() || d.stagedARNProblem() != "" {
		return nil
	}
	// What has been validated is known to be this change's. Of anything else, only
	// who knows the staged bytes may have them deleted; the sweep takes the rest.
	if d.status.DiffCounts == nil || !d.vouched() {
		if d.Project == nil {
			return nil
		}
		if d.Staged == nil {
			return read(ReadStaged)
		}
		if d.Staged.Missing || d.stagedTagsProblem() != "" {
			return nil
		}
		if d.StagedValue == nil {
			return read(ReadStagedValue)
		}
		if d.StagedValue.Missing || d.StagedValue.Digest != d.spec.Staged.Digest {
			return nil
		}
	}
	d.status.StagedDeleted = true
	return &Action{Effect: Effect{Kind: DeleteStaged, ARN: d.spec.Staged.SecretARN}}
}

// trust holds everything while identities cannot be relied on, and afterwards
// discounts the approvals that may have been forged meanwhile. Creation times
// are in whole seconds, and so is the time since when there is trust.
func (d *decider) trust() *Action {
	if !d.Trust.Intact {
		return d.wait(v1alpha1.ReasonPoliciesWeakened, "Held: "+d.Trust.Reason, 0)
	}
	switch record := d.status.Admission; {
	case record == nil && d.Change.CreationTimestamp.Time.Before(d.Trust.Since):
		return d.end(v1alpha1.PhaseInvalid, v1alpha1.ReasonPoliciesWeakened,
			"Created when the admission policies were not known to be in force, which they are since %s: propose it again",
			d.Trust.Since.UTC().Format(time.RFC3339))
	case record == nil:
		d.status.Admission = &v1alpha1.AdmissionRecord{Epoch: d.Trust.Epoch}
	case record.Epoch != d.Trust.Epoch:
		if !d.Fresh {
			return read(ReadFresh)
		}
		d.discountAll()
		d.recheck()
		record.Epoch = d.Trust.Epoch
	}
	return nil
}

// vouched reports whether the manager alone can have written the status.
func (d *decider) vouched() bool {
	return d.Trust.Intact && d.status.Admission != nil && d.status.Admission.Epoch == d.Trust.Epoch
}

// recheck has a change checked anew that has not begun to be made live. What
// its status shows to reviewers may have been written by others.
func (d *decider) recheck() {
	if d.status.Attempt != nil || d.status.Phase == "" {
		return
	}
	d.letIn = true
	d.status.Phase, d.status.Revert = "", nil
	d.status.Diff, d.status.DiffCounts, d.status.Summary = nil, nil, ""
}

// discountAll keeps every approval that the change has now from counting.
func (d *decider) discountAll() {
	record := d.status.Admission
	for _, review := range d.spec.Reviews {
		if !slices.Contains(record.Discounted, review.Reviewer) {
			record.Discounted = append(record.Discounted, review.Reviewer)
		}
	}
	slices.Sort(record.Discounted)
}

// project resolves the policy. Without one a change can still be rejected,
// withdrawn or expire.
func (d *decider) project() *Action {
	var missing string
	if d.Project == nil {
		missing = fmt.Sprintf("there is no SecretProject %q in namespace %q", d.spec.Project, d.Change.Namespace)
	} else if effective, ok := policy.For(d.Project, d.spec.Environment); ok {
		d.policy = effective
		d.environment = d.Project.Status.Environment(d.spec.Environment)
	} else {
		missing = fmt.Sprintf("SecretProject %q has no environment %q", d.spec.Project, d.spec.Environment)
	}
	if missing != "" {
		deadline := d.Change.CreationTimestamp.Add(d.ProjectGrace)
		if d.status.Phase == "" && !d.Now.Before(deadline) {
			return d.end(v1alpha1.PhaseInvalid, v1alpha1.ReasonInvalid, "Propose it again under another name: %s", missing)
		}
		d.policy = policy.Effective{RequiredApprovals: math.MaxInt32, PreventSelfApproval: true, ChangeTTL: policy.DefaultChangeTTL}
		d.blocked = note{v1alpha1.ReasonProjectNotReady, "Waiting: " + missing}
	} else if a := d.sameProject(); a != nil {
		return a
	}
	if d.Project != nil || d.status.ExpiresAt == nil {
		// The API keeps whole seconds.
		expires := metav1.NewTime(d.Change.CreationTimestamp.Add(d.policy.ChangeTTL).Truncate(time.Second))
		d.status.ExpiresAt = &expires
	}
	return nil
}

// sameProject discounts approvals that were given under another SecretProject
// of the same name.
func (d *decider) sameProject() *Action {
	if d.status.Decision == nil || d.status.Decision.ProjectUID == d.Project.UID {
		return nil
	}
	if !d.Fresh {
		return read(ReadFresh)
	}
	d.discountAll()
	return nil
}

// proposer ends a change that was proposed under a name which may not propose
// any more. Who may is held by admission; the list of accounts can shrink.
func (d *decider) proposer() *Action {
	if d.Identities.CanPropose(d.spec.ProposedBy) {
		return nil
	}
	return d.endUnapplied(v1alpha1.PhaseInvalid, v1alpha1.ReasonInvalid,
		"Propose it again under a person's name: %s is not listed as an account that may propose", quote(d.spec.ProposedBy))
}

// reviews counts them, and ends a change that somebody rejected.
func (d *decider) reviews() *Action {
	var discounted []string
	if d.status.Admission != nil {
		discounted = d.status.Admission.Discounted
	}
	d.decision = policy.Decide(policy.Request{
		Spec: d.spec, Policy: d.policy, IDs: d.Identities, Discounted: discounted,
		TargetApplied: d.Queue.WroteTarget,
	})
	if d.Project != nil {
		d.status.Approvals = fmt.Sprintf("%d/%d", len(d.decision.Approvers), d.decision.Required)
		d.status.Decision = &v1alpha1.Decision{
			Approvers: d.decision.Approvers, RejectedBy: d.decision.RejectedBy,
			RequiredApprovals: int32(min(d.decision.Required, v1alpha1.MaxReviews)), //nolint:gosec // bounded by min
			ProjectUID:        d.Project.UID, ProjectGeneration: d.Project.Generation, Policies: d.Trust.Policies,
		}
	}
	switch d.decision.Verdict {
	case policy.Withdrawn:
		return d.endUnapplied(v1alpha1.PhaseRejected, v1alpha1.ReasonWithdrawn, "Withdrawn by its proposer")
	case policy.Rejected:
		return d.endUnapplied(v1alpha1.PhaseRejected, v1alpha1.ReasonRejected, "Rejected by %s", quote(d.decision.RejectedBy))
	case policy.Waiting, policy.Approved:
	}
	return nil
}

// expiry ends a change that is not live in time.
func (d *decider) expiry() *Action {
	if d.Now.Before(d.status.ExpiresAt.Time) {
		return nil
	}
	return d.endUnapplied(v1alpha1.PhaseExpired, v1alpha1.ReasonExpired,
		"Not live by %s: propose it again", d.status.ExpiresAt.UTC().Format(time.RFC3339))
}

// await moves between Pending and Approved as the reviews say.
func (d *decider) await() *Action {
	if d.environment == nil {
		return d.wait(v1alpha1.ReasonProjectNotReady, d.notReady(), d.untilExpiry())
	}
	if d.status.Phase == v1alpha1.PhasePending {
		if a := d.baseMoved(); a != nil {
			return a
		}
	}
	if d.decision.Verdict != policy.Approved {
		d.status.Phase = v1alpha1.PhasePending
		d.status.DecidedAt = nil
		return d.wait(v1alpha1.ReasonAwaitingReview, d.missingReviews(), d.untilExpiry())
	}
	if d.status.Phase == v1alpha1.PhasePending {
		now := metav1.NewMicroTime(d.Now)
		d.status.Phase = v1alpha1.PhaseApproved
		d.status.DecidedAt = &now
		d.status.Message = "Approved; being made live"
		d.blocked = note{v1alpha1.ReasonProgressing, d.status.Message}
		d.events = append(d.events, Event{Reason: v1alpha1.ReasonApproved, Message: d.grounds()})
		if d.Queue.Alone {
			return nil // with nobody to wait for, that it is approved and being made live is one record
		}
		return &Action{Again: true}
	}
	return nil
}

// baseMoved ends a pending Strict change as soon as its base is no longer live,
// so that nobody reviews what can never be applied.
func (d *decider) baseMoved() *Action {
	if !d.strict() || d.environment.LiveVersionID == "" || d.environment.LiveVersionID == d.status.BaseVersionID {
		return nil
	}
	if d.Live == nil {
		return read(ReadLive)
	}
	current := d.Live.Secret.Current()
	if d.Live.Missing || current == d.status.BaseVersionID || d.madeLive() != "" || !d.certain(current) {
		return nil
	}
	return d.endUnapplied(v1alpha1.PhaseConflicted, v1alpha1.ReasonConflicted, "%s", d.movedMessage(current))
}

// hold keeps an approved change from being applied for now.
func (d *decider) hold() *Action {
	switch {
	case d.policy.Suspended:
		return d.wait(v1alpha1.ReasonFrozen, fmt.Sprintf("Waiting: changes to environment %q are suspended", d.spec.Environment), d.untilExpiry())
	case d.environment.Problem != nil && d.environment.Problem.Reason == v1alpha1.ReasonNameClaimed:
		return d.wait(d.environment.Problem.Reason, "Waiting: "+d.environment.Problem.Message, d.untilExpiry())
	case d.Queue.Ahead != "":
		return d.wait(v1alpha1.ReasonWaitingForTurn, fmt.Sprintf("Waiting: change %q goes before this one; reject it if it cannot be made live", d.Queue.Ahead), d.untilExpiry())
	default:
		return nil
	}
}
