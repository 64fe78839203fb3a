package change_test

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/policy"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

func set(key, value string) func(document.Document) {
	return func(d document.Document) { d[key] = sensitive.New(value) }
}

func alone(w *world, who string, spec v1alpha1.SecretChangeSpec) *v1alpha1.SecretChange {
	spec.Reviews = []v1alpha1.Review{{Reviewer: who, Verdict: v1alpha1.VerdictApproved}}
	c := w.revert(who, spec)
	w.settle()
	return c
}

// An adoption wrote nothing, and its reviewers saw no diff.
func TestWhatWasOnlyAdoptedIsNoTargetOfOnesOwnApproval(t *testing.T) {
	w := newWorld(1)
	made(w, setC)
	w.external(edited(w.live(), set("A", "evil")))
	evil := w.with(secretstore.LabelCurrent)
	adopt := w.revert("alice", restoreTo(evil))
	w.settle()
	w.review(adopt, "bob", v1alpha1.VerdictApproved)
	w.settle()
	if len(adopt.Status.Diff) != 0 || adopt.Status.Phase != v1alpha1.PhaseApplied {
		t.Fatal(adopt.Status)
	}
	made(w, set("A", "good"))
	c := alone(w, "mallory", restoreTo(evil))
	if got := w.live()["A"]; got.Reveal() == "evil" {
		t.Errorf("mallory alone made live what no change wrote: %s %s", c.Status.Phase, c.Status.Message)
	}
}

// A rollback carries all other keys of what is live.
func TestOnesOwnApprovalCarriesNoUnreviewedValues(t *testing.T) {
	w := newWorld(1)
	made(w, setC)
	second := made(w, setB)
	w.external(edited(w.live(), set("A", "evil")))
	wash := alone(w, "mallory", rollbackOf(second))
	if wash.Status.Phase != v1alpha1.PhasePending {
		t.Errorf("mallory alone carried what was edited in AWS on: %s %s", wash.Status.Phase, wash.Status.Message)
	}
	made(w, set("A", "good"))
	back := alone(w, "mallory", restoreOf(wash))
	if got := w.live()["A"]; got.Reveal() == "evil" {
		t.Errorf("mallory alone made live A=evil, which no reviewed change wrote: %s", back.Status.Message)
	}
}

// The name that a rollback gives may come to mean another change.
func TestAnApprovalFollowsWhatIsPinned(t *testing.T) {
	now := metav1.Now()
	r := v1alpha1.SecretChange{ObjectMeta: metav1.ObjectMeta{Name: "r", UID: "r"}, Spec: v1alpha1.SecretChangeSpec{
		Rollback: &v1alpha1.RollbackSource{Change: "fix"}, ProposedBy: "mallory", BaseVersionID: "live"},
		Status: v1alpha1.SecretChangeStatus{Phase: v1alpha1.PhasePending, Revert: &v1alpha1.Revert{FromVersionID: "v2", ToVersionID: "external"}}}
	others := []v1alpha1.SecretChange{
		{ObjectMeta: metav1.ObjectMeta{Name: "w", UID: "w"}, Status: v1alpha1.SecretChangeStatus{Phase: v1alpha1.PhaseApplied, AppliedVersionID: "v1"}},
		{ObjectMeta: metav1.ObjectMeta{Name: "fix", UID: "second-of-that-name", CreationTimestamp: now}, Status: v1alpha1.SecretChangeStatus{
			Phase: v1alpha1.PhaseApplied, AppliedVersionID: "live", PreviousVersionID: "v1"}},
	}
	if change.QueueOf(&r, others, policy.Identities{}).WroteTarget {
		t.Error("what is pinned was written by no change")
	}
}

