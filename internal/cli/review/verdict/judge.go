package verdict

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
)

// Stage is how far the controller has come since a review was added.
type Stage string

// Stages.
const (
	// Unseen: the controller has not looked at the review yet.
	Unseen Stage = "Unseen"
	// Working: it goes on by itself, or something holds it up.
	Working Stage = "Working"
	// NeedsMore: more approvals are needed.
	NeedsMore Stage = "NeedsMore"
	// Ended: the phase is final.
	Ended Stage = "Ended"
)

// StageOf tells how far the controller has come with a change that has had a
// generation since the review was added.
func StageOf(change *v1alpha1.SecretChange, generation int64) Stage {
	status := change.Status
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	switch {
	case status.Phase.Finished():
		return Ended
	case status.ObservedGeneration < generation:
		return Unseen
	case status.Phase == v1alpha1.PhasePending && ready != nil && ready.Reason == v1alpha1.ReasonAwaitingReview:
		return NeedsMore
	default:
		return Working
	}
}

// endCodes are the exit codes for a change that was approved and ended
// otherwise than Applied.
var endCodes = map[v1alpha1.Phase]exit.Code{
	v1alpha1.PhaseRejected:   exit.Refused,
	v1alpha1.PhaseConflicted: exit.Conflict,
	v1alpha1.PhaseExpired:    exit.Refused,
	v1alpha1.PhaseInvalid:    exit.Refused,
}

// outcome returns an exit.Error where a change ended otherwise than the verdict
// wants it.
func outcome(change *v1alpha1.SecretChange, given v1alpha1.Verdict) error {
	phase, message := change.Status.Phase, strings.TrimSuffix(change.Status.Message, ".")
	switch {
	case !phase.Finished():
		return nil // it needs more approvals
	case given == v1alpha1.VerdictApproved && phase != v1alpha1.PhaseApplied:
		return exit.Errorf(endCodes[phase], "change %q is not live, it ended as %s: %s", change.Name, phase, message)
	case given == v1alpha1.VerdictRejected && phase == v1alpha1.PhaseApplied:
		return exit.Errorf(exit.Conflict, "your rejection came too late, change %q is live: %s; roll it back to undo it", change.Name, message)
	default:
		return nil
	}
}
