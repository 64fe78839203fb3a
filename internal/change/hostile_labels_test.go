package change_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// unlabelled is a change of which a version was written that has lost its label since.
func unlabelled() (*world, *v1alpha1.SecretChange) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.MoveLabel)
	delete(w.versions[c.Status.Attempt.VersionID].labels, naming.VersionLabel(string(c.UID)))
	return w, c
}

// AWS ignores a put of what is there already, labels and all.
func TestAVersionThatLostItsLabelIsNotPutForEver(t *testing.T) {
	w, c := unlabelled()
	puts := 0
	for range 100 {
		if _, a := w.decide(c); a.Effect.Kind == change.Put && a.After == 0 {
			puts++
		}
		w.reconcile(c)
		w.now = w.now.Add(time.Second)
	}
	if puts > 1 || !c.Status.Phase.Finished() {
		t.Errorf("%d puts of the same version in 100 reconciles, and it is %s: %s", puts, c.Status.Phase, c.Status.Message)
	}
}

// AWS may be slow to show what was put, or somebody may have taken the label off.
func TestAPutIsTriedAgainMoreAndMoreRarely(t *testing.T) {
	w, c := unlabelled()
	puts := 0
	for settled := c.Status.Attempt.SteppedAt.Add(w.settings.ConsistencyGrace); w.now.Before(settled); puts++ {
		_, a := w.decide(c)
		if a.Effect.Kind != change.Put || a.After < time.Second {
			t.Fatalf("%s, and again after %s", a.Effect.Kind, a.After)
		}
		w.reconcile(c)
		w.now = w.now.Add(a.After)
	}
	if puts > 12 {
		t.Errorf("%d puts of the same version in less than a minute", puts)
	}
}

// Who may move labels in AWS puts a change's own on a version that was there before it.
func TestALabelThatIsMovedMakesNothingLookApplied(t *testing.T) {
	for name, tc := range map[string]struct {
		// ready is how far the change gets before that.
		ready   func(*world, *v1alpha1.SecretChange)
		on      string
		verdict v1alpha1.Verdict
		phase   v1alpha1.Phase
	}{
		"on what is live, before an attempt":         {put, secretstore.LabelCurrent, v1alpha1.VerdictApproved, v1alpha1.PhaseApplied},
		"on what is live, its own version being put": {toMove, secretstore.LabelCurrent, v1alpha1.VerdictApproved, v1alpha1.PhaseApplied},
		"on what was live, before an attempt":        {put, secretstore.LabelPrevious, v1alpha1.VerdictApproved, v1alpha1.PhaseApplied},
		"on what was live, while it is rejected":     {nothing, secretstore.LabelPrevious, v1alpha1.VerdictRejected, v1alpha1.PhaseRejected},
	} {
		for whose, prior := range map[string]func(*world){
			"somebody's edit": func(w *world) { w.external(edited(w.live(), setC)); w.external(edited(w.live(), setB)) },
			"another change":  func(w *world) { w.applied(setC); w.applied(setB) },
		} {
			t.Run(name+", which "+whose+" wrote", func(t *testing.T) {
				w := newWorld(1)
				prior(w)
				c := w.propose("alice", setA)
				w.settle()
				w.review(c, "bob", tc.verdict)
				tc.ready(w, c)
				label, on := naming.VersionLabel(string(c.UID)), w.with(tc.on)
				if a := c.Status.Attempt; a != nil {
					delete(w.versions[a.VersionID].labels, label)
				}
				w.changing()
				w.versions[on].labels[label] = true
				for range 3 {
					w.settle()
					w.now = w.now.Add(time.Minute)
				}
				if c.Status.Phase != tc.phase || c.Status.AppliedVersionID == on || w.with(label) != c.Status.AppliedVersionID {
					t.Errorf("is %s as %s, and its label is on %s", c.Status.Phase, c.Status.AppliedVersionID, w.with(label))
				}
			})
		}
	}
}

func nothing(*world, *v1alpha1.SecretChange)    {}
func put(w *world, c *v1alpha1.SecretChange)    { w.until(c, change.Put) }
func toMove(w *world, c *v1alpha1.SecretChange) { w.until(c, change.MoveLabel) }

// applied has a change made live, some time ago.
func (w *world) applied(edit func(document.Document)) {
	c := w.propose("alice", edit)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.settle()
	w.now = w.now.Add(5 * time.Minute)
}

func TestAnAdoptionAdoptsWhatWasApprovedAlone(t *testing.T) {
	w := newWorld(1)
	w.external(edited(w.live(), setC))
	live, previous := w.with(secretstore.LabelCurrent), w.with(secretstore.LabelPrevious)
	c := w.revert("alice", v1alpha1.SecretChangeSpec{Restore: &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(live)}})
	w.settle()
	w.versions[previous].labels[naming.VersionLabel(string(c.UID))] = true
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseApplied || c.Status.AppliedVersionID != live || !c.Adopted() {
		t.Errorf("is %s as %s, adopted %v: %s", c.Status.Phase, c.Status.AppliedVersionID, c.Adopted(), c.Status.Message)
	}
}

