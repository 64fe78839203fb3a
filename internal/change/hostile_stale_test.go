package change_test

import (
	"testing"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// The move took effect; the describe that follows shows what was before it.
func TestAnEndDoesNotHideWhatWentLive(t *testing.T) {
	for name, ending := range map[string]func(*world, *v1alpha1.SecretChange){
		"a rejection":  func(w *world, c *v1alpha1.SecretChange) { w.review(c, "carol", v1alpha1.VerdictRejected) },
		"a withdrawal": func(w *world, c *v1alpha1.SecretChange) { w.review(c, "alice", v1alpha1.VerdictRejected) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(1)
			c := w.propose("alice", setA)
			w.settle()
			w.review(c, "bob", v1alpha1.VerdictApproved)
			w.until(c, change.MoveLabel)
			old := w.describe()
			w.reconcile(c)
			ending(w, c)
			w.seeing(c, old)
			w.settle()
			if live := w.with(secretstore.LabelCurrent); w.moves[string(c.UID)] == 1 && live == c.Status.Attempt.VersionID &&
				c.Status.Phase != v1alpha1.PhaseApplied {
				t.Errorf("it is live as %s but on record as %s: %s; labels there: %v",
					live, c.Status.Phase, c.Status.Message, w.describe().Versions[live])
			}
		})
	}
}

// The move took effect, and somebody undid it at once. The describe that
// follows shows what was before both.
func TestAnUndoIsNotOverwrittenBecauseADescribeIsOld(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.MoveLabel)
	old := w.describe()
	w.reconcile(c)
	w.undo()
	undone := w.with(secretstore.LabelCurrent)
	w.seeing(c, old)
	w.settle()
	if live := w.with(secretstore.LabelCurrent); live != undone || w.moves[string(c.UID)] != 1 {
		t.Errorf("went live %d times; %s is live, where the undo had left %s", w.moves[string(c.UID)], live, undone)
	}
}

// The manager dies after the move. Somebody goes back two versions, then settles
// for one: both labels are where the attempt found them.
func TestAnUndoInTwoStepsIsNotOverwritten(t *testing.T) {
	w := newWorld(1)
	w.external(edited(w.live(), setC)) // AWSPREVIOUS is there
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.MoveLabel)
	w.reconcile(c)
	w.moveCurrent(c.Status.Attempt.PreviousVersionID)
	w.moveCurrent(c.Status.Attempt.CurrentVersionID)
	undone := w.with(secretstore.LabelCurrent)
	w.settle()
	if live := w.with(secretstore.LabelCurrent); live != undone || w.moves[string(c.UID)] != 1 {
		t.Errorf("went live %d times; %s is live, where the undo had left %s", w.moves[string(c.UID)], live, undone)
	}
}

// An old describe of two moves ago: nobody moved anything but we ourselves.
func TestADescribeThatIsOlderThanTheAttemptEndsNothing(t *testing.T) {
	w := newWorld(1)
	first := w.propose("alice", setC)
	w.settle()
	w.review(first, "bob", v1alpha1.VerdictApproved)
	old := w.describe()
	w.settle()
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.MoveLabel)
	w.reconcile(c)
	w.seeing(c, old)
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseApplied {
		t.Errorf("is live as %s but %s: %s", w.with(secretstore.LabelCurrent), c.Status.Phase, c.Status.Message)
	}
}

// A change is applied, the next one is proposed on what it wrote, and approved.
// The describe shows what was before both.
func TestAnOldDescribeIsNoConflict(t *testing.T) {
	w := newWorld(1)
	first := w.propose("alice", setC)
	w.settle()
	old := w.describe()
	w.review(first, "bob", v1alpha1.VerdictApproved)
	w.settle()
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.reconcile(c)
	w.seeing(c, old)
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseApplied {
		t.Errorf("its base is live, but it is %s: %s", c.Status.Phase, c.Status.Message)
	}
}