// The label that keeps what is live was put, and the change ended otherwise.
func TestALabelOfARejectedChangeKeepsNothingFromBeingKept(t *testing.T) {
	w := newWorld(1)
	w.forgetful = func() bool { return true }
	w.project.Spec.VersionHistory = ptr.To[int32](3)
	for i := range 5 {
		made(w, set("C", fmt.Sprint(i)))
	}
	w.external(edited(w.live(), set("D", "by hand")))
	byHand := w.with(secretstore.LabelCurrent)
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.Put) // keep is done; the put fails, say KMS denies
	w.review(c, "carol", v1alpha1.VerdictRejected)
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseRejected {
		t.Fatal(c.Status.Phase)
	}
	second := made(w, setA)
	made(w, setB)
	made(w, set("E", "1"))
	if second.Status.PreviousVersionID != byHand {
		t.Fatal("setup")
	}
	if w.versions[byHand] == nil {
		t.Error("what the third last change replaced is gone, although 3 versions are kept and older ones than it are there")
	}
}

func TestAdoptionsUseUpNoLabels(t *testing.T) {
	w := newWorld(1)
	w.forgetful = func() bool { return true }
	made(w, setA)
	made(w, setB)
	last := made(w, setC)
	var c *v1alpha1.SecretChange
	for i := range 18 {
		c = alone(w, "mallory", restoreOf(last))
		if c.Status.Phase != v1alpha1.PhaseApplied {
			t.Fatalf("adoption %d is %s: %s", i, c.Status.Phase, c.Status.Message)
		}
	}
	n := w.propose("alice", set("E", "1"))
	w.settle()
	w.review(n, "bob", v1alpha1.VerdictApproved)
	w.settle()
	if n.Status.Phase != v1alpha1.PhaseApplied {
		t.Errorf("the environment is stuck: %s %s", n.Status.Phase, n.Status.Message)
	}
}

func TestWhatAnotherWaitsToGoBackToLosesItsLabelLast(t *testing.T) {
	w := newWorld(1)
	w.forgetful = func() bool { return true }
	w.project.Spec.VersionHistory = ptr.To[int32](2)
	made(w, set("C", "0"))
	a := made(w, set("C", "1"))
	made(w, set("D", "2"))
	last := made(w, set("E", "3"))
	c := w.revert("alice", restoreOf(a))
	w.settle()
	if c.Status.Phase != v1alpha1.PhasePending {
		t.Fatal(c.Status.Phase, c.Status.Message)
	}
	ad := alone(w, "rob", restoreOf(last))
	w.forget()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseApplied {
		t.Errorf("%s (%s): %s %s", ad.Name, ad.Status.Phase, c.Status.Phase, c.Status.Message)
	}
}

// A backup of the cluster did not know that the change was live.
func TestNothingIsUndoneOfWhichItIsNotKnownWhatItReplaced(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	backup := c.Status.DeepCopy()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.settle()
	made(w, setC)
	// The cluster is put back to a backup in which c is pending.
	c.Status, c.Spec.Reviews = *backup, nil
	w.review(c, "carol", v1alpha1.VerdictRejected)
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseApplied || c.Status.PreviousVersionID != "" {
		t.Fatal(c.Status.Phase, c.Status.PreviousVersionID)
	}
	undo := w.revert("alice", rollbackOf(c))
	w.settle()
	for _, d := range undo.Status.Diff {
		if d.Type == v1alpha1.KeyRemoved {
			t.Errorf("the rollback of a change of A would remove %s: %s", d.Key, undo.Status.Phase)
		}
	}
}

func TestAnAdoptionThatWasReplacedSaysSo(t *testing.T) {
	w := newWorld(1)
	made(w, setC)
	w.external(edited(w.live(), set("A", "by hand")))
	adopt := w.revert("alice", restoreTo(w.with(secretstore.LabelCurrent)))
	w.settle()
	w.review(adopt, "bob", v1alpha1.VerdictApproved)
	for w.with(naming.VersionLabel(string(adopt.UID))) == "" {
		w.reconcile(adopt)
	}
	adopt.Status.Phase = v1alpha1.PhaseApproved
	w.external(edited(w.live(), set("A", "evil")))
	w.settle()
	if adopt.Status.Phase != v1alpha1.PhaseApplied || adopt.Status.ReplacedByVersionID == "" {
		t.Errorf("%s, replaced by %q: %s", adopt.Status.Phase, adopt.Status.ReplacedByVersionID, adopt.Status.Message)
	}
}

