package change_test

import (
	"strings"
	"testing"

	"k8s.io/utils/ptr"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// made proposes an edit and has it applied.
func made(w *world, edit func(document.Document)) *v1alpha1.SecretChange {
	c := w.propose("alice", edit)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.settle()
	return c
}

func setB(doc document.Document) { doc["B"] = sensitive.New("later") }

func rollbackOf(c *v1alpha1.SecretChange) v1alpha1.SecretChangeSpec {
	return v1alpha1.SecretChangeSpec{Rollback: &v1alpha1.RollbackSource{Change: c.Name}}
}

func restoreOf(c *v1alpha1.SecretChange) v1alpha1.SecretChangeSpec {
	return v1alpha1.SecretChangeSpec{Restore: &v1alpha1.RestoreSource{Change: c.Name}}
}

func restoreTo(version string) v1alpha1.SecretChangeSpec {
	return v1alpha1.SecretChangeSpec{Restore: &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(version)}}
}

// TestGoingBack tells stories of rollbacks and restores that bob approves. At
// their beginning live is A=1 B=2.
func TestGoingBack(t *testing.T) {
	for name, tc := range map[string]struct {
		story  func(w *world) v1alpha1.SecretChangeSpec
		phase  v1alpha1.Phase
		says   string
		live   map[string]string
		reason string
	}{
		"a rollback of the last change puts back what it replaced": {
			story: func(w *world) v1alpha1.SecretChangeSpec { return rollbackOf(made(w, setA)) },
			phase: v1alpha1.PhaseApplied, live: map[string]string{"A": "1", "B": "2"}},
		"a rollback keeps what came after it": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				first := made(w, setA)
				made(w, setB)
				made(w, setC)
				return rollbackOf(first)
			}, phase: v1alpha1.PhaseApplied, live: map[string]string{"A": "1", "B": "later", "C": "new"}},
		"a rollback takes away what the change had added": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				first := made(w, setC)
				made(w, setA)
				return rollbackOf(first)
			}, phase: v1alpha1.PhaseApplied, live: map[string]string{"A": "changed", "B": "2"}},
		"a rollback puts back what the change had removed": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				first := made(w, func(d document.Document) { delete(d, "B") })
				made(w, setA)
				return rollbackOf(first)
			}, phase: v1alpha1.PhaseApplied, live: map[string]string{"A": "changed", "B": "2"}},
		"a rollback restores what the change named had replaced, whatever an edit in AWS did since": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				first := made(w, setA)
				w.external(edited(w.live(), setC))
				w.external(edited(w.live(), setB))
				return rollbackOf(first)
			}, phase: v1alpha1.PhaseApplied, live: map[string]string{"A": "1", "B": "later", "C": "new"}},
		"a rollback of an edit in AWS that a change replaced": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				w.external(edited(w.live(), func(d document.Document) { d["A"] = sensitive.New("by hand") }))
				first := made(w, setA)
				made(w, setC)
				made(w, setB)
				return rollbackOf(first)
			}, phase: v1alpha1.PhaseApplied, live: map[string]string{"A": "by hand", "B": "later", "C": "new"}},
		"a rollback of a key that a later change touched names it": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				first := made(w, setA)
				made(w, func(d document.Document) { d["A"] = sensitive.New("again") })
				return rollbackOf(first)
			}, phase: v1alpha1.PhaseConflicted, reason: v1alpha1.ReasonConflicted, says: `touched "A"`,
			live: map[string]string{"A": "again", "B": "2"}},
		"a second rollback of the same change changes nothing": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				first := made(w, setA)
				undo := w.revert("alice", rollbackOf(first))
				w.settle()
				w.review(undo, "bob", v1alpha1.VerdictApproved)
				w.settle()
				return rollbackOf(first)
			}, phase: v1alpha1.PhaseInvalid, says: "change nothing", live: map[string]string{"A": "1", "B": "2"}},
		"a rollback of a rollback brings the change back": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				undo := w.revert("alice", rollbackOf(made(w, setA)))
				w.settle()
				w.review(undo, "bob", v1alpha1.VerdictApproved)
				w.settle()
				return rollbackOf(undo)
			}, phase: v1alpha1.PhaseApplied, live: map[string]string{"A": "changed", "B": "2"}},
		"a rollback of a change that is not there": {
			story: func(*world) v1alpha1.SecretChangeSpec {
				return v1alpha1.SecretChangeSpec{Rollback: &v1alpha1.RollbackSource{Change: "nothing"}}
			}, phase: v1alpha1.PhaseInvalid, says: `no change "nothing"`},
		"a rollback of a change that was never applied": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				c := w.propose("alice", setA)
				w.settle()
				w.review(c, "bob", v1alpha1.VerdictRejected)
				w.settle()
				return rollbackOf(c)
			}, phase: v1alpha1.PhaseInvalid, says: "never applied"},
		"a rollback of an adoption": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				w.external(edited(w.live(), setC))
				adopt := w.revert("alice", restoreTo(w.with(secretstore.LabelCurrent)))
				w.settle()
				w.review(adopt, "bob", v1alpha1.VerdictApproved)
				w.settle()
				return rollbackOf(adopt)
			}, phase: v1alpha1.PhaseInvalid, says: "nothing to undo"},
		"a rollback by a version that AWS has deleted": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				first := made(w, setA)
				delete(w.versions, first.Status.PreviousVersionID)
				return rollbackOf(first)
			}, phase: v1alpha1.PhaseInvalid, says: "no longer has version"},
		"a restore puts the whole environment back as it was after a change": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				first := made(w, setA)
				made(w, setB)
				made(w, setC)
				return restoreOf(first)
			}, phase: v1alpha1.PhaseApplied, live: map[string]string{"A": "changed", "B": "2"}},
		"a restore of what was there before the first change": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				baseline := w.with(secretstore.LabelCurrent)
				made(w, setA)
				made(w, setB)
				return restoreTo(baseline)
			}, phase: v1alpha1.PhaseApplied, live: map[string]string{"A": "1", "B": "2"}},
		"a restore of the change that is live adopts it": {
			story: func(w *world) v1alpha1.SecretChangeSpec { return restoreOf(made(w, setA)) },
			phase: v1alpha1.PhaseApplied, reason: v1alpha1.ReasonAdopted, live: map[string]string{"A": "changed", "B": "2"}},
		"a restore of what is live under another version changes nothing": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				first := made(w, setA)
				w.external(w.live())
				return restoreOf(first)
			}, phase: v1alpha1.PhaseInvalid, says: "change nothing"},
		"a restore that starts from what is no longer live conflicts": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				first := made(w, setA)
				made(w, setB)
				spec := restoreOf(first)
				spec.BaseVersionID = v1alpha1.VersionID(first.Status.AppliedVersionID)
				return spec
			}, phase: v1alpha1.PhaseConflicted, says: "no longer"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(1)
			w.forgetful = func() bool { return true }
			spec := tc.story(w)
			c := w.revert("alice", spec)
			if spec.BaseVersionID != "" {
				c.Spec.BaseVersionID = spec.BaseVersionID
				w.now = w.now.Add(w.settings.ConsistencyGrace)
			}
			w.settle()
			if tc.phase == v1alpha1.PhaseApplied && c.Status.Phase != v1alpha1.PhasePending {
				t.Fatalf("waits for no review: %s %s", c.Status.Phase, c.Status.Message)
			}
			w.review(c, "bob", v1alpha1.VerdictApproved)
			w.settle()
			if c.Status.Phase != tc.phase || (tc.reason != "" && readyReason(c) != tc.reason) || !strings.Contains(c.Status.Message, tc.says) {
				t.Errorf("is %s because %s: %s", c.Status.Phase, readyReason(c), c.Status.Message)
			}
			for key, want := range tc.live {
				if got := w.live()[key]; got.Reveal() != want || len(w.live()) != len(tc.live) {
					t.Errorf("%s is %q of %d keys, want %q of %d", key, got.Reveal(), len(w.live()), want, len(tc.live))
				}
			}
			if len(w.violations) > 0 {
				t.Error(w.violations)
			}
		})
	}
}

