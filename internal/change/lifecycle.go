package change

import (
	"fmt"
	"math"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/policy"
)

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
		return d.wait(v1alpha1.ReasonAwaitingReview, d.missingReviews(), d.untilCertain())
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
	if !d.seemsMoved() {
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

// seemsMoved reports whether the base of a Strict change was not live when the project was looked at last.
func (d *decider) seemsMoved() bool {
	return d.strict() && d.environment.LiveVersionID != "" && d.environment.LiveVersionID != d.status.BaseVersionID
}

// untilCertain is how long a pending change has nothing to do by itself: until it expires, or until it is certain that its
// base has moved.
func (d *decider) untilCertain() time.Duration {
	certain := d.Change.CreationTimestamp.Add(d.ConsistencyGrace).Sub(d.Now)
	if certain <= 0 || !d.seemsMoved() {
		return d.untilExpiry()
	}
	return min(certain, d.untilExpiry())
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
