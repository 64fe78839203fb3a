package change_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// The manager's clock jumps while a change is being made live; AWS and everybody
// else go on by theirs.
func TestAClockThatJumpsHoldsNothingUp(t *testing.T) {
	jumps := map[string]time.Duration{"ahead by an hour": time.Hour, "back by an hour": -time.Hour, "back by a second": -time.Second}
	moments := map[string]func(*world, *v1alpha1.SecretChange){
		"after the attempt is on record": func(w *world, c *v1alpha1.SecretChange) {
			w.until(c, change.Put)
			w.dies(c)
		},
		"after the write": func(w *world, c *v1alpha1.SecretChange) {
			w.until(c, change.Put)
			w.reconcile(c)
		},
		"after the move is on record": func(w *world, c *v1alpha1.SecretChange) {
			w.until(c, change.MoveLabel)
			w.dies(c)
		},
		"after the move": func(w *world, c *v1alpha1.SecretChange) {
			w.until(c, change.MoveLabel)
			w.reconcile(c)
		},
	}
	for jump, by := range jumps {
		for moment, reach := range moments {
			t.Run(jump+", "+moment, func(t *testing.T) {
				w := newWorld(1)
				c := w.propose("alice", setA)
				w.settle()
				w.review(c, "bob", v1alpha1.VerdictApproved)
				reach(w, c)
				w.now = w.now.Add(by)
				// A few times that for which an answer of AWS may be old.
				for range 3 * int(w.settings.ConsistencyGrace/time.Second) {
					w.reconcile(c)
					w.now = w.now.Add(time.Second)
				}
				if moves := w.moves[string(c.UID)]; c.Status.Phase != v1alpha1.PhaseApplied || moves != 1 {
					t.Errorf("it is %s (%s) and went live %d times", c.Status.Phase, c.Status.Message, moves)
				}
				if live := w.with(secretstore.LabelCurrent); live != c.Status.AppliedVersionID {
					t.Errorf("%s is live, and on record is %s", live, c.Status.AppliedVersionID)
				}
			})
		}
	}
}

// dies has the manager die once the status is written, before the effect.
func (w *world) dies(c *v1alpha1.SecretChange) {
	w.crash = func() bool { return true }
	w.reconcile(c)
	w.crash = never
}

func TestWhatBecomesLiveAfterAClockWasAheadComesLaterAllTheSame(t *testing.T) {
	w := newWorld(1)
	c := w.propose("alice", setA)
	w.settle()
	ahead := metav1.NewMicroTime(w.now.Add(time.Hour))
	w.project.Status.Environments[0].LastAppliedTime = &ahead
	w.review(c, "bob", v1alpha1.VerdictApproved)
	w.until(c, change.MoveLabel)
	w.reconcile(c)
	w.project.Status.Environments[0].LastAppliedTime = &ahead
	w.settle()
	if c.Status.Phase != v1alpha1.PhaseApplied || !c.Status.AppliedAt.After(ahead.Time) {
		t.Errorf("it is %s since %v, and what it replaced since %v", c.Status.Phase, c.Status.AppliedAt, ahead)
	}
}
