package change_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/policy"
)

// TestThePendingLimitCountsWhoWasLetIn: creation times are in whole seconds, so
// which of two changes is older is often not known.
func TestThePendingLimitCountsWhoWasLetIn(t *testing.T) {
	second := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	made := func(uid, proposer string, at time.Time, phase v1alpha1.Phase) v1alpha1.SecretChange {
		return v1alpha1.SecretChange{
			ObjectMeta: metav1.ObjectMeta{Name: uid, UID: types.UID(uid), CreationTimestamp: metav1.NewTime(at)},
			Spec:       v1alpha1.SecretChangeSpec{ProposedBy: proposer},
			Status:     v1alpha1.SecretChangeStatus{Phase: phase},
		}
	}
	const unseen, pending, applied = v1alpha1.Phase(""), v1alpha1.PhasePending, v1alpha1.PhaseApplied
	for name, tc := range map[string]struct {
		other v1alpha1.SecretChange
		// letIn and older are how many go before it.
		letIn, older int
	}{
		"an older one is checked first":                           {made("a", "alice", second.Add(-time.Second), unseen), 0, 1},
		"a newer one is not":                                      {made("z", "alice", second.Add(time.Second), unseen), 0, 0},
		"of two that nobody has checked yet one goes first":       {made("a", "alice", second, unseen), 0, 1},
		"and the other does not":                                  {made("z", "alice", second, unseen), 0, 0},
		"one of the same second that is pending counts":           {made("z", "alice", second, pending), 1, 0},
		"one of the same second that has ended does not":          {made("a", "alice", second, applied), 0, 0},
		"another person's does not":                               {made("a", "bob", second.Add(-time.Second), pending), 0, 0},
		"another session's of the same role is the same person's": {made("z", role+"/two", second, pending), 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			proposer := "alice"
			if tc.other.Spec.ProposedBy == role+"/two" {
				proposer = role + "/one"
			}
			mine := made("m", proposer, second, unseen)
			got := change.QueueOf(&mine, []v1alpha1.SecretChange{mine, tc.other}, policy.Identities{})
			if got.LetIn != tc.letIn || got.Older != tc.older {
				t.Errorf("%d were let in and %d are older, want %d and %d", got.LetIn, got.Older, tc.letIn, tc.older)
			}
		})
	}
}

const role = "arn:aws:sts::111122223333:assumed-role/dev"