// An adoption does not queue, and makes room by taking off the oldest label.
func TestAnAdoptionTakesNoLabelOffAVersionThatIsBeingMadeLive(t *testing.T) {
	w := newWorld(1)
	w.project.Spec.VersionHistory = ptr.To[int32](1)
	for _, value := range []string{"x", "y"} {
		before := w.propose("alice", func(d document.Document) { d["C"] = sensitive.New(value) })
		w.settle()
		w.review(before, "bob", v1alpha1.VerdictApproved)
		w.settle()
	}
	c := w.propose("alice", setA)
	adoption := w.propose("alice", setA)
	live := v1alpha1.VersionID(w.with(secretstore.LabelCurrent))
	delete(w.staged, adoption.Spec.Staged.SecretARN)
	adoption.Spec.Staged, adoption.Spec.Restore = nil, &v1alpha1.RestoreSource{VersionID: live}
	w.reconcile(c)
	w.reconcile(c)
	w.reconcile(adoption)
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.review(adoption, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.Put)
	w.reconcile(c)
	for !adoption.Status.Phase.Finished() {
		w.reconcile(adoption)
	}
	if w.with(naming.VersionLabel(string(c.UID))) == "" {
		t.Errorf("the adoption took the label off version %s, which %s has just put", c.Status.Attempt.VersionID, c.Name)
	}
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseApplied || len(w.violations) > 0 {
		t.Errorf("%s is %s: %s %v", c.Name, c.Status.Phase, c.Status.Message, w.violations)
	}
}

// The attempt's VersionId is random and ours: where it is live, the change is.
func TestAVersionIsKnownByItsIdWithoutItsLabel(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.MoveLabel)
	w.reconcile(c)
	delete(w.versions[c.Status.Attempt.VersionID].labels, naming.VersionLabel(string(c.UID)))
	w.settle()
	if w.with(secretstore.LabelCurrent) == c.Status.Attempt.VersionID && c.Status.Phase != v1alpha1.PhaseApplied {
		t.Errorf("version %s of its attempt is live, but it is %s: %s", c.Status.Attempt.VersionID, c.Status.Phase, c.Status.Message)
	}
}

// A proposer may delete a change that is Pending, also one that was Approved
// before and has put its version.
func TestADeletedChangeLeavesNoLabelThatHoldsTheEnvironment(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.MoveLabel)
	w.project.Spec.Environments[0].RequiredApprovals = ptr.To[int32](2)
	w.settle()
	if c.Status.Phase != v1alpha1.PhasePending {
		t.Fatalf("is %s", c.Status.Phase)
	}
	c.DeletionTimestamp = &metav1.Time{Time: w.now}
	w.settle()
	w.changes = nil
	w.project.Spec.Environments[0].RequiredApprovals = ptr.To[int32](1)
	next := w.propose("andy", setC)
	next.UID = "uid-of-the-next"
	w.patches[string(next.UID)] = w.patches[string(c.UID)]
	w.settle()
	w.review(next, "bob", v1alpha1.VerdictApproved)
	w.settle()
	if next.Status.Phase != v1alpha1.PhaseApplied {
		t.Errorf("the next change is %s: %s", next.Status.Phase, next.Status.Message)
	}
}

// One version is all that may stay restorable, and a change that was rejected has kept the live one already. The next change
// keeps it, too; another one adopts it, which does not queue.
func TestAnAdoptionDoesNotTakeOffWhatAnotherChangeKeeps(t *testing.T) {
	w := newWorld(1)
	w.project.Spec.VersionHistory = ptr.To[int32](1)
	rejected := w.propose("alice", setA)
	w.settle()
	w.review(rejected, "bob", v1alpha1.VerdictApproved)
	w.until(rejected, change.Put)
	w.review(rejected, "carol", v1alpha1.VerdictRejected)
	w.settle()
	live := w.with(secretstore.LabelCurrent)
	c := w.propose("alice", setA)
	adoption := w.revert("bob", v1alpha1.SecretChangeSpec{Restore: &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(live)}})
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.Put)
	if kept := w.with(naming.KeptLabel(string(c.UID))); kept != live {
		t.Fatalf("keeps %q, not what is live, %s", kept, live)
	}
	w.review(adoption, "carol", v1alpha1.VerdictApproved)
	for range 4 {
		w.reconcile(adoption)
	}
	if kept := w.with(naming.KeptLabel(string(c.UID))); kept != live {
		t.Errorf("what keeps %s is on %q now", live, kept)
	}
}
