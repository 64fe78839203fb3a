package change_test

import (
	"testing"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
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
