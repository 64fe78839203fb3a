package change_test

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/policy"
	"github.com/secretreview/secretreview/internal/secretstore"
)

func TestAFinishedRecordThatABackupBroughtBackStaysAsItIs(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.review(c, "bob", "Approved")
	w.settle()
	c.Generation, c.Finalizers = 1, nil
	c.Status.ObservedGeneration = 7
	before := *c.Status.DeepCopy()
	if _, a := w.decide(c); !equality.Semantic.DeepEqual(a.Status, before) || a.Effect.Kind != "" {
		t.Errorf("does %q and changes the record to %+v", a.Effect.Kind, a.Status)
	}
}

func TestATimeToLiveWithAFractionIsStoredAsItIsKept(t *testing.T) {
	w := newWorld(1)
	w.project.Spec.ChangeTTL = &metav1.Duration{Duration: time.Hour + 500*time.Millisecond}
	c := w.propose("alice", setA)
	w.settle()
	if at := c.Status.ExpiresAt.Time; !at.Equal(at.Truncate(time.Second)) {
		t.Errorf("expires at %s, of which the API keeps whole seconds", at)
	}
}

// The cluster is put back to a backup in which the change is pending. It was
// live since.
func TestAChangeThatABackupBroughtBackPendingIsOnRecordAsLive(t *testing.T) {
	for name, ending := range map[string]func(w *world, c *v1alpha1.SecretChange){
		"and is rejected":  func(w *world, c *v1alpha1.SecretChange) { w.review(c, "bob", v1alpha1.VerdictRejected) },
		"and is withdrawn": func(w *world, c *v1alpha1.SecretChange) { w.review(c, "alice", v1alpha1.VerdictRejected) },
		"and expires":      func(w *world, _ *v1alpha1.SecretChange) { w.now = w.now.Add(169 * time.Hour) },
		"and is approved":  func(w *world, c *v1alpha1.SecretChange) { w.review(c, "bob", v1alpha1.VerdictApproved) },
		"unchecked": func(w *world, c *v1alpha1.SecretChange) {
			c.Status = v1alpha1.SecretChangeStatus{}
			w.now = w.now.Add(time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(1)
			c := w.propose("alice", setA)
			w.settle()
			before := c.DeepCopy()
			w.review(c, "carol", v1alpha1.VerdictApproved)
			w.settle()
			version := c.Status.AppliedVersionID
			before.DeepCopyInto(c)
			ending(w, c)
			w.settle()
			if c.Status.Phase != v1alpha1.PhaseApplied || c.Status.AppliedVersionID != version || w.moves[string(c.UID)] != 1 {
				t.Errorf("is live as %s but %s: %s", version, c.Status.Phase, c.Status.Message)
			}
		})
	}
}

// Another cluster of this name, or this one before a backup was restored, may
// still need what is staged.
func TestAForeignLabelHoldsTheDeletionOfWhatIsStaged(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	environment := &w.project.Status.Environments[0]
	environment.Drift = &v1alpha1.Drift{ForeignChangeUID: "elsewhere"}
	w.review(c, "bob", v1alpha1.VerdictRejected)
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseRejected || len(w.staged) != 1 || len(c.Finalizers) != 1 {
		t.Errorf("is %s with %d staged secrets and finalizers %v", c.Status.Phase, len(w.staged), c.Finalizers)
	}
	deleted := c.DeepCopy()
	w.changes[0] = deleted
	deleted.DeletionTimestamp = &metav1.Time{Time: w.now}
	w.settle()
	if len(w.staged) != 1 || len(deleted.Finalizers) != 0 {
		t.Errorf("a deleted one leaves %d staged secrets and finalizers %v", len(w.staged), deleted.Finalizers)
	}
	w.changes[0] = c
	environment.Drift = nil
	w.settle()
	if len(w.staged) != 0 || len(c.Finalizers) != 0 {
		t.Errorf("once adopted, %d staged secrets and finalizers %v are left", len(w.staged), c.Finalizers)
	}
}

func TestAnAccountThatMayNotProposeAnyMoreHasItsChangesEnded(t *testing.T) {
	w := newWorld(1)
	w.settings.Identities = policy.NewIdentities(policy.Listed{ProposingAccounts: []string{"system:serviceaccount:ci:bot"}})
	c := w.propose("system:serviceaccount:ci:bot", setA)
	w.settle()
	if c.Status.Phase != v1alpha1.PhasePending {
		t.Fatalf("is %s: %s", c.Status.Phase, c.Status.Message)
	}
	w.settings.Identities = policy.Identities{}
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseInvalid || !strings.Contains(c.Status.Message, "not listed") || w.moves[string(c.UID)] != 0 {
		t.Errorf("is %s: %s", c.Status.Phase, c.Status.Message)
	}
}

func TestAnAppliedChangeSaysWhatHadReplacedIt(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.MoveLabel)
	w.reconcile(c)
	w.undo()
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseApplied || c.Status.ReplacedByVersionID != w.with(secretstore.LabelCurrent) {
		t.Errorf("is %s, replaced by %q: %s", c.Status.Phase, c.Status.ReplacedByVersionID, c.Status.Message)
	}
}

// A backup brings back records without their status, all in the same moment.
func TestRecordsWithoutAStatusPushOutNoPendingChange(t *testing.T) {
	w := newWorld(1)
	w.project.Spec.PendingLimit = ptr.To[int32](1)
	var records []*v1alpha1.SecretChange
	for range 3 {
		record := w.propose("alice", setC)
		delete(w.staged, record.Spec.Staged.SecretARN)
		records = append(records, record)
	}
	w.now = w.now.Add(time.Second)
	c := w.propose("alice", setA)
	w.settle()
	if c.Status.Phase != "" || !strings.Contains(c.Status.Message, "checked first") {
		t.Errorf("is %q while the records are looked at: %s", c.Status.Phase, c.Status.Message)
	}
	w.now = w.now.Add(time.Minute)
	w.settle()
	if c.Status.Phase != v1alpha1.PhasePending {
		t.Errorf("is %s: %s", c.Status.Phase, c.Status.Message)
	}
	for _, record := range records {
		if record.Status.Phase != v1alpha1.PhaseInvalid || !strings.Contains(record.Status.Message, "has ended before") {
			t.Errorf("a record is %s: %s", record.Status.Phase, record.Status.Message)
		}
	}
}