// Somebody edits in AWS after our version was put, before AWS is asked to make
// it live, or just before AWS carries that out: it is known that ours was never
// live.
func TestAnEditBeforeTheMoveIsJudgedLikeAnyOther(t *testing.T) {
	for name, tc := range map[string]struct {
		policy v1alpha1.ConflictPolicy
		edit   func(document.Document)
		phase  v1alpha1.Phase
		reason string
	}{
		"Strict conflicts":                           {v1alpha1.ConflictStrict, setC, v1alpha1.PhaseConflicted, v1alpha1.ReasonConflicted},
		"ByKey goes on where another key changed":    {v1alpha1.ConflictByKey, setC, v1alpha1.PhaseApplied, v1alpha1.ReasonApplied},
		"ByKey conflicts where the same key changed": {v1alpha1.ConflictByKey, setA, v1alpha1.PhaseConflicted, v1alpha1.ReasonConflicted},
	} {
		for moment, refused := range map[string]bool{"before it was asked for": false, "while it was asked for": true} {
			t.Run(name+" "+moment, func(t *testing.T) {
				w := newWorld(1)
				w.project.Spec.ConflictPolicy = tc.policy
				c := w.propose("alice", setA)
				w.settle()
				w.review(c, "bob", v1alpha1.VerdictApproved)
				w.until(c, change.MoveLabel)
				if refused {
					w.before = func() { w.external(edited(w.live(), tc.edit)) }
					w.reconcile(c)
					if !c.Status.Attempt.Refused {
						t.Error("the refusal is not on record")
					}
				} else {
					w.external(edited(w.live(), tc.edit))
				}
				w.settle()
				w.now = w.now.Add(time.Minute)
				w.settle()
				if c.Status.Phase != tc.phase || readyReason(c) != tc.reason || len(w.violations) > 0 {
					t.Errorf("is %s because %s (%s) %v", c.Status.Phase, readyReason(c), c.Status.Message, w.violations)
				}
				if label := w.with(naming.VersionLabel(string(c.UID))); (label == "") != (tc.phase != v1alpha1.PhaseApplied) {
					t.Errorf("its label is on %q", label)
				}
			})
		}
	}
}

// A change is applied, the next one edits what it wrote, and the describe shows what was before both: keys that seem to
// hold something else are no reason to end it.
func TestAnOldDescribeIsNoClash(t *testing.T) {
	for name, approved := range map[string]bool{"before it is checked": false, "when it is approved": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(1)
			w.project.Spec.ConflictPolicy = v1alpha1.ConflictByKey
			first := w.propose("alice", setA)
			w.settle()
			old := w.describe()
			w.review(first, "bob", v1alpha1.VerdictApproved)
			w.settle()
			c := w.propose("alice", func(doc document.Document) { doc["A"] = doc["B"] })
			w.reconcile(c)
			if approved {
				w.settle()
				w.review(c, "bob", v1alpha1.VerdictApproved)
				w.reconcile(c)
			} else {
				w.project.Status.Environments[0].LiveVersionID = old.Current()
			}
			w.seeing(c, old)
			w.refreshProject()
			w.review(c, "bob", v1alpha1.VerdictApproved)
			w.settle()
			if c.Status.Phase != v1alpha1.PhaseApplied {
				t.Errorf("what it edits is live, but it is %s: %s", c.Status.Phase, c.Status.Message)
			}
		})
	}
}

// A change is live, somebody edits in AWS, and the next change is proposed on that. Only then is the first one seen live; the
// describe shows what was before the edit.
func TestWhatIsSeenLiveLateIsNoConflict(t *testing.T) {
	w := newWorld(1)
	first := w.propose("alice", setC)
	w.settle()
	w.review(first, "bob", v1alpha1.VerdictApproved)
	w.until(first, change.MoveLabel)
	w.reconcile(first)
	old := w.describe()
	w.now = w.now.Add(2 * time.Second)
	w.external(edited(w.live(), setA))
	c := w.propose("carol", func(doc document.Document) { doc["D"] = doc["B"] })
	w.now = w.now.Add(2 * time.Second)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.reconcile(c)
	w.seeing(c, old)
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseApplied {
		t.Errorf("its base is live, but it is %s: %s", c.Status.Phase, c.Status.Message)
	}
}

// A manager describes the live secret and stands still. Meanwhile another one makes the change live, and somebody edits
// that. What the first one has seen is older than what is on record by then, and tells nothing of what came of it.
func TestWhatWasSeenBeforeAnAttemptTellsNothingOfIt(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.Put)
	stale := w.facts(c)
	stale.Queue.Alone = false // or the API server would not be asked
	for a := change.Decide(w.settings, stale); a.Read != change.ReadFresh; a = change.Decide(w.settings, stale) {
		if a.Read == change.ReadNothing {
			t.Fatalf("decides without asking the API server: %+v", a)
		}
		w.read(&stale, a)
	}
	w.until(c, change.MoveLabel)
	facts, a := w.decide(c)
	w.record(c, a.Status)
	if err := w.effect(facts.Change, a.Effect); err != nil {
		t.Fatal(err)
	}
	w.external(edited(w.live(), setC))
	w.now = w.now.Add(20 * time.Minute)
	a = w.awake(c, stale)
	if a.Effect.Kind != change.NoEffect || a.Status.Phase != v1alpha1.PhaseApplied || a.Status.AppliedVersionID != c.Status.Attempt.VersionID {
		t.Errorf("was live, but %s, and is %s: %s", a.Effect.Kind, a.Status.Phase, a.Status.Message)
	}
}

