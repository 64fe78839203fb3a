package change

import (
	"cmp"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/policy"
)

// conditions are worked out from the facts in status and from why the change
// waits; they are never read back.
func (d *decider) conditions() {
	phase := d.status.Phase
	if phase.Finished() && d.blocked == (note{}) {
		return // settled when it finished
	}
	reason := cmp.Or(d.blocked.reason, v1alpha1.ReasonProgressing)
	message := cmp.Or(d.blocked.message, d.status.Message)
	d.set(v1alpha1.ConditionReady, boolean(phase == v1alpha1.PhaseApplied), reason, message)
	d.only(v1alpha1.ConditionReconciling, !phase.Finished(), reason, message)
	d.only(v1alpha1.ConditionStalled, phase.Finished() && phase != v1alpha1.PhaseApplied, reason, message)

	validated, why := metav1.ConditionTrue, v1alpha1.ReasonValidated
	switch {
	case phase == v1alpha1.PhaseInvalid:
		validated, why = metav1.ConditionFalse, reason
	case d.status.DiffCounts == nil:
		validated, why = metav1.ConditionUnknown, reason
	}
	d.set(v1alpha1.ConditionValidated, validated, why, d.status.Summary)

	switch phase {
	case v1alpha1.PhaseApproved, v1alpha1.PhaseApplied:
		d.set(v1alpha1.ConditionApproved, metav1.ConditionTrue, v1alpha1.ReasonApproved, d.status.Approvals)
	case v1alpha1.PhaseRejected:
		d.set(v1alpha1.ConditionApproved, metav1.ConditionFalse, reason, message)
	default:
		d.set(v1alpha1.ConditionApproved, metav1.ConditionFalse, d.approvedReason(), d.status.Approvals)
	}
	d.set(v1alpha1.ConditionApplied, boolean(phase == v1alpha1.PhaseApplied), reason, message)
}

// SameFacts reports whether two statuses differ at most in what they tell people, and not in what was decided or is about
// to be done.
func SameFacts(a, b v1alpha1.SecretChangeStatus) bool {
	for _, status := range []*v1alpha1.SecretChangeStatus{&a, &b} {
		status.Message, status.Conditions = "", nil
	}
	return equality.Semantic.DeepEqual(a, b)
}

func (d *decider) approvedReason() string {
	for _, why := range d.decision.NotCounted {
		if why == policy.NotCountedDiscounted {
			return v1alpha1.ReasonReviewAnew
		}
	}
	return v1alpha1.ReasonAwaitingReview
}

func (d *decider) set(kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&d.status.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message,
		ObservedGeneration: d.Change.Generation, LastTransitionTime: metav1.NewTime(d.Now),
	})
}

// only keeps a condition that exists just while it is true, as kstatus wants.
func (d *decider) only(kind string, holds bool, reason, message string) {
	if holds {
		d.set(kind, metav1.ConditionTrue, reason, message)
		return
	}
	meta.RemoveStatusCondition(&d.status.Conditions, kind)
}

func boolean(b bool) metav1.ConditionStatus {
	if b {
		return metav1.ConditionTrue
	}
	return metav1.ConditionFalse
}