// TestGoingBackAlone: who holds the verb rollback approves at the creation.
func TestGoingBackAlone(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(w *world)
		story   func(w *world) v1alpha1.SecretChangeSpec
		alone   bool
	}{
		"to what a change wrote needs nobody else": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				made(w, setA)
				return rollbackOf(made(w, setB))
			}, alone: true},
		"to what no change wrote needs the quorum": {
			story: func(w *world) v1alpha1.SecretChangeSpec { return rollbackOf(made(w, setA)) }},
		"by a restore to what a change wrote needs nobody else": {
			story: func(w *world) v1alpha1.SecretChangeSpec {
				first := made(w, setA)
				made(w, setB)
				return restoreOf(first)
			}, alone: true},
		"needs the quorum where the policy says so": {
			prepare: func(w *world) { w.project.Spec.Rollback = &v1alpha1.RollbackPolicy{RequireReview: ptr.To(true)} },
			story: func(w *world) v1alpha1.SecretChangeSpec {
				first := made(w, setA)
				made(w, setB)
				return restoreOf(first)
			}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(1)
			if tc.prepare != nil {
				tc.prepare(w)
			}
			spec := tc.story(w)
			spec.Reviews = []v1alpha1.Review{{Reviewer: "alice", Verdict: v1alpha1.VerdictApproved}}
			c := w.revert("alice", spec)
			for c.Status.Phase == "" {
				w.reconcile(c)
			}
			// Who watches must not be told that reviews are missing.
			if told := readyReason(c) == v1alpha1.ReasonAwaitingReview; told == tc.alone {
				t.Errorf("says %s: %s", readyReason(c), c.Status.Message)
			}
			w.settle()
			if alone := c.Status.Phase == v1alpha1.PhaseApplied; alone != tc.alone {
				t.Errorf("is %s: %s", c.Status.Phase, c.Status.Message)
			}
		})
	}
}