func TestAnAdoptionByAChangesNameDoesNotQueue(t *testing.T) {
	w := newWorld(1)
	last := made(w, setC)
	stuck := w.propose("alice", setA)
	w.settle()
	for id, v := range w.versions {
		if v.labels[secretstore.LabelPrevious] {
			_ = id
			v.labels[naming.VersionLabel("somebody")] = true
		}
	}
	w.review(stuck, "bob", v1alpha1.VerdictApproved)
	w.settle()
	c := w.revert("alice", restoreOf(last))
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseApplied {
		t.Errorf("%s: %s", c.Status.Phase, c.Status.Message)
	}
}

func TestNoLabelIsPutBeyondTheLimit(t *testing.T) {
	w := newWorld(1)
	w.project.Spec.ConflictPolicy = v1alpha1.ConflictByKey
	first := made(w, setC)
	for i := 0; w.describe().LabelCount() < 19; i++ { // somebody's own labels
		w.versions[first.Status.AppliedVersionID].labels[fmt.Sprint("mine-", i)] = true
	}
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.MoveLabel)
	w.external(edited(w.live(), set("E", "x")))
	w.now = w.now.Add(time.Minute)
	for range 30 {
		w.reconcile(c)
		w.now = w.now.Add(time.Second)
		if n := w.describe().LabelCount(); n > secretstore.MaxLabels {
			t.Fatalf("%d labels: AWS refuses, for ever", n)
		}
	}
}

func TestADeletedRollbackLeavesNoLabelThatHoldsTheEnvironment(t *testing.T) {
	w := newWorld(1)
	made(w, setA)
	c := w.revert("alice", rollbackOf(made(w, setB)))
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.MoveLabel)
	c.DeletionTimestamp = &metav1.Time{Time: w.now}
	w.settle()
	if len(c.Finalizers) != 0 || w.with(naming.VersionLabel(string(c.UID))) != "" {
		t.Errorf("it keeps finalizers %v, and its label on %q", c.Finalizers, w.with(naming.VersionLabel(string(c.UID))))
	}
}

// A secret's first version is live as soon as it is written.
func TestAFirstVersionIsNotWrittenTwice(t *testing.T) {
	for _, p := range []v1alpha1.ConflictPolicy{v1alpha1.ConflictStrict, v1alpha1.ConflictByKey} {
		t.Run(string(p), func(t *testing.T) {
			w := newWorld(1)
			w.project.Spec.ConflictPolicy = p
			clear(w.versions)
			w.refreshProject()
			w.versions["x"] = &version{value: sensitive.New("{}"), labels: map[string]bool{secretstore.LabelCurrent: true}}
			c := w.propose("alice", setA)
			clear(w.versions)
			w.refreshProject()
			c.Spec.BaseVersionID = ""
			w.settle()
			w.review(c, "bob", v1alpha1.VerdictApproved)
			w.until(c, change.Put)
			// AWS carries it out, and the answer is lost: the secret's first version is live at once.
			_, a := w.decide(c)
			c.Status = a.Status
			if err := w.put(a.Effect.Put); err != nil {
				t.Fatal(err)
			}
			w.moveCurrent(a.Effect.Put.VersionID)
			w.moves[string(c.UID)]++
			if got := w.live()["A"]; got.Reveal() != "changed" {
				t.Fatal("setup")
			}
			// While the manager is away, somebody takes it back by hand, in two steps.
			w.external(document.Document{"B": sensitive.New("emergency")})
			w.external(document.Document{"B": sensitive.New("emergency, better")})
			w.now = w.now.Add(5 * time.Minute)
			w.settle()
			if n := w.moves[string(c.UID)]; n != 1 || readyReason(c) != v1alpha1.ReasonOutcomeUnknown {
				t.Errorf("was live %d times, and is %s because %s: %s", n, c.Status.Phase, readyReason(c), c.Status.Message)
			}
		})
	}
}
