package policy

import (
	"slices"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// Verdict is where the reviews of a change have led.
type Verdict string

const (
	// Waiting: more approvals are needed.
	Waiting Verdict = "Waiting"
	// Approved: the quorum is reached.
	Approved Verdict = "Approved"
	// Rejected: one reviewer rejected it.
	Rejected Verdict = "Rejected"
	// Withdrawn: the proposer rejected it.
	Withdrawn Verdict = "Withdrawn"
)

// Why a review does not count as an approval.
const (
	NotCountedSelf           = "the proposer's own approval does not count"
	NotCountedServiceAccount = "a ServiceAccount, or another name that begins with system:, does not count unless it is listed"
	NotCountedSamePerson     = "the same person has already been counted under another name"
	NotCountedDiscounted     = "it may have been added while the admission policies were not in force"
)

// Request is what Decide looks at.
type Request struct {
	Spec   *v1alpha1.SecretChangeSpec
	Policy Effective
	IDs    Identities
	// Discounted are reviewers whose approvals do not count.
	Discounted []string
	// TargetApplied says, of a rollback or restore, that what it goes back to
	// was written by an Applied change of the same environment.
	TargetApplied bool
}

// Decision is what the reviews come to.
type Decision struct {
	Verdict Verdict
	// Approvers are the reviewers counted, in the order of the reviews.
	Approvers []string
	// RejectedBy is who ended it.
	RejectedBy string
	// Required is the quorum.
	Required int
	// BornApproved says that it needed no second person: a rollback by
	// somebody who holds the verb rollback.
	BornApproved bool
	// NotCounted says why an approval was passed over.
	NotCounted map[string]string
}

// Decide counts the reviews. A single rejection ends a change, whoever it
// comes from; approvals are counted once a person.
func Decide(r Request) Decision {
	d := Decision{Verdict: Waiting, Required: r.Policy.RequiredApprovals, NotCounted: map[string]string{}}
	proposer := r.IDs.Person(r.Spec.ProposedBy)
	counted := map[string]bool{}
	for _, review := range r.Spec.Reviews {
		person := r.IDs.Person(review.Reviewer)
		if review.Verdict == v1alpha1.VerdictRejected {
			d.RejectedBy = review.Reviewer
			d.Verdict = Rejected
			if person == proposer {
				d.Verdict = Withdrawn
			}
			return d
		}
		own := person == proposer
		switch {
		case slices.Contains(r.Discounted, review.Reviewer):
			d.NotCounted[review.Reviewer] = NotCountedDiscounted
		case own && r.bornApproved(review):
			d.BornApproved = true
			d.Approvers = append(d.Approvers, review.Reviewer)
		case own && r.Policy.PreventSelfApproval:
			d.NotCounted[review.Reviewer] = NotCountedSelf
		case !r.IDs.CanReview(review.Reviewer):
			d.NotCounted[review.Reviewer] = NotCountedServiceAccount
		case counted[person]:
			d.NotCounted[review.Reviewer] = NotCountedSamePerson
		default:
			counted[person] = true
			d.Approvers = append(d.Approvers, review.Reviewer)
		}
	}
	if d.BornApproved || len(counted) >= d.Required {
		d.Verdict = Approved
	}
	return d
}

// bornApproved: admission lets a proposer's own approval onto a rollback or
// restore only as it is created, and only from a holder of the verb rollback.
func (r Request) bornApproved(review v1alpha1.Review) bool {
	return r.Spec.Staged == nil && review.Reviewer == r.Spec.ProposedBy &&
		!r.Policy.RollbackRequiresReview && r.TargetApplied
}