func TestWhatAChangeReplacedIsKeptAsLongAsThePolicySays(t *testing.T) {
	w := newWorld(1)
	w.forgetful = func() bool { return true }
	w.project.Spec.VersionHistory = ptr.To[int32](3)
	baseline := w.with(secretstore.LabelCurrent)
	first := made(w, setA)
	if w.with(naming.KeptLabel(string(first.UID))) != baseline {
		t.Fatalf("what the first change replaced bears no label: %v", w.describe().Versions)
	}
	made(w, setB)
	made(w, setC)
	if w.versions[baseline] == nil {
		t.Error("it is gone while there is room")
	}
	made(w, func(d document.Document) { d["D"] = sensitive.New("4") })
	if w.versions[baseline] != nil || w.versions[first.Status.AppliedVersionID] == nil {
		t.Errorf("the oldest did not go first: %v", w.describe().Versions)
	}
}

func TestARevertAppliesWhatWasReviewedAlsoWhenTheChangeIsPurged(t *testing.T) {
	w := newWorld(1)
	first := made(w, setA)
	made(w, setB)
	c := w.revert("alice", rollbackOf(first))
	w.settle()
	first.Name = "gone" // its label stays known, by the project's record
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.Put)
	for range 20 {
		w.reconcile(c)
	}
	if got := w.live()["A"]; c.Status.Phase != v1alpha1.PhaseApplied || got.Reveal() != "1" {
		t.Errorf("is %s with A=%s: %s", c.Status.Phase, got.Reveal(), c.Status.Message)
	}
}
