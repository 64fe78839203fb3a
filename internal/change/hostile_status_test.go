package change_test

import (
	"testing"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// While the admission policies are weakened, whoever may write status by RBAC
// can write what reviewers without rights in AWS go by.
func TestWhatALapseLeftInStatusIsNotShownToReviewers(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	honest := c.Status.Summary
	w.lapse()
	c.Status.Diff = []v1alpha1.KeyChange{{Key: "HARMLESS", Type: v1alpha1.KeyAdded}}
	c.Status.DiffCounts, c.Status.Summary = &v1alpha1.DiffCounts{Added: 1}, "+HARMLESS"
	w.mend()
	w.settle()
	if c.Status.Phase != v1alpha1.PhasePending || c.Status.Summary != honest || len(c.Status.Diff) != 1 || c.Status.Diff[0].Key != "A" {
		t.Errorf("%s shows %q and %v, want %q", c.Status.Phase, c.Status.Summary, c.Status.Diff, honest)
	}
}

// A change that claims to have been checked, and to have ended, would have the
// staged secret of another deleted that is to bear its name.
func TestAClaimInStatusDeletesNothingThatSomebodyElseStaged(t *testing.T) {
	for name, when := range map[string]func(*world){
		"while the policies are weakened": func(*world) {},
		"afterwards":                      func(w *world) { w.mend() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(1)
			unborn := w.propose("alice", setA) // staged; its change is to come from Git
			w.changes = nil
			w.lapse()
			squatter := unborn.DeepCopy()
			squatter.UID, squatter.Spec.ProposedBy, squatter.Finalizers = "uid-eve", "eve", []string{v1alpha1.Finalizer}
			squatter.Spec.Staged.Digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
			squatter.Status = v1alpha1.SecretChangeStatus{
				Phase: v1alpha1.PhaseRejected, DiffCounts: &v1alpha1.DiffCounts{Added: 1}, Admission: &v1alpha1.AdmissionRecord{Epoch: w.trust.Epoch},
			}
			w.changes = append(w.changes, squatter)
			w.settle()
			when(w)
			w.now = w.now.Add(time.Hour)
			w.settle()
			if _, left := w.staged[unborn.Spec.Staged.SecretARN]; !left {
				t.Error("what alice has staged is deleted")
			}
		})
	}
}