// awake is what a manager decides that has stood still since it saw the facts, and
// reads what it asks for from now on.
func (w *world) awake(c *v1alpha1.SecretChange, facts change.Facts) change.Action {
	for {
		switch a := change.Decide(w.settings, facts); a.Read {
		case change.ReadNothing:
			return a
		case change.ReadFresh:
			facts.Renew(change.Facts{Now: w.now, Change: c.DeepCopy(), Project: w.project, Trust: w.trust})
		default:
			w.read(&facts, a)
		}
	}
}

// What is staged is deleted once a change is live, which a manager may learn before it learns of the attempt.
func TestAManagerThatMissedTheAttemptLeavesItsLabel(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.Put)
	stale := w.facts(c)
	w.until(c, change.MoveLabel)
	w.read(&stale, change.Action{Read: change.ReadLive})
	w.settle()
	a := w.awake(c, stale)
	if a.Effect.Kind != change.NoEffect || c.Status.Phase != v1alpha1.PhaseApplied {
		t.Errorf("%s %+v of a change that is %s", a.Effect.Kind, a.Effect.Move, c.Status.Phase)
	}
}

// Whose the secret is, and whether it rotates, no compare-and-swap tells.
func TestWhatWasSeenBeforeAStandstillIsNotActedOn(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.MoveLabel)
	stale := w.facts(c)
	for a := change.Decide(w.settings, stale); a.Read != change.ReadFresh; a = change.Decide(w.settings, stale) {
		w.read(&stale, a)
	}
	w.now = w.now.Add(2 * time.Hour)
	w.secret.Tags = map[string]string{naming.TagOwner: "blue/another"}
	a := w.awake(c, stale)
	if a.Effect.Kind != change.NoEffect {
		t.Errorf("%s of another team's secret", a.Effect.Kind)
	}
}

// A secret's first version is live as soon as it is written, so a describe from before it had any must not be taken for new.
func TestAnOldDescribeIsNoEmptySecret(t *testing.T) {
	w := newWorld(1)
	w.project.Spec.ConflictPolicy = v1alpha1.ConflictByKey
	c := w.propose("alice", func(doc document.Document) { doc["Z"] = doc["B"] })
	w.settle()
	old := w.describe()
	old.Versions = nil
	w.review(c, "bob", v1alpha1.VerdictApproved)
	if a := w.seeing(c, old); a.Effect.Kind != change.NoEffect || c.Status.Attempt != nil {
		t.Errorf("%s, with the attempt %+v", a.Effect.Kind, c.Status.Attempt)
	}
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseApplied {
		t.Errorf("is %s: %s", c.Status.Phase, c.Status.Message)
	}
}

// Two changes are proposed, and one is decided within the second in which the other was created, so that its version may be
// older than what the other's proposer saw. What is live is certain later, and nobody else tells the change of it.
func TestWhatConflictsEndsOnceThatIsCertain(t *testing.T) {
	w := newWorld(1)
	faster := w.propose("alice", setA)
	w.settle()
	slower := w.propose("carol", setC)
	for slower.Status.Phase != v1alpha1.PhasePending {
		w.reconcile(slower)
	}
	w.review(faster, "bob", v1alpha1.VerdictApproved)
	w.settle()
	w.refreshProject()
	w.settle()
	if faster.Status.Phase != v1alpha1.PhaseApplied || slower.Status.Phase != v1alpha1.PhasePending {
		t.Fatalf("they are %s and %s (%s)", faster.Status.Phase, slower.Status.Phase, slower.Status.Message)
	}
	_, action := w.decide(slower)
	w.now = w.now.Add(action.After)
	w.settle()
	if slower.Status.Phase != v1alpha1.PhaseConflicted {
		t.Errorf("after %s it is %s: %s", action.After, slower.Status.Phase, slower.Status.Message)
	}
}
